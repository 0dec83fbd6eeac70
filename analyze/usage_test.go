package analyze

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// spentAt is M(u, d) − rate·(d − u) at its largest over u, counted one by one.
func spentAt(spent spans, d time.Duration, rate float64) float64 {
	most := math.Inf(-1)
	for _, u := range append(slices.Clone(spent.ends), d) {
		if u > d {
			continue
		}
		n := 0.0
		for i := range spent.from {
			if spent.from[i] <= d && spent.to[i] >= u {
				n++
			}
		}
		most = max(most, n-rate*float64(d-u))
	}
	return most
}

func TestTheLeastIsThatOfADecisiveRejection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []Row
		var at time.Duration
		for range rapid.IntRange(1, 30).Draw(t, "rows") {
			at += time.Duration(rapid.IntRange(0, 3).Draw(t, "gap")) * time.Second
			rows = append(rows, Row{
				Sent: at, Answered: at + time.Duration(rapid.IntRange(0, 5).Draw(t, "length"))*time.Second,
				Outcome: limiter.Outcome(rapid.IntRange(1, 2).Draw(t, "outcome")),
			})
		}
		rate := rapid.SampledFrom([]float64{0.1, 0.5, 1, 3}).Draw(t, "rate") / 1e9
		spent := spansOf(rows, time.Millisecond, isAdmitted)
		asked := spansOf(rows, time.Millisecond, func(r Row) bool { return r.Outcome == limiter.Rejected })
		want := math.Inf(1)
		for i := range asked.from {
			most := spentAt(spent, asked.from[i], rate)
			for _, d := range spent.from {
				if asked.from[i] <= d && d <= asked.to[i] {
					most = max(most, spentAt(spent, d, rate))
				}
			}
			want = min(want, most)
		}
		got := math.Inf(1)
		usage{rate: rate, fresh: true}.used(spent, asked.decisive(spent), func(_ int, most float64) { got = min(got, most) })
		if got != want && math.Abs(got-want) > 2*slack {
			t.Errorf("got %v spent at most at the tightest rejection, want %v", got, want)
		}
	})
}
