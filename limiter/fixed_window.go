package limiter

import "time"

var fixedWindow = Model{
	Name:    "fixed-window",
	Doc:     "Limit requests in each Window, the windows beginning at moment 0 and its multiples; Burst is not read.",
	Reading: FixedWindow,
	New: func(l Limit) (Limiter, error) {
		if err := windowMistakes(l); err != nil {
			return nil, err
		}
		return window{limit: &l}, nil
	},
}

var anchoredWindow = Model{
	Name:    "anchored-window",
	Doc:     "Limit requests in each Window, which opens at the first request after the last one closed; Burst is not read.",
	Reading: FixedWindow,
	New: func(l Limit) (Limiter, error) {
		if err := windowMistakes(l); err != nil {
			return nil, err
		}
		return window{limit: &l, anchored: true}, nil
	},
}

// A window counts from its opening on. A count of 0 means that the window has
// not been used, and that an anchored one is not open.
type window struct {
	limit    *Limit
	anchored bool
	latest   time.Duration
	opened   time.Duration
	count    int64
}

func (w window) Take(at time.Duration) (Decision, Limiter) {
	w.latest = now(at, w.latest)
	switch {
	case w.latest-w.opened >= w.limit.Window, w.anchored && w.count == 0:
		w.opened, w.count = w.opening(), 0
	}
	d := Decision{OK: w.count < w.limit.Limit}
	if d.OK {
		w.count++
	}
	d.Remaining = w.limit.Limit - w.count
	d.Reset = w.opened + w.limit.Window - w.latest
	if d.Remaining == 0 {
		d.Wait = d.Reset
	}
	return d, w
}

func (w window) rejectsConsume() bool { return w.limit.RejectsConsume }

// opening returns when the window opened that holds the present moment.
func (w window) opening() time.Duration {
	if w.anchored {
		return w.latest
	}
	return w.latest - w.latest%w.limit.Window
}
