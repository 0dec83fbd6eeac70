package limiter

import "time"

var steppedBucket = Model{
	Name:    "stepped-bucket",
	Doc:     "Burst tokens at first; at each whole multiple of Window, Limit tokens are added at once, never above Burst.",
	Reading: SteppedBucket,
	New: func(l Limit) (Limiter, error) {
		if err := bucketMistakes(l); err != nil {
			return nil, err
		}
		return stepped{limit: &l, level: l.Burst}, nil
	},
}

type stepped struct {
	limit  *Limit
	latest time.Duration
	level  int64
	step   int64 // how many steps had come when the level was noted
}

func (s stepped) Take(at time.Duration) (Decision, Limiter) {
	s.latest = now(at, s.latest)
	if step := int64(s.latest / s.limit.Window); step > s.step {
		s.level += min(s.limit.Burst-s.level, s.added(step-s.step))
		s.step = step
	}
	d := Decision{OK: s.level > 0}
	if d.OK {
		s.level--
	}
	d.Remaining = s.level
	if s.level == 0 {
		d.Wait = s.until(1)
	}
	d.Reset = s.until((s.limit.Burst - s.level + s.limit.Limit - 1) / s.limit.Limit)
	return d, s
}

func (s stepped) rejectsConsume() bool { return s.limit.RejectsConsume }

// added returns what some steps add, as far as it fits a number.
func (s stepped) added(steps int64) int64 {
	n, _ := mulDiv(steps, s.limit.Limit, 1)
	return n
}

// until returns the time to the n-th step from now; 0 for none.
func (s stepped) until(n int64) time.Duration {
	if n == 0 {
		return 0
	}
	return time.Duration(n)*s.limit.Window - s.latest%s.limit.Window
}
