package probe

import "math"

// A grid is windows of one length that follow each other, of which length and
// phase are known to an interval: the window of index k begins between
// begins(k) and may begin as late as beginsLate(k).
type grid struct {
	window span
	origin span // a boundary at or before everything that was seen
}

// gridOf puts the phase, a share of the window, before the reference.
func gridOf(reference span, window, phase span) grid {
	return grid{window, span{reference.lo - phase.hi*window.hi, reference.hi - phase.lo*window.lo}}
}

func (g grid) begins(k float64) float64     { return g.origin.lo + k*g.window.lo }
func (g grid) beginsLate(k float64) float64 { return g.origin.hi + k*g.window.hi }

// first and last return the indices of the windows that a moment may lie in.
func (g grid) first(at float64) float64 { return math.Floor((at - g.origin.hi) / g.window.hi) }
func (g grid) last(at float64) float64  { return math.Floor((at - g.origin.lo) / g.window.lo) }

// surely counts, of some moments that are over before a bound, those that lie
// in a window for certain.
func (g grid) surely(m moments, k, before float64) float64 {
	return float64(max(0, m.overBefore(min(before, g.begins(k+1)))-countBelow(m.from, g.beginsLate(k))))
}

// perhaps counts, of some moments that have begun by a bound, those that may
// lie in a window.
func (g grid) perhaps(m moments, k, by float64) float64 {
	return float64(max(0, m.begunBy(min(by, g.beginsLate(k+1)))-m.overBefore(g.begins(k))))
}

func countBelow(sorted []float64, bound float64) int {
	low, high := 0, len(sorted)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if sorted[mid] < bound {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// Axes of windows.
const (
	limit  = iota // requests
	window        // ns
	phase         // share of a window by which a boundary lies before the reference
)

// references return where phases are counted from: the clock of the run, or
// the first request of a key.
func clockReference(*track) span { return span{0, 0} }
func keyReference(t *track) span { return span{t.batches[0].firstFrom, t.batches[0].firstTo} }

// alignedExplains: each window of the grid admits up to the limit, and rejects
// only when so many may have been spent in it.
func alignedExplains(reference func(*track) span) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		g := gridOf(reference(t), b[window], b[phase])
		current, used := math.Inf(-1), 0.0
		for j := range t.admitted.len() {
			if k := g.first(t.admitted.from[j]); k > current {
				current, used = k, 0
			}
			if used >= b[limit].hi {
				current, used = current+1, 0
			}
			if current > g.last(t.admitted.to[j]) {
				return false
			}
			used++
		}
		for i := range t.batches {
			r := &t.batches[i].rejected
			for j := range r.len() {
				begun := t.spent.begunBy(r.to[j])
				if over := t.spent.overBefore(g.begins(g.first(r.from[j]))); float64(begun-over) < b[limit].lo {
					return false
				}
			}
		}
		return true
	}
}

// logExplains: one more than the limit takes longer than the window, and a
// rejection has the limit behind it.
func logExplains(consuming bool) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		counted := t.spent
		if consuming {
			counted = t.all
		}
		n := int(b[limit].hi)
		for j := n; j < t.admitted.len(); j++ {
			if t.admitted.to[j]-t.admitted.from[j-n] < b[window].lo {
				return false
			}
		}
		for i := range t.batches {
			a := &t.batches[i]
			for j := range a.rejected.len() {
				perhaps := counted.begunBy(a.rejected.to[j]) - above(counted.to, a.rejected.from[j]-b[window].hi)
				if consuming {
					perhaps-- // itself
				}
				if float64(perhaps) < b[limit].lo {
					return false
				}
			}
			if consuming && i > 0 && !t.roomInLog(a, b) {
				return false
			}
		}
		return true
	}
}

// roomInLog reports whether the first admission of a batch may have found room
// in a log that notes rejected requests, too.
func (t *track) roomInLog(a *batch, b *box) bool {
	if a.admitted.len() == 0 {
		return true
	}
	before := t.all.overBefore(a.firstFrom) - above(t.all.from, a.admitted.to[a.admitted.len()-1]-b[window].lo)
	return float64(before) < b[limit].hi
}
