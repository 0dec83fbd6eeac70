package analyze

import (
	"math"
	"slices"
	"sort"
	"time"

	"duckload/limiter"
)

// rejectsConsume reports whether rejected requests spend allowance, as far as
// the run shows it at the documented limit; nil if it does not. A window that
// only counts up to its limit is the same with and without.
//
// They do if some rejections are certainly wrong unless they do, and none is
// then, and no other algorithm explains the run without. They do not if
// something was admitted too soon after a rejection.
func (c *Case) rejectsConsume() *bool {
	limits := verified(c.Promise, func(limiter.Reading) bool { return true })
	if len(limits) != 1 || len(c.Promise.Limits) != 1 || c.tooMany() || !c.refutable() || isHeld(limits[0]) {
		return nil
	}
	l := limits[0]
	yes, no := true, false
	if c.tooSoon(l) {
		return &no
	}
	if r := c.readings(); r == nil || slices.ContainsFunc(r.explain, func(name string) bool { return name != "sliding-counter" || r.identified(name) }) {
		return nil
	}
	l.RejectsConsume = false
	if wrong, _ := c.alone(l).wronglyRejected(); len(wrong) == 0 {
		return nil
	}
	l.RejectsConsume = true
	if wrong, _ := c.alone(l).wronglyRejected(); len(wrong) == 0 {
		return &yes
	}
	return nil
}

// tooSoon reports whether a request was admitted that could not have been if
// rejected ones spent allowance.
func (c *Case) tooSoon(l limiter.Limit) bool {
	for _, t := range trafficOf(c, l) {
		switch l.Reading {
		case limiter.TokenBucket:
			// A rejected request would have left nothing, and a whole token takes so long.
			rate := perNano(l) * (1 + l.Tolerance)
			if high := c.fit(l).region.rates.High; !math.IsInf(high, 1) {
				rate = max(rate, high)
			}
			for _, r := range t.returns() {
				if r.length()*(1+clockDrift) < 1/rate {
					return true
				}
			}
		case limiter.SlidingLog:
			if t.admittedBehind(int(l.Limit), time.Duration(float64(l.Window)/(1+clockDrift))) {
				return true
			}
		}
	}
	return false
}

// admittedBehind reports whether a request was admitted although n others,
// rejected ones included, had certainly been decided within a window before it.
func (t traffic) admittedBehind(n int, window time.Duration) bool {
	key := t.key
	key.lag = 0
	all := key.spans(func(r *Row) bool { return r.Outcome != limiter.Unknown })
	order := all.orderOfEnds()
	ended := make(fenwick, all.len()+1)
	next := 0
	for i := range t.admitted.len() {
		a := t.admitted.row(i)
		for next < len(order) && all.to[order[next]] < a.Sent {
			ended.add(int(order[next]))
			next++
		}
		since := a.Answered - window
		first := sort.Search(all.len(), func(k int) bool { return all.row(k).Sent+t.admitted.from[i]-a.Sent > since })
		if next-ended.sum(first) >= n {
			return true
		}
	}
	return false
}
