package sizing

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
	"duckload/trace"
)

// A sent is one request of a small recording.
type sent struct {
	at  int64
	key string
}

func spoolOf(t interface{ Fatal(...any) }, all []sent) *trace.Spool {
	s := trace.NewSpool("")
	for _, r := range all {
		if err := s.Add(r.at, r.key); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	return s
}

// some draws a recording with bursts, pauses and a few clients.
func some(t *rapid.T) []sent {
	gaps := []int64{0, 1, int64(time.Millisecond), int64(700 * time.Millisecond), int64(3 * time.Second), int64(61 * time.Second)}
	keys := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 60).Draw(t, "clients")
	at := rapid.Int64Range(0, 1_800_000_000_000_000_000).Draw(t, "from")
	all := make([]sent, len(keys))
	for i, key := range keys {
		at += rapid.SampledFrom(gaps).Draw(t, "gap") * rapid.Int64Range(1, 3).Draw(t, "times")
		all[i] = sent{at, key}
	}
	return all
}

// rejectedBy asks an executable limiter, one for each client or one for all.
func rejectedBy(t *rapid.T, all []sent, l limiter.Limit, scope Scope) (n int) {
	states := map[string]limiter.Limiter{}
	for _, r := range all {
		key := r.key
		if scope == All {
			key = ""
		}
		state, ok := states[key]
		if !ok {
			var err error
			if state, err = limiter.ModelOf(l).New(l); err != nil {
				t.Fatal(err)
			}
		}
		d, after := state.Take(time.Duration(r.at - all[0].at + all[0].at%int64(l.Window)))
		states[key] = after
		if !d.OK {
			n++
		}
	}
	return n
}

func least(t *rapid.T, what string, most int64, enough func(x int64) bool) int64 {
	for x := int64(1); x <= most; x++ {
		if enough(x) {
			return x
		}
	}
	t.Fatalf("%s: nothing up to %d is enough", what, most)
	return 0
}

// What is found in a few passes is what one finds by trying everything with the
// executable limiters.
func TestSizesAreThoseOfBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := some(t)
		documented := limiter.Limit{
			Limit: rapid.Int64Range(1, 30).Draw(t, "limit"), Window: rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, time.Minute}).Draw(t, "window"),
			Burst: rapid.Int64Range(1, 20).Draw(t, "burst"), Reading: limiter.TokenBucket,
		}
		windowed := limiter.Limit{Limit: documented.Limit, Window: documented.Window,
			Reading: rapid.SampledFrom([]limiter.Reading{limiter.FixedWindow, limiter.SlidingLog, limiter.SlidingCounter}).Draw(t, "reading")}
		shares := []float64{0, 0.1, 0.34}
		a, err := Size(spoolOf(t, all), Question{Documented: &documented, Candidates: []limiter.Limit{windowed}, Shares: shares})
		if err != nil {
			t.Fatal(err)
		}
		n := int64(len(all))
		for _, v := range a.Views {
			if want := rejectedBy(t, all, documented, v.Scope); v.Documented.Rejected != want {
				t.Fatalf("%s: %d rejected by %v, want %d", v.Scope, v.Documented.Rejected, documented, want)
			}
			if want := rejectedBy(t, all, windowed, v.Scope); v.Candidates[0].Rejected != want {
				t.Fatalf("%s: %d rejected by %v, want %d", v.Scope, v.Candidates[0].Rejected, windowed, want)
			}
			lost := func(change func(*limiter.Limit)) int {
				l := documented
				change(&l)
				return rejectedBy(t, all, l, v.Scope)
			}
			for i, need := range v.Needs {
				want := int(shares[i] * float64(n))
				burst := least(t, "burst", n, func(x int64) bool { return lost(func(l *limiter.Limit) { l.Burst = x }) <= want })
				if *need.Burst != burst {
					t.Fatalf("%s: burst %d for %g, want %d", v.Scope, *need.Burst, need.Share, burst)
				}
				window := least(t, "window", n, func(x int64) bool {
					return lost(func(l *limiter.Limit) { l.Reading, l.Burst, l.Limit = limiter.FixedWindow, 0, x }) <= want
				})
				if need.Window != window {
					t.Fatalf("%s: window of %d for %g, want %d", v.Scope, need.Window, need.Share, window)
				}
				if need.Limit != nil && *need.Limit < 500 {
					limit := least(t, "limit", 600, func(x int64) bool { return lost(func(l *limiter.Limit) { l.Limit = x }) <= want })
					if *need.Limit != limit {
						t.Fatalf("%s: limit %d for %g, want %d", v.Scope, *need.Limit, need.Share, limit)
					}
				}
				if need.Limit == nil && lost(func(l *limiter.Limit) { l.Limit = 1e9 }) <= want {
					t.Fatalf("%s: no limit for %g, but a very great one is enough", v.Scope, need.Share)
				}
			}
			log := least(t, "log", n, func(x int64) bool {
				return lost(func(l *limiter.Limit) { l.Reading, l.Burst, l.Limit = limiter.SlidingLog, 0, x }) == 0
			})
			if *v.Needs[0].Log != log {
				t.Fatalf("%s: sliding log of %d, want %d", v.Scope, *v.Needs[0].Log, log)
			}
			for _, p := range v.Curve {
				if p.Limit > 1e6 {
					continue
				}
				if want := least(t, "curve", n, func(x int64) bool {
					return lost(func(l *limiter.Limit) { l.Limit, l.Burst = p.Limit, x }) == 0
				}); p.Bursts[0] != want {
					t.Fatalf("%s: the curve has %d at %d, want %d", v.Scope, p.Bursts[0], p.Limit, want)
				}
			}
		}
	})
}

