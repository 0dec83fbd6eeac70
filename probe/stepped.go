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
	explains := onGrid(from, interval, followSteps)
	return func(t *track, b *box) bool {
		return b[step].lo < b[capacity].hi && explains(t, b) // else it is a fixed window
	}
}

func followSteps(t *track, g grid, b *box, some []batch) bool {
	least, most := 0.0, b[capacity].hi
	if &some[0] == &t.batches[0] {
		least = b[capacity].lo
	}
	sure, perhaps := math.Inf(-1), math.Inf(-1) // indices up to which steps have been added
	for i := range some {
		a := &some[i]
		first, last := g.first(a.firstFrom), g.last(a.lastTo)
		if !math.IsInf(sure, -1) {
			least = min(b[capacity].lo, least+b[step].lo*max(0, first-perhaps))
			most = min(b[capacity].hi, most+b[step].hi*max(0, last-sure))
		}
		if n := float64(a.admitted.len()); most+b[step].hi*(last-first) < n {
			return false
		}
		most = max(0, most-float64(a.admitted.len()))
		least = max(0, least-float64(a.spent.len()))
		if a.rejected.len() > 0 {
			if least >= 1 {
				return false
			}
			// Nothing was left when the last was refused, and steps that the
			// batch may have had are added with those of the next.
			most, least = 0, 0
		}
		sure, perhaps = first, last
	}
	return true
}
