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
	b.add(Phase{Pace: lone.Name, Label: "anchor", Why: "one request alone: a window may begin with it", About: b.trip, Likely: 1})
	b.add(Phase{Pace: rest.Name, Label: "rest half a window", For: w / 2, Why: "parts the first request from the others, so that a sliding window gives them back apart"})
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d", capacity+2), Count: capacity + 2, Rejections: 3,
		Why: "more at once than is documented: all beyond it must be rejected, nothing before"})
	// Two returns of allowance tell what kind of window it is; each one more
	// measures its length more finely, where there is time.
	returns := 2 + int(min(2, max(0, b.patience-7*w)/w))
	if b.thorough {
		returns = 4
	}
	length := time.Duration(returns)*w - w/4
	b.add(Phase{Pace: window.Name, Label: "window edges", Count: returns, For: length, About: length, Rejections: 2 * coarse, Likely: 2*coarse + returns*(capacity+1),
		Why: "when allowance comes back, and how much at once, tells an aligned window from an anchored and a sliding one"})
	b.scoping()
	b.refill(b.limit.FullRest(), "everything must come back")
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d after the rest", capacity+2), Count: capacity + 2, Rejections: 2,
		Why: "after a whole rest the whole allowance must be there"})
	b.add(Phase{Pace: obey.Name, Label: "obey Retry-After once", Count: 1, For: b.limit.FullRest() + 2*time.Second, About: w, Rejections: 1, Likely: 2,
		Why: "a client that waits as long as it is told must be admitted"})
	b.refill(b.limit.FullRest(), "the hold must begin with a whole allowance")
	b.sustained()
	return b.phases
}
