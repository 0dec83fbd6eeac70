package analyze

import (
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// A family is a kind of window, and what a run says about its length if its
// allowance is known.
//
// Every fit leaves some of what a run says aside, so that it may hold lengths
// that explain nothing, and never misses one that does.
type family struct {
	name string // of the model in limiter.Models
	fit  func(traffic, holding) windowFit
}

// A holding is the allowance of a window: the most that it can be and the least,
// which differ where the promise has a tolerance.
type holding struct {
	most, least int
	each        int  // of a stepped bucket: what comes at each step, at the least
	documented  bool // it is what the promise says, and worth a closer look

	shortest, longest float64 // what the documented window stands for, in nanoseconds
}

func holdingOf(l limiter.Limit) holding {
	n := float64(l.Capacity())
	if l.Reading == limiter.Open {
		n = float64(l.Limit)
	}
	c := holding{most: int(math.Floor(n*(1+l.Tolerance) + slack)), least: max(1, int(math.Ceil(n*(1-l.Tolerance)-slack)))}
	c.each, c.documented = c.least, true
	c.shortest, c.longest = within(float64(l.Window), l.Tolerance)
	if l.Reading == limiter.SteppedBucket {
		c.each = max(1, min(c.least, int(math.Ceil(float64(l.Limit)*(1-l.Tolerance)-slack))))
	}
	return c
}

// families are the kinds of windows, the simplest first.
var families = []family{
	{"fixed-window", fitAligned},
	{"anchored-window", fitAnchored},
	{"sliding-log", fitLog},
	{"sliding-counter", fitCounter},
	{"stepped-bucket", fitAligned},
}

// familiesOf returns the families that a reading may mean.
func familiesOf(r limiter.Reading) []family {
	switch r {
	case limiter.FixedWindow:
		return families[:2]
	case limiter.SlidingLog:
		return families[2:3]
	case limiter.SlidingCounter:
		return families[3:4]
	case limiter.SteppedBucket:
		return families[4:]
	case limiter.Open:
		return families[:4]
	}
	return nil
}

// fitAligned: boundaries lie one window apart, as do the steps of a bucket. Allowance that came back took
// one, as did more admissions than a window holds; a window that is full was
// not interrupted by one.
func fitAligned(t traffic, n holding) windowFit { return t.aligned(n, 2*float64(n.most)) }

func (t traffic) aligned(n holding, atOnce float64) windowFit {
	fit := newWindowFit()
	var never widened
	if fit.refuted = t.full(n.each, never.add); fit.refuted != nil {
		return fit
	}
	t.refill(&fit, n.most)
	fit = align(fit, t.crossed(n.most), never)
	if fit.explains() {
		t.notFaster(&fit, float64(n.most), 2*float64(n.most))
	}
	return fit
}

// notFaster bounds a length from above by the admissions over any stretch of
// time: at most some at once and so many for each window.
func (t traffic) notFaster(fit *windowFit, each, atOnce float64) {
	exceeds := func(window float64) (excess, bool) {
		n, x := t.admitted.most(each/window*(1+clockDrift), atOnce+slack)
		return x, n > atOnce+slack
	}
	low, high := max(fit.low.value, 1), math.Min(fit.high.value, float64(limiter.Far))
	x, over := exceeds(high)
	if !over {
		return
	}
	y, never := exceeds(low)
	if never {
		x, high = y, low
	}
	for high > low*(1+1e-3) {
		mid := math.Sqrt(low * high)
		if y, over := exceeds(mid); over {
			x, high = y, mid
		} else {
			low = mid
		}
	}
	rows := t.admitted.within(x.from, x.to)
	fit.high = bound{high, []Row{rows[0], rows[len(rows)-1]}}
	if never {
		fit.refuted = append(slices.Clone(fit.low.rows), fit.high.rows...)
	}
}

// refill bounds a length from above by what was admitted after rejections: the
// first of it was in a new window, and what is more than k windows hold takes
// k of them.
func (t traffic) refill(fit *windowFit, most int) {
	for k := 1; k <= windows; k++ {
		for x := range t.refilled(k*most + 1) {
			fit.spans(x, k)
		}
	}
}

// fitAnchored: a window opens with a request, and one that is full opened with
// the n-th last admission before the rejection.
func fitAnchored(t traffic, n holding) windowFit {
	fit := newWindowFit()
	if fit.refuted = t.full(n.least, fit.lieIn(1)); fit.refuted != nil {
		return fit
	}
	for o := range t.openings(n.most) {
		fit.spans(o, 1)
	}
	t.refill(&fit, n.most)
	if fit.explains() {
		for k := 2; k <= windows+1; k++ {
			for p := range t.packed(k*n.most + 1) {
				fit.spans(p, k-1)
			}
		}
	}
	return fit
}

// fitLog: one more than the log holds takes longer than the window.
func fitLog(t traffic, n holding) windowFit {
	fit := newWindowFit()
	if fit.refuted = t.full(n.least, fit.lieIn(1)); fit.refuted != nil {
		return fit
	}
	for p := range t.packed(n.most + 1) {
		fit.spans(p, 1)
	}
	return fit
}

// fitCounter: whatever the phase, a rejection has the whole allowance in the
// two windows before it, and n·t/W more than n + 1 are never admitted.
func fitCounter(t traffic, n holding) windowFit {
	fit := newWindowFit()
	if fit.refuted = t.full(n.least, fit.lieIn(2)); fit.refuted != nil {
		return fit
	}
	t.notFaster(&fit, float64(n.most), float64(n.most)+1)
	if fit.explains() {
		t.narrow(&fit, n)
	}
	return fit
}

// fitAll fits a family to the traffic of all keys: they have one length, but
// each its own phase. The phase is that of the first.
func (f family) fitAll(keys []traffic, n holding) windowFit {
	all := newWindowFit()
	for i, t := range keys {
		one := f.fit(t, n)
		if one.refuted != nil {
			return one
		}
		if one.low.value > all.low.value {
			all.low = one.low
		}
		if one.high.value < all.high.value {
			all.high = one.high
		}
		if i == 0 {
			all.phase = one.phase
		}
		if one.gap != nil {
			all.gap = one.gap
		}
	}
	return all
}

// seconds of a length in nanoseconds.
func inSeconds(v float64) float64 { return v / float64(time.Second) }
