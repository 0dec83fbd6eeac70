package probe

import "math"

// Axes of a stepped bucket.
const (
	capacity = iota // requests
	step            // requests that come back at once
	interval        // ns
	stepAt          // ns from the reference to the first step
)

// steppedExplains follows the least and the most that the bucket may hold.
// Steps that may have come early or late are taken as late for the least and
// as early for the most, with nothing lost to a full bucket.
func steppedExplains(from reference) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		if b[step].lo >= b[capacity].hi {
			return false // that is a fixed window
		}
		g, ok := gridOf(from(t), b[interval], b[stepAt])
		if !ok {
			return false
		}
		least, most := b[capacity].lo, b[capacity].hi
		sure, perhaps := math.Inf(-1), math.Inf(-1) // indices up to which steps have been added
		for i := range t.batches {
			a := &t.batches[i]
			first, last := g.first(a.firstFrom), g.last(a.lastTo)
			if !math.IsInf(sure, -1) {
				least = min(b[capacity].lo, least+b[step].lo*max(0, first-perhaps))
				most = min(b[capacity].hi, most+b[step].hi*max(0, last-sure))
			}
			if most < float64(a.admitted.len()) && most+b[step].hi*(last-first) < float64(a.admitted.len()) {
				return false
			}
			most = max(0, most-float64(a.admitted.len()))
			least = max(0, least-float64(a.spent.len()))
			if n := a.rejected.len(); n > 0 {
				if least >= 1 {
					return false
				}
				most = min(most, b[step].hi*(last-g.first(a.rejected.from[n-1])))
				least = 0
			}
			sure, perhaps = first, last
		}
		return true
	}
}
