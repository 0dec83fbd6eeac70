package analyze

import (
	"math"
	"time"

	"duckload/limiter"
)

// measureHeld fills in what a queue or a limit of requests at once really is,
// one number at a time: the least that what was admitted allows, and the most
// that what was rejected does, the others being as documented.
func (c *Case) measureHeld(m *Measured) {
	if len(c.Promise.Limits) != 1 || !isHeld(c.Promise.Limits[0]) || !c.refutable() {
		return
	}
	if c.tooMany() { // each number takes dozens of looks at all requests
		c.first(examinable).measureHeld(m)
		return
	}
	l := c.Promise.Limits[0]
	l.Tolerance = 0
	if h := (hypothesis{key: keys(c.Header, c.Promise.Limits).certain}); c.explainedHeld(l, &h) {
		m.Family, m.Consistent = string(l.Reading), []string{string(l.Reading)}
	}
	most := float64(len(c.Rows) + 1)
	if l.Reading == limiter.Concurrency {
		m.AtOnce = c.whole(func(n float64) limiter.Limit {
			of := l
			of.Limit = int64(n)
			return of
		}, most)
		return
	}
	m.Burst = c.whole(func(n float64) limiter.Limit {
		of := l
		of.Burst = int64(n)
		return of
	}, most)
	if rates, ok := c.heldRates(l); ok {
		m.RatePerSecond = &rates
		m.LimitPerWindow = &Interval{rates.Low * l.Window.Seconds(), rates.High * l.Window.Seconds()}
	}
}

// explainedHeld reports whether a limit explains the run.
func (c *Case) explainedHeld(l limiter.Limit, h *hypothesis) bool {
	c.alone(l).test(h, 1)
	return h.explains()
}

// over and under report whether a limit is too small for what was admitted, and
// too large for what was rejected.
func (c *Case) over(l limiter.Limit) bool {
	key := keys(c.Header, []limiter.Limit{l}).certain
	for _, v := range c.alone(l).covers(l) {
		for _, s := range c.strands(key, l, v.reach) {
			if s.exceeds(v.rules) {
				return true
			}
		}
	}
	return false
}

func (c *Case) under(l limiter.Limit) bool {
	other := c.alone(l)
	wrong, _ := other.wrongUnder(other.possibleKeys(), 1)
	return len(wrong) > 0
}

// whole returns the whole numbers that explain the run, from 1 to most; nil if
// all do or none does.
func (c *Case) whole(of func(float64) limiter.Limit, most float64) *Interval {
	low := searchWhole(1, most, func(n float64) bool { return !c.over(of(n)) })
	high := searchWhole(1, most, func(n float64) bool { return c.under(of(n)) }) - 1
	if high >= most {
		high = math.Inf(1)
	}
	if low > high || low == 1 && math.IsInf(high, 1) {
		return nil
	}
	return &Interval{low, high}
}

// searchWhole returns the least whole number from low to high of which
// something is true that is true of all larger ones; above high if of none.
func searchWhole(low, high float64, is func(float64) bool) float64 {
	for low <= high {
		if middle := math.Floor((low + high) / 2); is(middle) {
			high = middle - 1
		} else {
			low = middle + 1
		}
	}
	return low
}

// rateSteps halve the ratio of two bounds of a rate often enough.
const rateSteps = 30

// heldRates returns the rates that explain the run of a queue, per second.
func (c *Case) heldRates(l limiter.Limit) (Interval, bool) {
	at := func(rate float64) limiter.Limit {
		of := l
		of.Window = time.Duration(float64(l.Limit) / rate * float64(time.Second))
		return of
	}
	const far = 1000
	rate := l.Rate()
	if c.over(at(rate*far)) || c.under(at(rate/far)) {
		return Interval{}, false
	}
	low, high := rate/far, rate*far
	if c.over(at(low)) {
		low, _ = edge(low, rate*far, func(r float64) bool { return !c.over(at(r)) })
	} else {
		low = 0
	}
	if c.under(at(high)) {
		_, high = edge(rate/far, high, func(r float64) bool { return c.under(at(r)) })
	} else {
		high = math.Inf(1)
	}
	return Interval{low, high}, low <= high && (low > 0 || !math.IsInf(high, 1))
}

// edge returns two rates between which something becomes true, a millionth apart
// or so.
func edge(low, high float64, is func(float64) bool) (float64, float64) {
	for range rateSteps {
		if middle := math.Sqrt(low * high); is(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low, high
}
