package scenarios

import (
	"cmp"
	"slices"
	"time"

	"duckload/limiter"
)

var window = Pace{
	Name:     "window",
	Doc:      "Keeps the key exhausted and looks for the moments at which allowance comes back (Limit), around Count of them, for a while (For); takes at once what came, to see how much it was.",
	Next:     nextWindow,
	Requests: mostWindow,
}

func mostWindow(p Phase) int { return p.Count * int(p.Limit.Capacity()+2+windowPolls) }

const (
	windowPolls = 80 // bound on the probes for each return of allowance
	coarse      = 16 // probes a window where nothing is known
	fine        = 20 // probes in the stretch that holds the moment, if the window is what is documented or nearly
	nearly      = 64 // it may be longer or shorter by this part of itself
)

func nextWindow(p Phase, v View) Move {
	mine, end := own(v), v.Start+p.For
	left := mostWindow(p) - len(mine)
	if left <= 0 || v.Now >= end {
		return Move{Done: true}
	}
	runs, exhausted := runsOf(p, v)
	if fading(p) && exhausted {
		at, ok := nextFade(p, v, runs)
		if !ok || at >= end {
			return Move{Done: true}
		}
		return Move{Shots: []Shot{shot(p, v, at)}}
	}
	if len(runs) >= p.Count+2 && exhausted { // those before the phase are two
		return Move{Done: true} // now, while it is certain that nothing is left
	}
	if !exhausted {
		shots := make([]Shot, min(left, drainSize(p, runs)))
		for i := range shots {
			shots[i] = shot(p, v, v.Now)
		}
		return Move{Shots: apart(shots)}
	}
	at := v.Now + p.Limit.Window/coarse
	if p.Limit.RejectsConsume {
		at = end // every probe would put the moment off
	}
	for _, run := range runs {
		for _, c := range run.probes(p, v) {
			if c > v.Now && c < at {
				at = c
			}
		}
	}
	if at >= end {
		return Move{Wake: end, Done: true}
	}
	return Move{Shots: []Shot{shot(p, v, at)}}
}

// A run is a stretch of admitted requests without a rejection or a pause.
type run struct {
	refused        time.Duration // when the last rejection before it was sent; that of the first request if there was none
	sent, answered time.Duration // of its first request
	size           int
	refusals       int // since it began
}

// runsOf returns the stretches in which allowance was used, and whether the
// last answer was a rejection. A rejection ends a run if it was known when the
// next request was sent: of requests that overlap nobody knows which came first.
func runsOf(p Phase, v View) (runs []run, exhausted bool) {
	seen := byAnswer(p, v.Seen)
	slices.SortStableFunc(seen, func(a, b Seen) int { return cmp.Compare(a.Sent, b.Sent) })
	refused, known, last := time.Duration(-1), time.Duration(0), time.Duration(0)
	pause := p.Limit.Window / (2 * coarse)
	if fading(p) {
		pause = min(pause, p.Limit.Interval()/2)
	}
	for _, s := range seen {
		switch {
		case s.Outcome == limiter.Rejected:
			refused, known, exhausted = s.Sent, s.Answered, true
			if len(runs) > 0 {
				runs[len(runs)-1].refusals++
			}
			continue
		case len(runs) > 0 && !(exhausted && s.Sent > known) && s.Sent-last < pause:
			runs[len(runs)-1].size++
		default:
			r := run{refused: refused, sent: s.Sent, answered: decided(s), size: 1}
			if refused < 0 {
				r.refused = s.Sent
			}
			runs = append(runs, r)
		}
		last, exhausted, refused = s.Sent, false, -1
	}
	return runs, exhausted
}

// probes returns the moments at which it is worth asking whether what a run
// used has come back: a window after it, just before and just after, and in
// small steps wherever a window that is not quite what is documented would end.
// The first return is known to a sixteenth of a window; the one after it, by
// these steps, to a two-hundredth, and the next to a thousandth: between those
// two a window that is off by a hundredth shows.
func (r run) probes(p Phase, v View) []time.Duration {
	w, step := p.Limit.Window, trip(v)
	after := r.answered + w + p.Limit.Clock() + time.Duration(float64(w)*drift)
	disturbed := p.Limit.RejectsConsume && p.Limit.Reading != limiter.FixedWindow
	if disturbed {
		after += w / 10 // a rejection proves a window of half the time since what filled it, less a step of the clock
	}
	moments := []time.Duration{r.refused + w - 2*step - guard, r.sent + w - 2*step - guard, after}
	if !disturbed {
		first, last := r.refused+w-w/nearly, r.answered+w+w/nearly
		for i := range time.Duration(fine + 1) {
			moments = append(moments, first+i*(last-first)/fine)
		}
	}
	return moments
}

// windowShare returns the smallest part of a window that the last two of some
// returns can show, if each is looked for where the one before it was seen.
func windowShare(returns int) float64 {
	known, two := 1.0/coarse, 1.0
	for range returns - 1 {
		next := (known + 2.0/nearly) / fine
		known, two = next, known+next
	}
	return two
}

// fading reports whether allowance comes back one by one.
func fading(p Phase) bool {
	return p.Limit.Reading == limiter.SlidingCounter && !p.Limit.RejectsConsume
}

// drainSize returns how many requests take what came back: all that a window
// holds at first, twice of what it was later, because some limiters give back
// one at a time, and a single one where a rejection that overlapped others
// leaves in doubt whether that was all.
func drainSize(p Phase, runs []run) int {
	all := int(p.Limit.Capacity()) + 1
	switch {
	case len(runs) > 0 && runs[len(runs)-1].refusals > 0:
		return 1
	case fading(p) && len(runs) > 1:
		return min(all, int(fadeStride(p))+1)
	case len(runs) < 3:
		return all
	}
	return min(all, 2*max(runs[len(runs)-1].size, runs[len(runs)-2].size)+1)
}
