package probe

import "math"

// counterExplains: the estimate is the count of the current window, and that
// of the one before by the share of it that still lies in the trailing window.
// Strict ones admit while estimate + 1 ≤ limit: they keep a margin of 1. Others
// admit while estimate < limit, which is a margin of 0, and the same as rounding
// down; those that round to the nearest number keep one of a half.
func counterExplains(consuming bool, margin float64, from reference) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		g, ok := gridOf(from(t), b[window], b[boundary])
		return ok && g.counts(t, b, consuming, margin, 0, math.Inf(1))
	}
}

// restartedExplains is the same where the windows begin anew with the first
// request after the counter has been forgotten.
func restartedExplains(consuming bool, margin float64) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		return t.restarts(b, consuming, margin, 0, make([]bool, len(t.batches)+1))
	}
}

// restarts follows the batches from one on, with which the windows began anew.
// A silence may or may not have been long enough for that. Vain are those from
// which nothing explains the rest.
func (t *track) restarts(b *box, consuming bool, margin float64, first int, vain []bool) bool {
	if first == len(t.batches) {
		return true
	}
	if vain[first] {
		return false
	}
	from := &t.batches[first]
	if from.idle() && t.restarts(b, consuming, margin, first+1, vain) {
		return true
	}
	g, _ := gridOf(span{from.firstFrom, from.firstTo}, b[window], span{0, 0})
	for last := first; ; {
		next, certain := t.until(last, b)
		if !g.counts(t, b, consuming, margin, from.firstFrom, t.batches[next].lastTo) {
			break
		}
		if t.restarts(b, consuming, margin, next+1, vain) {
			return true
		}
		if certain {
			break
		}
		last = next + 1
	}
	vain[first] = true
	return false
}

// until returns the last batch, from one on, before a silence after which the
// counter may have been forgotten, and whether it was for certain. Some forget
// after two windows without a request, some when a second window begins
// without one since the last began.
func (t *track) until(i int, b *box) (last int, certain bool) {
	since := t.batches[i].lastFrom // of what counted for certain
	for ; i+1 < len(t.batches); i++ {
		before, after := &t.batches[i], &t.batches[i+1]
		if !before.idle() {
			since = before.lastFrom
			if before.doubtful() {
				since = before.firstFrom
			}
		}
		if after.firstTo-since >= b[window].lo {
			return i, after.firstFrom-before.lastTo >= 2*b[window].hi
		}
	}
	return i, true
}

// counts judges what lies between two moments by a sliding counter.
func (g grid) counts(t *track, b *box, consuming bool, margin, from, to float64) bool {
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
	for i := range t.batches {
		a := &t.batches[i]
		if a.firstFrom < from || a.lastTo > to {
			continue
		}
		// The last of a batch that was admitted had the others before it.
		if n := a.admitted.len(); n > 0 {
			others := float64(n - 1)
			if !g.someWindow(a.firstFrom, a.lastTo, func(k float64) bool {
				past := share((a.lastTo - g.begins(k)) / g.window.lo)
				least := g.surely(sure, k-1, math.Inf(1))*(1-past) + g.surely(sure, k, a.firstFrom)
				if g.first(a.firstFrom) == g.last(a.lastTo) {
					least += others
				}
				return admits(least * (1 - rounding))
			}) {
				return false
			}
		}
		for j := range a.rejected.len() {
			from, to := a.rejected.from[j], a.rejected.to[j]
			if !g.someWindow(from, to, func(k float64) bool {
				past := share((from - g.beginsLate(k)) / g.window.hi)
				most := g.perhaps(perhaps, k-1, to)*(1-past) + g.perhaps(perhaps, k, to) - self
				return rejects(most * (1 + rounding))
			}) {
				return false
			}
		}
	}
	return true
}

// rounding is what arithmetic with whole nanoseconds and floating points may
// shift an estimate by, as a share of it.
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
