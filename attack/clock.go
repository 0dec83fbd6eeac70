package attack

import (
	"context"
	"time"
)

// A clock counts from the start of a run, monotonically, and ends waits.
type clock struct {
	began   time.Time
	precise bool // waits for shots end below the resolution of the runtime's timers
}

func newClock(precise bool) clock { return clock{began: time.Now(), precise: precise} }

func (c *clock) now() time.Duration { return time.Since(c.began) }

// coarse is how far the runtime's timers are trusted: they end within a
// millisecond or two. The rest of a precise wait is slept in the kernel.
const coarse = 3 * time.Millisecond

// rest waits for a moment about, and reports whether the context is still
// alive then.
func (c *clock) rest(ctx context.Context, at time.Duration) bool {
	if left := at - c.now(); left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
	}
	return ctx.Err() == nil
}

// until waits for the moment of a shot, as exactly as it can, and reports
// whether the context is still alive then. This is the one place where a shot
// waits. In virtual time it is one timer, which is exact there; a spin would
// never end.
func (c *clock) until(ctx context.Context, at time.Duration) bool {
	if !c.precise {
		return c.rest(ctx, at)
	}
	if !c.rest(ctx, at-coarse) {
		return false
	}
	finish(func() time.Duration { return at - c.now() })
	return ctx.Err() == nil
}
