package probe

// Axes of a ban: limit and window as of any window, and its length.
const ban = 2 // ns

// A banning is one way in which a counter with a ban may stand.
type banning struct {
	counting
	banned bool
	until  span
}

// banExplains follows a window that opens with a request and that, once it has
// refused, is shut for the length of the ban, from the first refused request
// on, or from each where it is extended.
func banExplains(extended bool) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		ways := []banning{fresh()}
		for i := range t.batches {
			var next []banning
			for _, w := range ways {
				next = followBan(next, w, &t.batches[i], b, extended)
			}
			if len(next) == 0 {
				return false
			}
			if ways = mergedBans(next); len(ways) > mostWays {
				return true
			}
		}
		return true
	}
}

// fresh is how a counter stands that was never used, or whose ban is over:
// what was counted before is forgotten.
func fresh() banning { return banning{counting: counting{unused: true}} }

func shut(until span) banning {
	return banning{counting: counting{unused: true}, banned: true, until: until}
}

// followBan adds the ways in which a counter may stand after a batch. Either no
// ban begins or ends amid it, or one ends, or one begins, or the batch is as
// long as a ban and anything may have happened.
func followBan(all []banning, w banning, a *batch, b *box, extended bool) []banning {
	refuses := a.rejected.len() > 0 || a.doubtful()
	if refuses && a.all() > 1 && a.lastTo-a.firstFrom >= b[ban].lo {
		all = append(all, shut(span{a.firstFrom + b[ban].lo, a.lastTo + b[ban].hi}))
		if n := a.spent.len(); n > 0 {
			all = append(all, banning{counting: counting{since: span{a.spent.from[0], a.lastTo}, least: 1, most: min(b[limit].hi, float64(n))}})
		}
	}
	if !w.banned {
		return followOpen(all, w, a, b, extended)
	}
	if x := w; x.goOn(a, b, extended) {
		all = append(all, x)
	}
	if w.until.lo <= a.firstTo {
		all = followOpen(all, fresh(), a, b, extended)
	}
	if !extended && refuses {
		all = w.ends(all, a, b)
	}
	return all
}

// goOn has all of a batch refused by a ban, if it can be.
func (w *banning) goOn(a *batch, b *box, extended bool) bool {
	switch {
	case a.admitted.len() > 0:
		return false
	case a.idle():
		if extended && w.until.hi > a.firstFrom {
			w.until.hi = max(w.until.hi, a.lastTo+b[ban].hi)
		}
		return true
	case extended: // each begins it anew, so the first alone had to come in time
		ok := a.firstFrom < w.until.hi
		w.until = span{a.lastFrom + b[ban].lo, a.lastTo + b[ban].hi}
		return ok
	}
	w.until.lo = max(w.until.lo, a.lastFrom)
	return a.lastFrom < w.until.hi
}

// ends has the ban end amid a batch, before something of it is admitted. What
// was refused may have been so before; if not, it began another ban.
func (w *banning) ends(all []banning, a *batch, b *box) []banning {
	n := a.spent.len()
	if n == 0 || a.all() < 2 || w.until.lo > a.spent.to[n-1] || w.until.hi <= a.firstFrom {
		return all
	}
	if float64(a.admitted.len()) <= b[limit].hi || a.lastTo-a.firstFrom >= b[window].lo {
		open := counting{since: span{max(w.until.lo, a.spent.from[0]), a.lastTo}, least: 1, most: min(b[limit].hi, float64(n))}
		all = append(all, banning{counting: open})
	}
	if float64(n) >= b[limit].lo {
		all = append(all, shut(span{max(w.until.lo, a.firstFrom) + b[ban].lo, a.lastTo + b[ban].hi}))
	}
	return all
}

// followOpen is where no ban holds before a batch. Either none begins, and
// nothing was refused, or one begins after everything that was admitted, with a
// window that is full.
func followOpen(all []banning, w banning, a *batch, b *box, extended bool) []banning {
	if a.rejected.len() == 0 {
		for _, c := range (expiry{}).follow(nil, w.counting, a, b) {
			all = append(all, banning{counting: c})
		}
	}
	n := a.rejected.len()
	if n == 0 && !a.doubtful() {
		return all
	}
	first := span{a.firstFrom, a.lastTo}
	if n > 0 {
		first.hi = a.rejected.to[0]
		if !a.doubtful() {
			first.lo = a.rejected.from[0]
		}
	}
	if m := a.admitted.len(); m > 0 {
		first.lo = max(first.lo, a.admitted.from[m-1])
	}
	if first.lo > first.hi || !fills(w.counting, a, b, first) {
		return all
	}
	last := first
	if extended {
		last.hi = a.lastTo
		if n > 0 {
			last.lo = max(last.lo, a.rejected.from[n-1])
		}
	}
	return append(all, shut(span{last.lo + b[ban].lo, last.hi + b[ban].hi}))
}

// fills reports whether the window may be full when the first is refused. What
// is refused later is none of its business: the window may be over by then.
func fills(w counting, a *batch, b *box, first span) bool {
	until := *a
	until.rejected = moments{[]float64{first.lo}, []float64{first.hi}}
	until.lastTo = first.hi
	until.firstTo = min(a.firstTo, first.hi)
	until.lastFrom = first.lo
	return len((expiry{}).follow(nil, w, &until, b)) > 0
}

// mergedBans joins ways that differ little, open ones and shut ones apart.
func mergedBans(ways []banning) []banning {
	var open []counting
	var out []banning
	for _, w := range ways {
		if !w.banned {
			open = append(open, w.counting)
			continue
		}
		joined := false
		for i := range out {
			if o := &out[i].until; o.lo <= w.until.hi && w.until.lo <= o.hi {
				*o, joined = span{min(o.lo, w.until.lo), max(o.hi, w.until.hi)}, true
				break
			}
		}
		if !joined {
			out = append(out, w)
		}
	}
	for _, c := range merged(open) {
		out = append(out, banning{counting: c})
	}
	return out
}