// Growth divides every gap: the numbers are those of a recording played faster.
func TestGrowthIsTheSameTrafficFaster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := some(t)
		factor := rapid.SampledFrom([]int64{2, 3, 10}).Draw(t, "factor")
		faster := make([]sent, len(all))
		for i, r := range all {
			all[i].at = r.at / 1e6 * 1e6 // whole multiples, so that nothing is rounded
			faster[i] = sent{all[i].at / factor, r.key}
		}
		for i := range all {
			all[i].at = faster[i].at * factor
		}
		documented := limiter.Limit{Limit: rapid.Int64Range(1, 50).Draw(t, "limit"), Window: time.Minute, Burst: rapid.Int64Range(1, 9).Draw(t, "burst"), Reading: limiter.TokenBucket}
		a, err := Size(spoolOf(t, all), Question{Documented: &documented, Growth: []float64{float64(factor)}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Size(spoolOf(t, faster), Question{Documented: &documented})
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Views {
			grown, now := a.Views[i].Growth[0], b.Views[i]
			if grown.Burst != *now.Needs[0].Burst || grown.Loss.Rejected != now.Documented.Rejected {
				t.Fatalf("%s: grown %d times needs %d and loses %d, played faster %d and %d", now.Scope, factor,
					grown.Burst, grown.Loss.Rejected, *now.Needs[0].Burst, now.Documented.Rejected)
			}
			if diff := grown.Loss.LongestWait - now.Documented.LongestWait; diff > 1e-6 || diff < -1e-6 {
				t.Fatalf("%s: waits %g, played faster %g", now.Scope, grown.Loss.LongestWait, now.Documented.LongestWait)
			}
			if (grown.Ask == nil) != (now.Needs[0].Ratio == nil) || grown.Ask != nil && *grown.Ask != *now.Needs[0].Ratio {
				t.Fatalf("%s: asks for %v, played faster for %v", now.Scope, grown.Ask, now.Needs[0].Ratio)
			}
		}
	})
}

// A story that can be checked by hand.
func TestASteadyClientWithAMorningBurst(t *testing.T) {
	var all []sent
	day := int64(86400e9)
	for d := range int64(3) {
		for i := range int64(20 + 10*d) { // at once: 20, 30, 40
			all = append(all, sent{d*day + i, "robot"})
		}
		for i := range int64(30) { // then one each second
			all = append(all, sent{d*day + (i+1)*1e9, "robot"})
		}
	}
	documented := limiter.Limit{Limit: 60, Window: time.Minute, Burst: 25, Reading: limiter.TokenBucket}
	a, err := Size(spoolOf(t, all), Question{Documented: &documented})
	if err != nil {
		t.Fatal(err)
	}
	v := a.Views[0]
	got := fmt.Sprint(v.Scope, v.Daily, v.Documented.Rejected, v.Documented.ClientsRejected, *v.Needs[0].Burst, a.Traffic.Days, a.Traffic.Together, a.Traffic.Busiest.Count)
	// Of 30 at once 5 are rejected, of 40 15; the bucket is then empty, and one
	// a second is what it gives back (a nanosecond late counts: the first of the
	// seconds comes 1 s after the first of the burst).
	if want := "all together[20 30 40] 20 1 40 3 1 70"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if wait := v.Documented.LongestWait; wait < 14.9 || wait > 15 {
		t.Errorf("the last of 40 waits %g s, want 15", wait)
	}
}

func TestNothingIsNotSized(t *testing.T) {
	if _, err := Size(spoolOf(t, nil), Question{}); err == nil {
		t.Error("an empty recording has a size")
	}
}
