package scenarios

import (
	"fmt"
	"time"

	"duckload/limiter"
)

// windows tests every other reading: what counts is when allowance comes back,
// and how much of it at once.
func (b *builder) windows() []Phase {
	w, capacity := b.limit.Window, int(b.limit.Capacity())
	if b.limit.Reading == limiter.Open {
		capacity = int(max(b.limit.Limit, b.limit.Burst))
	}
	if !b.fresh {
		b.refill(b.limit.FullRest(), "the allowance must be whole before it is measured")
	}
	apart := 1
	if b.limit.Reading == limiter.SlidingCounter && !b.limit.RejectsConsume {
		apart = 0 // all in one window: how many there were tells how fast they fade
	} else {
		b.add(Phase{Pace: lone.Name, Label: "anchor", Why: "one request alone: a window may begin with it", About: b.trip, Likely: 1})
		b.add(Phase{Pace: rest.Name, Label: "rest half a window", For: w / 2, Why: "parts the first request from the others, so that a sliding window gives them back apart"})
	}
	b.exceed(capacity-apart, 2+apart, "", "more at once than is documented: all beyond it must be rejected, nothing before")
	if b.limit.RejectsConsume && b.limit.Reading != limiter.FixedWindow {
		b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d of rejections", 2*capacity), Count: 2 * capacity, Rejections: 2 * capacity,
			Why: "they count, too: what is full for longer than a window tells how long one is"})
	}
	// Two returns of allowance tell what kind of window it is. The first is
	// found by luck, so it takes three to measure the length to a hundredth;
	// each one more measures it more finely, where there is time.
	returns := 3 + int(min(1, max(0, b.patience-8*w)/w))
	switch {
	case b.limit.RejectsConsume:
		returns = 2 // and each is disturbed by looking for it
	case b.thorough:
		returns = 4
	}
	length, about := time.Duration(returns)*w+w/coarse, time.Duration(returns)*w-w/2
	if apart == 0 {
		about = w * 3 / 2 // what fades is seen within one window
	}
	edges := func(count int, length, about time.Duration) {
		polls := (2 + count) * (coarse + fine) // each run is looked for again
		b.add(Phase{Pace: window.Name, Label: "window edges", Count: count, For: length, About: about, Rejections: polls, Likely: polls + count*(capacity+1),
			Why: "when allowance comes back, and how much at once, tells an aligned window from an anchored and a sliding one"})
	}
	// Of a counter, only what was just admitted counts for certain. A window may
	// hold its limit twice in a short time, and no more, around its end. And one
	// that was just used up to its end cannot have begun again.
	late := b.limit.RejectsConsume || b.limit.Reading == limiter.SlidingCounter
	switch {
	case late:
		edges(returns, length, about)
	case b.limit.Reading == limiter.Open:
		edges(1, w*5/8, w*5/8)
		b.scoping()
		edges(returns, length-w*5/8, about-w*5/8)
	default:
		edges(returns, length, about)
		b.scoping()
	}
	b.refill(b.limit.FullRest(), "everything must come back")
	b.exceed(capacity, 2, " after the rest", "after a whole rest the whole allowance must be there")
	if late {
		b.scoping()
	}
	b.add(Phase{Pace: obey.Name, Label: "obey Retry-After once", Count: 1, For: b.limit.FullRest() + 2*time.Second, About: w, Rejections: 1, Likely: 2,
		Why: "a client that waits as long as it is told must be admitted"})
	b.refill(b.limit.FullRest(), "the hold must begin with a whole allowance")
	b.sustained()
	return b.phases
}

// exceed sends some requests beyond what is there at once. Where a rejected one
// counts, too, the last go one after another: of requests that overlap, each may
// have been rejected because of the others.
func (b *builder) exceed(there, beyond int, when, why string) {
	n := there + beyond
	if !b.limit.RejectsConsume {
		b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d%s", n, when), Count: n, Rejections: beyond, Why: why})
		return
	}
	if there > 1 {
		b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d%s", there-1, when), Count: there - 1, Why: "what must be admitted for certain"})
	}
	gap := min(4*b.trip, b.limit.Window/50, b.limit.Interval()*9/10) // faster than the limit: no hold that must be kept
	each := beyond + min(1, max(there, 0))
	b.add(Phase{Pace: hold.Name, Label: fmt.Sprintf("%d more, one by one", each), Rate: float64(time.Second) / float64(gap), For: time.Duration(each-1)*gap + gap/2, Rejections: beyond,
		Why: why})
}
