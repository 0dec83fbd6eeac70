package analyze_test

import (
	"time"

	"duckload/limiter"
)

// lenientCounter is the other rule of sliding counters: one more is admitted as
// long as the estimate is below the limit, and not only if it stays within.
var lenientCounter = limiter.Model{
	Name: "lenient-sliding-counter", Reading: limiter.SlidingCounter,
	New: func(l limiter.Limit) (limiter.Limiter, error) { return lenient{limit: l}, nil },
}

type lenient struct {
	limit             limiter.Limit
	latest            time.Duration
	index             time.Duration // of the current window
	previous, current int64
}

func (c lenient) Take(at time.Duration) (limiter.Decision, limiter.Limiter) {
	c.latest = max(c.latest, at)
	switch index := c.latest / c.limit.Window; {
	case index == c.index+1:
		c.index, c.previous, c.current = index, c.current, 0
	case index > c.index:
		c.index, c.previous, c.current = index, 0, 0
	}
	d := limiter.Decision{OK: c.room() > 0}
	if d.OK {
		c.current++
	}
	d.Remaining = max(0, c.room())
	d.Wait = c.wait()
	d.Reset = 2*c.limit.Window - c.latest%c.limit.Window
	return d, c
}

// room is how many more would be admitted at this moment: the least n with
// previous·left/window + current + n ≥ limit.
func (c lenient) room() int64 {
	left := int64(c.limit.Window - c.latest%c.limit.Window)
	return c.limit.Limit - c.current - c.previous*left/int64(c.limit.Window)
}

// wait is the time until previous·left < (limit − current)·window.
func (c lenient) wait() time.Duration {
	passed := c.latest % c.limit.Window
	below := func(previous, room int64) time.Duration { // how far into a window
		return c.limit.Window - time.Duration((room*int64(c.limit.Window)-1)/previous)
	}
	switch {
	case c.room() > 0:
		return 0
	case c.current < c.limit.Limit:
		return below(c.previous, c.limit.Limit-c.current) - passed
	}
	return c.limit.Window - passed + max(0, below(c.current, c.limit.Limit))
}
