package probe

import "math"

// A grid is windows of one length that follow each other, of which length and
// place are known to an interval: window 0 begins at the boundary.
type grid struct {
	window    span
	boundary  span
	reference float64 // by then window −1 had begun
	earliest  float64 // the first window that there was: −1, or 0 where it opened at the boundary
}

// gridOf puts the first boundary some time after the reference. It comes within
// one window, or it would not be the first.
func gridOf(reference span, window, after span) (grid, bool) {
	return grid{window, span{reference.lo + after.lo, reference.hi + min(after.hi, window.hi)}, reference.hi, -1}, after.lo < window.hi
}

// opened is the grid of a counter that is made by the first request, within
// some time.
func opened(by, window span) grid { return grid{window: window, boundary: by, reference: by.hi} }

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
// nothing that is judged lies before the earliest.
func (g grid) first(at float64) float64 {
	if at < g.boundary.hi {
		return g.earliest
	}
	return math.Floor((at - g.boundary.hi) / g.window.hi)
}

func (g grid) last(at float64) float64 {
	if at < g.boundary.lo {
		return g.earliest
	}
	return math.Floor((at - g.boundary.lo) / g.window.lo)
}

// forgotten reports whether a window was before the counter was made.
func (g grid) forgotten(k float64) bool { return g.earliest == 0 && k < 0 }

// surely counts, of some moments that are over before a bound, those that lie
// in a window for certain.
func (g grid) surely(m moments, k, before float64) float64 {
	if g.forgotten(k) {
		return 0
	}
	return float64(max(0, m.overBefore(min(before, g.begins(k+1)))-countBelow(m.from, g.beginsLate(k))))
}

// perhaps counts, of some moments that have begun by a bound, those that may
// lie in a window.
func (g grid) perhaps(m moments, k, by float64) float64 {
	if g.forgotten(k) {
		return 0
	}
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
	latest := t.all.to[t.all.len()-1]
	if t.known.len() > 0 {
		latest = t.known.to[0]
	}
	return span{first.firstFrom, latest}
}
