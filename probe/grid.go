package probe

import "math"

// A grid is windows of one length that follow each other, of which length and
// place are known to an interval: window 0 begins at the boundary.
type grid struct {
	window    span
	boundary  span
	reference float64 // by then window −1 had begun
}

// gridOf puts the first boundary some time after the reference. It comes within
// one window, or it would not be the first.
func gridOf(reference span, window, after span) (grid, bool) {
	return grid{window, span{reference.lo + after.lo, reference.hi + min(after.hi, window.hi)}, reference.hi}, after.lo < window.hi
}

// begins and beginsLate return when a window begins at the earliest and at the
// latest.
func (g grid) begins(k float64) float64 {
	if k < 0 {
		return g.boundary.lo + k*g.window.hi
	}
	return g.boundary.lo + k*g.window.lo
}

func (g grid) beginsLate(k float64) float64 {
	if k < 0 {
		return min(g.reference, g.boundary.hi+k*g.window.lo)
	}
	return g.boundary.hi + k*g.window.hi
}

// first and last return the indices of the windows that a moment may lie in;
// nothing that was seen lies before window −1.
func (g grid) first(at float64) float64 {
	if at < g.boundary.hi {
		return -1
	}
	return math.Floor((at - g.boundary.hi) / g.window.hi)
}

func (g grid) last(at float64) float64 {
	if at < g.boundary.lo {
		return -1
	}
	return math.Floor((at - g.boundary.lo) / g.window.lo)
}

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
	limit    = iota // requests
	window          // ns
	boundary        // ns from the reference to the first boundary
)

// A reference is what boundaries are counted from.
type reference func(*track) span

// byClock counts from the first request of all, byKey from the first of a key.
func byClock(t *track) span { return span{t.began, t.began} }

// byKey: the first that came for certain may not have been the first, so it is
// only the latest that it can have been.
func byKey(t *track) span {
	first := &t.batches[0]
	latest := math.Inf(1)
	if t.known.len() > 0 {
		latest = t.known.to[0]
	} else {
		latest = t.all.to[t.all.len()-1]
	}
	return span{first.firstFrom, latest}
}

// alignedExplains: each window of the grid admits up to the limit, and rejects
// only when so many may have been spent in it.
func alignedExplains(from reference) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		g, ok := gridOf(from(t), b[window], b[boundary])
		if !ok {
			return false
		}
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
	before := t.known.overBefore(a.firstFrom) - above(t.known.from, a.admitted.to[a.admitted.len()-1]-b[window].lo)
	return float64(before) < b[limit].hi
}
