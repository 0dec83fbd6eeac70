package analyze

import (
	"iter"
	"math"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A pause is a rest of a key, and the requests after it.
type pause struct {
	from, to  time.Duration
	exhausted bool // something was rejected between the pause before and this one
	there     int  // how many must be there at its end
	unsure    int  // requests from before that may still be decided
	key       strand
	after     int // place in the key of the first request from its end on
	burst     int // how many come before the next pause; 1 for a rejection that interrupts a rest
}

// row returns a request after the pause; nil if there are not so many.
func (p pause) row(i int) *Row {
	if p.after+i >= p.key.len() {
		return nil
	}
	return p.key.row(p.after + i)
}

// pauses returns every rest of a key after which at least one request must be
// admitted, in order of their ends; but a rejection that interrupts a rest comes
// before the burst that it lies in.
func (c *Case) pauses(key strand) iter.Seq[pause] {
	return func(yield func(pause) bool) {
		rooms := c.rooms(key)
		spends := mayConsume(c.consumes())
		busy, rejected, unsure := time.Duration(-1), false, 0
		var open pause
		resting := false // open is one
		for i := range key.len() {
			r := key.row(i)
			if busy >= 0 && r.Sent > busy {
				p := pause{from: busy, to: r.Sent, exhausted: rejected, there: c.backAfter(busy, r.Sent, rooms), unsure: unsure, key: key, after: i, burst: 1}
				switch {
				case p.there <= 0:
				case !spends(*r): // it was refused though nothing had been spent since
					if !yield(p) {
						return
					}
				default:
					if resting && !yield(open) {
						return
					}
					open, resting, rejected = p, true, false
				}
			}
			if resting {
				open.burst = i + 1 - open.after
			}
			switch {
			case !spends(*r):
			case r.Answered == history.Never:
				unsure++
			default:
				busy = max(busy, r.Answered)
			}
			rejected = rejected || r.Outcome == limiter.Rejected
		}
		if resting {
			yield(open)
		}
	}
}

// rooms returns what reads the room that each of several limits leaves: a slow
// one hardly gains by a rest, but may never have been used up.
func (c *Case) rooms(key strand) []*meter {
	if len(c.Promise.Limits) < 2 {
		return nil
	}
	var all []*meter
	for _, l := range c.Promise.Limits {
		key.lag = stale(l.Clock())
		all = append(all, c.room(l).meter(key))
	}
	return all
}

// backAfter returns how many requests certainly find allowance after a rest.
func (c *Case) backAfter(from, to time.Duration, rooms []*meter) int {
	least := math.MaxInt
	for i, l := range c.Promise.Limits {
		back := givenBack(l, to-from-stale(l.Clock()))
		if rooms != nil {
			back = max(back, int(rooms[i].left(to-stale(l.Clock()))))
		}
		least = min(least, back)
	}
	return least
}

// givenBack returns how many requests a limit admits after a rest by its own
// clock, whatever came before.
func givenBack(l limiter.Limit, rest time.Duration) int {
	capacity := float64(leastAtOnce(l)) * (1 - l.Tolerance)
	windows := float64(max(rest, 0)) / float64(l.Window) * (1 - clockDrift)
	switch l.Reading {
	case limiter.TokenBucket:
	case limiter.SteppedBucket, limiter.FixedWindow, limiter.SlidingLog:
		windows = math.Floor(windows)
	default:
		windows = math.Floor(windows * float64(l.Window) / float64(l.FullRest()))
	}
	return int(min(capacity+slack, float64(l.Limit)*(1-l.Tolerance)*windows))
}
