package analyze

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"duckload/limiter"
)

// crowd is what one key of a bucket sees that is asked twice as often as it
// allows, by requests that overtake each other.
func crowd(b testing.TB, n int) *Case {
	b.Helper()
	l := limiter.Limit{Limit: 100, Window: time.Second, Burst: 200, Reading: limiter.TokenBucket, Scope: limiter.ScopeGlobal}
	promise := tenPerMinute
	promise.Limits = []limiter.Limit{l}
	c := caseOf(promise, nil)
	a := askerOf(b, "token-bucket", l, 1)
	rng := rand.New(rand.NewPCG(3, 4))
	c.Rows = make([]Row, n)
	decided := make([]time.Duration, n)
	order := make([]uint32, n)
	var at time.Duration
	for i := range c.Rows {
		at += time.Duration(rng.ExpFloat64() * float64(5*time.Millisecond))
		decided[i] = at + a.delay()
		c.Rows[i] = Row{Sent: at, Answered: decided[i] + a.delay(), Ordinal: uint32(i)}
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(decided[x], decided[y]) })
	for _, i := range order {
		var d limiter.Decision
		d, a.limiter = a.limiter.Take(decided[i])
		c.Rows[i].Outcome = limiter.Rejected
		if d.OK {
			c.Rows[i].Outcome = limiter.Admitted
		}
	}
	return c
}

// checksOfLimits are the checks whose cost grows with the number of rows of a
// key.
var checksOfLimits = []Check{limitCeiling, limitFloor, limitRate}

func BenchmarkLimits(b *testing.B)           { benchmarkLimits(b, 100_000, 1_000_000) }
func BenchmarkLimitsTenMillion(b *testing.B) { benchmarkLimits(b, 10_000_000) }

func benchmarkLimits(b *testing.B, sizes ...int) {
	for _, n := range sizes {
		c := crowd(b, n)
		for _, check := range checksOfLimits {
			b.Run(fmt.Sprintf("%s/%d", check.ID, n), func(b *testing.B) {
				b.ReportAllocs()
				var most uint64
				for b.Loop() {
					c.floor, c.fits = nil, nil
					for _, f := range check.Judge(c) {
						if f.Outcome == Fail {
							b.Fatal(f.Message)
						}
					}
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapSys)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
				b.ReportMetric(float64(most)/float64(n), "heap-B/row")
			})
		}
	}
}
