package scenarios

import "time"

// A sliding counter gives back one request at a time, evenly within each of
// its windows: what the window before admitted fades. Where the windows begin
// is found with the first return; how long they are shows in how far the
// returns that follow in the same window lie apart.

const (
	fades    = 8  // probes in the stretch that holds the next return
	measured = 24 // returns that are looked for in one window, at most
)

// fadeStride is every how many-th return is looked for.
func fadeStride(p Phase) time.Duration {
	return max(1, time.Duration(p.Limit.Capacity()/measured))
}

// nextFade returns when to look for the next return of a sliding counter that
// is exhausted; ok is false once enough of a window was seen.
func nextFade(p Phase, v View, runs []run) (at time.Duration, ok bool) {
	w, step := p.Limit.Window, trip(v)
	each := w / time.Duration(p.Limit.Capacity())
	at = v.Now + max(min(w/coarse, each/2), step)
	base, first, found := locatedReturn(v, runs)
	if !found {
		// In steps of which no whole number is a window: a boundary that fell
		// into the burst would next fall on such a look, and hide there, too.
		return v.Now + w*2/(2*coarse-1), true
	}
	if v.Now > first+w*7/8 && first+w*7/8 > 0 {
		return 0, false
	}
	stride := fadeStride(p)
	if stride*each < 8*step { // they come too fast to look for single ones
		return v.Now + w/coarse, true
	}
	ahead := stride
	for base.answered+ahead*each+offBy(ahead, each) <= v.Now {
		ahead += stride
	}
	off := offBy(ahead, each)
	early, late := base.refused+ahead*each-off, base.answered+ahead*each+off
	switch {
	case stride > 1 && v.Now < early-each/2: // take those that come before
		return early - each/2, true
	case v.Now < early:
		return early - guard, true
	case v.Now < late:
		return min(late, v.Now+max((late-early)/fades, step/2)), true
	}
	return at, true
}

// offBy is how far a return that is some ahead may be from where it is
// expected, if the window is nearly what is documented.
func offBy(ahead, each time.Duration) time.Duration { return min(each/2, ahead*each/nearly) }

// locatedReturn returns the return of allowance from which the others are
// counted, the one that is known best or not much worse and later, and the
// moment of the first of all.
func locatedReturn(v View, runs []run) (base run, first time.Duration, found bool) {
	for i, r := range runs {
		if i == 0 || r.sent < v.Start {
			continue
		}
		if !found {
			base, first, found = r, r.answered, true
			continue
		}
		if r.answered-r.refused <= (base.answered-base.refused)*5/4 {
			base = r
		}
	}
	return base, first, found
}
