package limiter

import (
	"math/bits"
	"time"
)

var slidingCounter = Model{
	Name:    "sliding-counter",
	Doc:     "Limit requests by estimate: the count of the current Window, aligned to moment 0, plus that of the previous one, weighted by how much of it still lies in the trailing Window; Burst is not read.",
	Reading: SlidingCounter,
	New: func(l Limit) (Limiter, error) {
		if err := windowMistakes(l); err != nil {
			return nil, err
		}
		return counter{limit: &l}, nil
	},
}

// A counter admits while previous·(1−f) + current + 1 ≤ Limit, f being the
// part of the current window that has passed.
type counter struct {
	limit             *Limit
	down              bool // the share of the previous window is rounded down
	latest            time.Duration
	index             int64 // of the current window
	previous, current int64
}

func (c counter) Take(at time.Duration) (Decision, Limiter) {
	c.latest = now(at, c.latest)
	switch index := int64(c.latest / c.limit.Window); {
	case index == c.index+1:
		c.index, c.previous, c.current = index, c.current, 0
	case index > c.index:
		c.index, c.previous, c.current = index, 0, 0
	}
	d := Decision{OK: c.room() > 0}
	if d.OK || c.limit.RejectsConsume {
		c.current++
	}
	d.Remaining = max(0, c.room())
	if d.Remaining == 0 {
		d.Wait = c.wait()
	}
	d.Reset = c.reset()
	return d, c
}

func (c counter) rejectsConsume() bool { return c.limit.RejectsConsume }

// room returns how many more fit under the limit; what is left of the previous
// window counts as the next whole number.
func (c counter) room() int64 {
	left := int64(c.limit.Window - c.latest%c.limit.Window)
	if c.down {
		rest, _ := mulDiv(c.previous, left, int64(c.limit.Window))
		return c.limit.Limit - c.current - rest
	}
	return c.limit.Limit - c.current - mulDivUp(c.previous, left, int64(c.limit.Window))
}

// wait returns the time until one more fits, given that none does now.
func (c counter) wait() time.Duration {
	passed := c.latest % c.limit.Window
	if c.down {
		if c.current < c.limit.Limit {
			return c.faded(c.previous, c.limit.Limit-c.current) + 1 - passed
		}
		return c.limit.Window - passed + c.faded(c.current, c.limit.Limit) + 1
	}
	if c.current < c.limit.Limit {
		return c.faded(c.previous, c.limit.Limit-1-c.current) - passed
	}
	// Only as the previous window's does the current count fade.
	return c.limit.Window - passed + c.faded(c.current, c.limit.Limit-1)
}

// faded returns how far into a window the weight of the previous count has
// fallen to some value that it exceeds at the start.
func (c counter) faded(previous, to int64) time.Duration {
	high, low := bits.Mul64(uint64(to), uint64(c.limit.Window))
	left, _ := bits.Div64(high, low, uint64(previous))
	return c.limit.Window - time.Duration(left)
}

// reset returns the time until neither window counts anything.
func (c counter) reset() time.Duration {
	rest := c.limit.Window - c.latest%c.limit.Window
	switch {
	case c.current > 0:
		return rest + c.limit.Window
	case c.previous > 0:
		return rest
	}
	return 0
}
