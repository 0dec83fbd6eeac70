package probe

import "math"

// alignedExplains: each window of the grid admits up to the limit, and rejects
// only when so many may have been spent in it.
func alignedExplains(from reference) func(*track, *box) bool {
	return onGrid(from, window, func(t *track, g grid, b *box, some []batch) bool {
		current, used := math.Inf(-1), 0.0
		for i := range some {
			admitted := &some[i].admitted
			for j := range admitted.len() {
				if k := g.first(admitted.from[j]); k > current {
					current, used = k, 0
				}
				if used >= b[limit].hi {
					current, used = current+1, 0
				}
				if current > g.last(admitted.to[j]) {
					return false
				}
				used++
			}
		}
		for i := range some {
			r := &some[i].rejected
			for j := range r.len() {
				begun := t.spent.begunBy(r.to[j])
				if over := t.spent.overBefore(g.begins(g.first(r.from[j]))); float64(begun-over) < b[limit].lo {
					return false
				}
			}
		}
		return true
	})
}
