package analyze

import (
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
		c.step = max(c.step, l.Clock())
	}
	return c
}

// slow is how long a wait on the limiter's clock takes at most on ours.
func (c clock) slow(wait time.Duration) time.Duration {
	return time.Duration(float64(wait) * (1 + clockDrift))
}

// fast is how much may pass on the limiter's clock while a time passes on ours.
func (c clock) fast(d time.Duration) time.Duration {
	return time.Duration(float64(d)*(1+clockDrift)) + c.step
}

// surely is how much has passed at least on the limiter's clock while a time
// passed on ours.
func (c clock) surely(d time.Duration) time.Duration {
	return max(0, time.Duration(float64(d)*(1-clockDrift))-c.step)
}
