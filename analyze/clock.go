package analyze

import (
	"math"
	"time"

	"duckload/limiter"
)

// A clock says how a limiter's clock and ours may differ: assumption A2.
type clock struct {
	step time.Duration // of the limiter's clock
}

// slowest is the widest clock of several limits.
func slowest(limits []limiter.Limit) clock {
	var c clock
	for _, l := range limits {
		c.step = max(c.step, stale(l.Clock()))
	}
	return c
}

// slow is how long a wait on the limiter's clock takes at most on ours. That
// is wait/(1−ρ), which is more than wait·(1+ρ).
func slow(wait time.Duration) time.Duration {
	return time.Duration(math.Ceil(float64(wait) / (1 - clockDrift)))
}

func (c clock) slow(wait time.Duration) time.Duration { return slow(wait) }

// stale is how old by our clock a moment may be that a limiter takes for the
// present: one step of its clock, which lasts longer on ours if that runs
// slow, and what rounding to whole nanoseconds loses at both ends.
func stale(step time.Duration) time.Duration { return step + step/1000 + 2 }

// fast is how much may pass on the limiter's clock while a time passes on ours.
func (c clock) fast(d time.Duration) time.Duration {
	return time.Duration(float64(d)*(1+clockDrift)) + c.step
}

// surely is how much has passed at least on the limiter's clock while a time
// passed on ours.
func (c clock) surely(d time.Duration) time.Duration {
	return max(0, time.Duration(float64(d)*(1-clockDrift))-c.step)
}
