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
// on, or from each.
func banExplains(extended bool) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		ways := []banning{{counting: counting{unused: true}}}
		for i := range t.batches {
			var next []banning
			for _, w := range ways {
				next = followBan(next, w, &t.batches[i], b, extended)
			}
			if len(next) == 0 {
				return false
			}
			if len(next) > mostWays {
				return true
			}
			ways = next
		}
		return true
	}
}

func followBan(all []banning, w banning, a *batch, b *box, extended bool) []banning {
	if a.all() > 1 && a.lastTo-a.firstFrom >= b[ban].lo {
		// Whole bans amid it: anything may be afterwards.
		open := banning{counting: counting{since: span{a.firstFrom, a.lastTo}, most: b[limit].hi}}
		shut := banning{counting: open.counting, banned: true, until: span{a.lastFrom, a.lastTo + b[ban].hi}}
		return append(all, open, shut)
	}
	if a.doubtful() { // perhaps nothing happened, perhaps it was refused
		shut := banning{counting: w.counting, banned: true, until: span{a.firstFrom, a.lastTo + b[ban].hi}}
		if w.banned {
			shut.until.lo = min(w.until.lo, a.firstFrom)
			shut.until.hi = max(w.until.hi, shut.until.hi)
		}
		if all = append(all, shut); a.idle() {
			all = append(all, w)
		}
	}
	if !w.banned {
		return followOpen(all, w, a, b, extended)
	}
	if a.lastFrom < w.until.hi && a.admitted.len() == 0 {
		x := w
		if extended {
			x.until = span{a.lastFrom + b[ban].lo, a.lastTo + b[ban].hi}
		} else {
			x.until.lo = max(x.until.lo, a.lastFrom)
		}
		all = append(all, x)
	}
	if w.until.lo > a.lastTo {
		return all
	}
	// It is over, and forgotten with what was counted.
	fresh := banning{counting: counting{unused: true}}
	all = followOpen(all, fresh, a, b, extended)
	if a.rejected.len() > 0 && a.spent.len() > 0 && a.firstFrom < w.until.hi {
		after := *a // the ban ended amid the batch, and explains some of it
		after.rejected = moments{}
		all = followOpen(all, fresh, &after, b, extended)
	}
	return all
}

func followOpen(all []banning, w banning, a *batch, b *box, extended bool) []banning {
	for _, c := range (expiry{}).follow(nil, w.counting, a, b) {
		x := banning{counting: c}
		if n := a.rejected.len(); n > 0 {
			x.banned = true
			x.until = span{a.rejected.from[0] + b[ban].lo, a.rejected.to[0] + b[ban].hi}
			if extended {
				x.until = span{a.rejected.from[n-1] + b[ban].lo, a.rejected.to[n-1] + b[ban].hi}
			} else if n > 1 {
				// While it lasts nothing is admitted, so it outlasts the batch's rejections only perhaps.
				x.until.hi = a.rejected.to[n-1] + b[ban].hi
			}
		}
		all = append(all, x)
	}
	return all
}
