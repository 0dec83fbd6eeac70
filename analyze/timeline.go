package analyze

import (
	"time"

	"duckload/history"
	"duckload/limiter"
)

// mostBins is how many bins a timeline has at most, so that it can be drawn.
const mostBins = 300

// fineBins is how many are kept while the length of the run is not known.
const fineBins = 8000

// A timeline counts requests over time, in memory that does not grow with
// their number or with the length of the run.
type timeline struct {
	bin  time.Duration
	bins [][4]int // offered, and by outcome
}

func newTimeline() *timeline { return &timeline{bin: time.Millisecond} }

// Observe takes the next observation. An attempt that the transport sent again
// is no request of its own: it is counted as unknown, but not as offered.
func (t *timeline) Observe(o *history.Observation, outcome limiter.Outcome) {
	at := max(o.Sent, 0)
	for at/t.bin >= fineBins {
		t.bins = merged(t.bins, 10)
		t.bin *= 10
	}
	i := int(at / t.bin)
	for len(t.bins) <= i {
		t.bins = append(t.bins, [4]int{})
	}
	if !o.Resent {
		t.bins[i][0]++
	}
	t.bins[i][1+outcome]++
}

// merged joins every n bins to one.
func merged(bins [][4]int, n int) [][4]int {
	all := make([][4]int, (len(bins)+n-1)/n)
	for i, bin := range bins {
		for k, count := range bin {
			all[i/n][k] += count
		}
	}
	return all
}

// summary returns the timeline in bins of 1, 2 or 5 times a power of ten, the
// narrowest of which there are not too many.
func (t *timeline) summary() Timeline {
	bins, bin := t.bins, t.bin
	for _, n := range []int{1, 2, 5, 10, 20, 50} {
		if bins, bin = merged(t.bins, n), t.bin*time.Duration(n); len(bins) <= mostBins {
			break
		}
	}
	all := Timeline{Bin: bin}
	for _, b := range bins {
		all.Offered = append(all.Offered, b[0])
		all.Unknown = append(all.Unknown, b[1+limiter.Unknown])
		all.Admitted = append(all.Admitted, b[1+limiter.Admitted])
		all.Rejected = append(all.Rejected, b[1+limiter.Rejected])
	}
	return all
}
