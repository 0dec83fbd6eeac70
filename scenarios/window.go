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
	windowPolls = 48 // bound on the probes for each return of allowance
	coarse      = 16 // probes a window where nothing is known
	fine        = 8  // probes in a stretch that is known to hold the moment
)

func nextWindow(p Phase, v View) Move {
	mine, end := own(v), v.Start+p.For
	left := mostWindow(p) - len(mine)
	if left <= 0 || v.Now >= end {
		return Move{Done: true}
	}
	runs, exhausted := runsOf(p, v)
	if len(runs) > p.Count+2 && exhausted {
		return Move{Wake: end, Done: true}
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
}

// runsOf returns the stretches in which allowance was used, and whether the
// last answer was a rejection.
func runsOf(p Phase, v View) (runs []run, exhausted bool) {
	seen := byAnswer(p, v.Seen)
	slices.SortStableFunc(seen, func(a, b Seen) int { return cmp.Compare(a.Sent, b.Sent) })
	refused, last := time.Duration(-1), time.Duration(-1)
	for _, s := range seen {
		switch {
		case s.Outcome == limiter.Rejected:
			refused, exhausted = s.Sent, true
			continue
		case len(runs) > 0 && !(exhausted && s.Sent > decidedBy(runs)) && s.Sent-last < p.Limit.Window/(2*coarse):
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

func decidedBy(runs []run) time.Duration { return runs[len(runs)-1].answered }

// probes returns the moments at which it is worth asking whether what a run
// used has come back: a window after it, just before and just after, and where
// the run itself began at a moment that is only known to lie between two
// probes, in smaller steps between them.
func (r run) probes(p Phase, v View) []time.Duration {
	w, step := p.Limit.Window, trip(v)
	after := r.answered + w + p.Limit.Clock() + time.Duration(float64(w)*drift)
	if p.Limit.RejectsConsume && p.Limit.Reading != limiter.FixedWindow {
		after += w / 10 // a rejection proves a window of half the time since what filled it, less a step of the clock
	}
	moments := []time.Duration{r.refused + w - 2*step - guard, r.sent + w - 2*step - guard, after}
	if width := r.answered - r.refused; width > fine*step && !p.Limit.RejectsConsume {
		for i := range time.Duration(fine) {
			moments = append(moments, r.refused+w+i*width/fine)
		}
	}
	return moments
}

// drainSize returns how many requests take what came back: all that a window
// holds at first, twice of what it was later, because some limiters give back
// one at a time.
func drainSize(p Phase, runs []run) int {
	all := int(p.Limit.Capacity()) + 1
	if len(runs) < 3 {
		return all
	}
	return min(all, 2*runs[len(runs)-2].size+1)
}
