package analyze

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// The witness of a ceiling is a stretch that breaks the rule, and none breaks
// it with fewer requests.
func TestTheWitnessOfACeilingIsTheSmallest(t *testing.T) {
	broken := 0
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t, 12, 300*time.Millisecond)
		reading := rapid.SampledFrom(limiter.Readings).Draw(t, "reading")
		l := limiter.Limit{Limit: rapid.Int64Range(1, 3).Draw(t, "limit"), Burst: rapid.Int64Range(1, 3).Draw(t, "burst"), Window: 100 * time.Millisecond, Granularity: time.Millisecond, Reading: reading}
		s := strand{rows: rows, lag: stale(l.Clock())}.spans(admittedRow)
		for _, r := range envelope(l) {
			fewest := math.MaxInt
			for _, a := range s.from {
				for _, b := range s.to {
					n := 0
					for i := range s.from {
						if a <= s.from[i] && s.to[i] <= b {
							n++
						}
					}
					if a <= b && r.brokenBy(n, excess{a, b}) {
						fewest = min(fewest, n)
					}
				}
			}
			x, found := s.exceed(r)
			if found != (fewest < math.MaxInt) {
				t.Fatalf("%s: got a stretch that breaks the rule: %v, want %v", r.words, found, !found)
			}
			if !found {
				continue
			}
			broken++
			x = s.smallest(r, x)
			n := len(s.within(x.from, x.to))
			if !r.brokenBy(n, x) || n != fewest {
				t.Fatalf("%s: got a stretch with %d requests that breaks the rule: %v, want one with %d", r.words, n, r.brokenBy(n, x), fewest)
			}
		}
	})
	if broken == 0 {
		t.Error("got no history that breaks a rule, want some")
	}
}

// drawRows draws up to so many rows within some time, in order of Sent. Their
// moments are whole milliseconds.
func drawRows(t *rapid.T, most int, within time.Duration) []Row {
	n := rapid.IntRange(1, most).Draw(t, "requests")
	var rows []Row
	at := time.Duration(0)
	for i := range n {
		at += time.Duration(rapid.IntRange(0, int(within/time.Millisecond)/n).Draw(t, "gap")) * time.Millisecond
		r := Row{Sent: at, Answered: at, Ordinal: uint32(i), Outcome: limiter.Admitted}
		r.Answered += time.Duration(rapid.SampledFrom([]int{0, 0, 1, 7, 40, 90}).Draw(t, "takes")) * time.Millisecond
		if rapid.IntRange(0, 4).Draw(t, "rejected") == 0 {
			r.Outcome = limiter.Rejected
		}
		rows = append(rows, r)
	}
	return rows
}
