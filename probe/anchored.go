package probe

// An expiry is a counter that ends a window after something happened: what,
// makes the family.
type expiry struct {
	each     bool // an admission begins the window anew
	rejected bool // a rejection does, too
}

// A counting is one way in which such a counter may stand: since when, if used.
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
		if next = merged(next); len(next) > mostWays {
			return true
		}
		ways, next = next, ways
	}
	return true
}

// follow adds the ways in which a counter may stand after a batch. In whatever
// order a batch was decided, one of these holds: nothing of it was; all of it
// went into the window of before; its first decision opened a window, and all
// went into that; or a window was opened amid it.
func (e expiry) follow(all []counting, w counting, a *batch, b *box) []counting {
	if a.idle() {
		all = append(all, w)
	}
	if !w.unused {
		if x := w; e.goOn(&x, a, b) {
			all = append(all, x)
		}
	}
	if w.unused || w.since.lo+b[window].lo <= a.firstTo {
		if x, ok := e.begin(w, a, b); ok {
			all = append(all, x)
		}
	}
	if x, ok := e.amid(w, a, b); ok {
		all = append(all, x)
	}
	return all
}

// goOn counts a batch into the same window.
func (e expiry) goOn(w *counting, a *batch, b *box) bool {
	ends := w.since.hi + b[window].hi
	if a.firstFrom >= ends {
		return false
	}
	anew := e.rejected || e.each && a.spent.len() > 0
	if !anew { // then the last decision came before the end as well
		if a.lastFrom >= ends {
			return false
		}
		w.since.lo = max(w.since.lo, a.lastFrom-b[window].hi)
	}
	w.least, w.most = w.least+float64(a.admitted.len()), min(b[limit].hi, w.most+float64(a.spent.len()))
	if w.least > b[limit].hi {
		return false
	}
	if a.rejected.len() > 0 {
		if w.most < b[limit].lo {
			return false
		}
		w.least = max(w.least, b[limit].lo)
	}
	if anew {
		since := e.anew(a)
		if e.surely(a) {
			w.since = since
		} else {
			w.since.hi = max(w.since.hi, since.hi)
		}
	}
	return w.since.lo <= w.since.hi
}

// surely reports whether something of a batch surely begins the window anew,
// and anew when the last of it did.
func (e expiry) surely(a *batch) bool { return a.admitted.len() > 0 || e.rejected && !a.idle() }

func (e expiry) anew(a *batch) span {
	if e.rejected {
		return span{a.lastFrom, a.lastTo}
	}
	s := span{a.spent.from[0], a.spent.to[a.spent.len()-1]}
	if n := a.admitted.len(); n > 0 {
		s.lo = a.admitted.from[n-1]
	}
	return s
}

// begin counts a batch into a new window, which the first of it opens: that
// one was admitted.
func (e expiry) begin(w counting, a *batch, b *box) (counting, bool) {
	admitted, spent := float64(a.admitted.len()), float64(a.spent.len())
	if spent == 0 || admitted > b[limit].hi {
		return w, false
	}
	x := counting{since: span{a.spent.from[0], a.firstTo}, least: max(1, admitted), most: min(b[limit].hi, spent)}
	if a.rejected.len() > 0 {
		if spent < b[limit].lo {
			return w, false
		}
		x.least = max(x.least, b[limit].lo)
	}
	if e.each || e.rejected {
		x.since = e.anew(a)
	}
	if !w.unused {
		x.since.lo = max(x.since.lo, w.since.lo+b[window].lo)
	}
	return x, x.since.lo <= x.since.hi
}

// amid is where a window was opened after another decision of the batch. If
// the batch is longer than a window that may have been by itself, and several
// times. If not, the window of before ended amid it; it did not where that
// decision had begun it anew.
func (e expiry) amid(w counting, a *batch, b *box) (counting, bool) {
	n := a.spent.len()
	if n == 0 || a.all() < 2 {
		return w, false
	}
	x := counting{since: span{a.spent.from[0], a.lastTo}, least: 1, most: min(b[limit].hi, float64(n))}
	if a.lastTo-a.firstFrom >= b[window].lo {
		return x, true
	}
	switch {
	case w.unused, e.rejected, w.since.lo+b[window].lo > a.spent.to[n-1], a.firstFrom >= w.since.hi+b[window].hi:
		return w, false
	case e.each && a.rejected.len() == 0 && !a.doubtful():
		return w, false
	case w.least+float64(a.admitted.len()) > 2*b[limit].hi:
		return w, false
	case a.rejected.len() > 0 && w.most+float64(n) < b[limit].lo:
		return w, false
	}
	x.since.lo = max(x.since.lo, w.since.lo+b[window].lo)
	return x, true
}

// merged joins ways that differ little: those whose moments overlap.
func merged(ways []counting) []counting {
	out := ways[:0:0]
	for _, w := range ways {
		joined := false
		for i := range out {
			o := &out[i]
			if o.unused == w.unused && o.since.lo <= w.since.hi && w.since.lo <= o.since.hi {
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
