package probe

import (
	"math"
)

// An expiry is a counter that ends a window after something happened: what,
// makes the family.
type expiry struct {
	each     bool // an admission begins the window anew
	rejected bool // a rejection does, too
}

// A counting is one way in which such a counter may stand.
type counting struct {
	since       span    // when the window began, or began anew
	least, most float64 // what it has counted
	unused      bool
}

// mostWays bounds the ways that are followed; beyond it anything is taken to
// be possible.
const mostWays = 24

// explains follows every way in which the windows may lie.
func (e expiry) explains(t *track, b *box) bool {
	ways := []counting{{unused: true}}
	var next []counting
	for i := range t.batches {
		next = next[:0]
		for _, w := range ways {
			next = e.follow(next, w, &t.batches[i], b)
		}
		if len(next) == 0 {
			return false
		}
		if len(next) > mostWays {
			return true
		}
		ways, next = merged(next), ways
	}
	return true
}

// follow adds the ways in which a counter may stand after a batch.
func (e expiry) follow(all []counting, w counting, a *batch, b *box) []counting {
	admitted, spent := float64(a.admitted.len()), float64(a.spent.len())
	if a.idle() {
		all = append(all, w) // perhaps nothing happened
	}
	if !w.unused && a.lastFrom < w.since.hi+b[window].hi {
		if x := w; e.goOn(&x, a, b, admitted, spent) {
			all = append(all, x)
		}
	}
	if w.unused || w.since.lo+b[window].lo <= a.firstTo {
		if x, ok := e.begin(w, a, b, admitted, spent); ok {
			all = append(all, x)
		}
	}
	if a.lastTo-a.firstFrom >= b[window].lo && a.all() > 1 {
		return append(all, counting{since: span{a.firstFrom, a.lastTo}, least: 0, most: b[limit].hi}) // whole windows amid it
	}
	if !w.unused && a.all() > 1 && w.since.lo+b[window].lo <= a.lastTo && a.firstFrom < w.since.hi+b[window].hi {
		// It may have ended amid the batch. Whatever came before, the new
		// window has at most all of it.
		if w.least+admitted <= 2*b[limit].hi && (a.rejected.len() == 0 || w.most+spent >= b[limit].lo) {
			all = append(all, counting{since: span{a.firstFrom, a.lastTo}, least: 0, most: min(b[limit].hi, spent)})
		}
	}
	return all
}

// goOn counts a batch into the same window.
func (e expiry) goOn(w *counting, a *batch, b *box, admitted, spent float64) bool {
	w.least, w.most = w.least+admitted, min(b[limit].hi, w.most+spent)
	if w.least > b[limit].hi {
		return false
	}
	if a.rejected.len() > 0 {
		if w.most < b[limit].lo {
			return false
		}
		w.least = max(w.least, b[limit].lo)
	}
	switch {
	case e.rejected && a.doubtful():
		w.since.hi = a.lastTo
	case e.rejected, e.each && !a.doubtful() && a.admitted.len() > 0 && a.rejected.len() == 0:
		w.since = span{a.lastFrom, a.lastTo}
	case e.each && spent > 0:
		w.since = span{w.since.lo, a.lastTo}
		if n := a.admitted.len(); n > 0 {
			w.since.lo = a.admitted.from[n-1]
		}
	default:
		w.since.lo = max(w.since.lo, a.lastFrom-b[window].hi) // it had not ended
	}
	return w.since.lo <= w.since.hi
}

// begin counts a batch into a new window, which the first of it opens.
func (e expiry) begin(w counting, a *batch, b *box, admitted, spent float64) (counting, bool) {
	if spent == 0 || admitted > b[limit].hi {
		return w, false
	}
	x := counting{since: span{a.spent.from[0], a.spent.to[0]}, least: admitted, most: min(b[limit].hi, spent)}
	if a.doubtful() {
		x.since.hi = a.lastTo
	}
	if !w.unused {
		x.since.lo = max(x.since.lo, w.since.lo+b[window].lo)
	}
	if a.rejected.len() > 0 {
		if spent < b[limit].lo {
			return w, false
		}
		x.least = max(x.least, b[limit].lo)
	}
	if e.each || e.rejected {
		x.since = span{a.spent.from[a.spent.len()-1], a.lastTo}
		if e.rejected {
			x.since.lo = a.lastFrom
		}
		if a.doubtful() {
			x.since.lo = a.firstFrom
		}
	}
	return x, x.since.lo <= x.since.hi && !math.IsInf(x.since.hi, 0)
}

// merged joins ways that differ little: those whose moments overlap.
func merged(ways []counting) []counting {
	out := ways[:0:0]
	for _, w := range ways {
		joined := false
		for i := range out {
			o := &out[i]
			if o.since.lo <= w.since.hi && w.since.lo <= o.since.hi {
				o.since = span{min(o.since.lo, w.since.lo), max(o.since.hi, w.since.hi)}
				o.least, o.most = min(o.least, w.least), max(o.most, w.most)
				joined = true
				break
			}
		}
		if !joined {
			out = append(out, w)
		}
	}
	return out
}
