package limiter

import (
	"math"
	"time"
)

// TakeAll decides one request by several limiters at once, as a promise of
// several limits does ("10/s and 1000/day"): it is admitted if all admit it.
// If one refuses, those that would have admitted it keep their allowance,
// save where their rejected requests consume. after holds the states in the
// same order; tightest is the index of the one that refused with the longest
// wait, else of the one with the least remaining, and -1 if there are none.
//
// Wait is exact, as no model admits less after a longer wait. After a refusal
// Reset may come out later than it is, never earlier. An admitted request is
// held back for as long as the slowest of its queues holds it.
func TakeAll(at time.Duration, limiters []Limiter) (all Decision, tightest int, after []Limiter) {
	each := make([]Decision, len(limiters))
	after = make([]Limiter, len(limiters))
	all = Decision{OK: true, Remaining: math.MaxInt64}
	for i, l := range limiters {
		each[i], after[i] = l.Take(at)
		all.OK = all.OK && each[i].OK
	}
	tightest = -1
	for i, d := range each {
		if !all.OK && d.OK && !rejectsConsume(limiters[i]) {
			after[i], d.Wait = limiters[i], 0
		}
		all.Reset, all.Delay = max(all.Reset, d.Reset), max(all.Delay, d.Delay)
		closer := all.OK && d.Remaining < all.Remaining || !all.OK && d.Wait > all.Wait
		if tightest < 0 || closer {
			tightest = i
		}
		all.Wait = max(all.Wait, d.Wait)
		all.Remaining = min(all.Remaining, d.Remaining)
	}
	if !all.OK {
		all.Remaining, all.Delay = 0, 0
	}
	return all, tightest, after
}

// Conjunction returns a limiter that admits what all of some limiters admit;
// see [TakeAll]. That of none admits everything.
func Conjunction(limiters ...Limiter) Limiter { return conjunction{members: limiters} }

// A conjunction remembers the latest moment itself: a member that was left as
// it was has forgotten it.
type conjunction struct {
	latest  time.Duration
	members []Limiter
}

func (c conjunction) Take(at time.Duration) (Decision, Limiter) {
	c.latest = now(at, c.latest)
	d, _, after := TakeAll(c.latest, c.members)
	c.members = after
	return d, c
}

// Release tells every member that an admitted request is done.
func (c conjunction) Release() Limiter {
	members := make([]Limiter, len(c.members))
	for i, m := range c.members {
		members[i] = Release(m)
	}
	c.members = members
	return c
}

func rejectsConsume(l Limiter) bool {
	r, ok := l.(interface{ rejectsConsume() bool })
	return ok && r.rejectsConsume()
}
