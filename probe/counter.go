package probe

import "math"

// counterExplains: the estimate is the count of the current window, and that
// of the one before by the share of it that still lies in the trailing window.
// Strict ones admit while estimate + 1 ≤ limit: they keep a margin of 1. Others
// admit while estimate < limit, which is a margin of 0, and the same as rounding
// down; those that round to the nearest number keep one of a half.
func counterExplains(consuming bool, margin float64, from reference) func(*track, *box) bool {
	return onGrid(from, window, func(t *track, g grid, b *box, some []batch) bool {
		for i := range some {
			if !g.counts(t, b, consuming, margin, &some[i]) {
				return false
			}
		}
		return true
	})
}

// restartedExplains is the same where the windows begin anew with the first
// request after the counter has been forgotten.
func restartedExplains(consuming bool, margin float64) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		r := restarts{track: t, box: b, consuming: consuming, margin: margin}
		r.vain[0], r.vain[1] = make([]bool, len(t.batches)+1), make([]bool, len(t.batches)+1)
		return r.explain(0, false)
	}
}

// restarts looks for moments at which a counter may have begun anew. Vain are
// the batches from which on nothing explains the rest, by whether the counter
// begins with the batch or amid it.
type restarts struct {
	*track
	*box
	consuming bool
	margin    float64
	vain      [2][]bool
}

// explain follows the batches from one on. With its first decision the windows
// begin; or with some decision of it, and then which of it were decided since
// is not known. A silence may or may not have been long enough to begin anew.
func (r *restarts) explain(first int, amid bool) bool {
	if first == len(r.batches) {
		return true
	}
	vain := &r.vain[int(boolean(amid))][first]
	if *vain {
		return false
	}
	*vain = true // until it turns out not to be
	from := &r.batches[first]
	begins, next := span{from.firstFrom, from.firstTo}, first
	if amid {
		begins.hi, next = from.lastTo, first+1
	} else if from.idle() && r.explain(first+1, false) {
		return true
	}
	g := opened(begins, r.box[window])
	since := from.firstFrom // of what counted for certain, the last
	for ; next < len(r.batches); next++ {
		a := &r.batches[next]
		if next > first {
			// Some forget after two windows without a request, some when a
			// second window begins without one since the last began.
			if a.firstTo-since >= r.box[window].lo && r.explain(next, false) {
				return true
			}
			if a.firstFrom-r.batches[next-1].lastTo >= 2*r.box[window].hi {
				return false
			}
		}
		if a.all() > 1 && a.lastTo-a.firstFrom >= r.box[window].lo && r.explain(next, true) {
			return true
		}
		if !g.counts(r.track, r.box, r.consuming, r.margin, a) {
			return false
		}
		if !a.idle() {
			since = a.lastFrom
		}
	}
	return true
}

// counts judges a batch by a sliding counter.
func (g grid) counts(t *track, b *box, consuming bool, margin float64, a *batch) bool {
	sure, perhaps := t.admitted, t.spent
	admits := func(estimate float64) bool { return estimate <= b[limit].hi-margin }
	rejects := func(estimate float64) bool {
		return estimate > b[limit].lo-margin || margin < 1 && estimate == b[limit].lo-margin
	}
	if margin == 0 {
		admits = func(estimate float64) bool { return estimate < b[limit].hi }
	}
	self := 0.0
	if consuming {
		sure, perhaps, self = t.known, t.all, 1
	}
	// The last that was admitted had before it what was over when the batch
	// began, and the others, which lie in its window or in the one before.
	// Besides, it had before it whatever is sure to lie in the one before.
	if n := a.admitted.len(); n > 0 {
		from, to, first := a.admitted.from[n-1], a.admitted.to[n-1], g.first(a.firstFrom)
		if !g.someWindow(from, to, func(k float64) bool {
			past := share((to - g.begins(k)) / g.window.lo)
			weight := (1 - past) * (1 - rounding)
			others := 0.0
			switch {
			case first >= k:
				others = float64(n - 1)
			case first >= k-1:
				others = float64(n-1) * weight
			}
			here := g.surely(sure, k, a.firstFrom)
			return admits(here + max(g.surely(sure, k-1, math.Inf(1))*weight, g.surely(sure, k-1, a.firstFrom)*weight+others))
		}) {
			return false
		}
	}
	for j := range a.rejected.len() {
		from, to := a.rejected.from[j], a.rejected.to[j]
		if !g.someWindow(from, to, func(k float64) bool {
			past := share((from - g.beginsLate(k)) / g.window.hi)
			weight := min(1, (1-past)*(1+rounding))
			return rejects(g.perhaps(perhaps, k-1, to)*weight + g.perhaps(perhaps, k, to) - self)
		}) {
			return false
		}
	}
	return true
}

// rounding is what arithmetic with whole nanoseconds and floating points may
// shift the weight of the window before by, as a share of it.
const rounding = 1e-7

// someWindow reports whether something holds in one of the windows that a
// stretch may lie in. In too many of them it is taken to.
func (g grid) someWindow(from, to float64, holds func(k float64) bool) bool {
	first, last := g.first(from), g.last(to)
	if last-first > 3 {
		return true
	}
	for k := first; k <= last; k++ {
		if holds(k) {
			return true
		}
	}
	return false
}

func share(x float64) float64 { return min(1, max(0, x)) }
