package attack

import (
	"context"
	"time"
)

// A clock counts from the start of a run, monotonically, and ends waits.
type clock struct {
	began   time.Time
	precise bool
}

func newClock(precise bool) clock { return clock{began: time.Now(), precise: precise} }

func (c *clock) begin() { c.began = time.Now() }

func (c *clock) now() time.Duration { return time.Since(c.began) }

// coarse is how far the runtime's timers may be trusted: they end within a
// millisecond or two. The rest of a precise wait is slept in the kernel.
const coarse = 3 * time.Millisecond

// until waits for a moment, and reports whether the context is still alive
// then. A plain wait is one timer, which is exact in a synctest bubble; a spin
// there would never end.
func (c *clock) until(ctx context.Context, at time.Duration) bool {
	left := at - c.now()
	if c.precise {
		left -= coarse
	}
	if left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
	}
	if c.precise {
		finish(func() time.Duration { return at - c.now() })
	}
	return ctx.Err() == nil
}
