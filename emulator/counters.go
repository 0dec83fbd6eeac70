package emulator

import (
	"crypto/sha256"
	"sync"
	"time"

	"duckload/limiter"
)

// counters are all counters of one limit, one for each sender that it tells
// apart.
type counters struct {
	fresh    limiter.Limiter
	replicas int
	most     int

	mu    sync.Mutex
	of    map[sender]*counter
	sweep int // how many there must be for the next sweep
}

// A sender is a digest, so that nobody can fill the memory with long names.
type sender [sha256.Size]byte

// A counter is one sender's. The clock is read under its lock, so that the
// order of decisions is the order of their moments.
type counter struct {
	mu       sync.Mutex
	replicas []limiter.Limiter
	turn     int           // of the replica that decides next
	whole    time.Duration // from here on it is as good as new, if nothing is under way
	underWay int           // admitted requests that are not done
	dropped  bool
}

// counter returns the counter of a sender. It returns nil if there are too
// many senders with allowance spent to count one more.
func (c *counters) counter(who sender, now time.Duration) *counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one, ok := c.of[who]; ok {
		return one
	}
	if len(c.of) >= c.sweep {
		c.dropWhole(now)
	}
	if len(c.of) >= c.most {
		return nil
	}
	one := &counter{replicas: make([]limiter.Limiter, c.replicas)}
	for i := range one.replicas {
		one.replicas[i] = c.fresh
	}
	c.of[who] = one
	return one
}

// dropWhole forgets the counters that are as good as new. The next sweep waits
// until there are twice as many, so that each request pays for little of it.
func (c *counters) dropWhole(now time.Duration) {
	for who, one := range c.of {
		if !one.mu.TryLock() {
			continue // somebody decides by it, so it is in use
		}
		if one.whole <= now && one.underWay == 0 {
			one.dropped = true
			delete(c.of, who)
		}
		one.mu.Unlock()
	}
	c.sweep = min(max(2*len(c.of), 64), c.most)
}

// take decides one request by all limits of a group at once. ok is false if
// there are too many senders. A request that was admitted is under way until
// done is called; for any other that changes nothing.
func (g *group) take(who []sender, clock func() time.Duration) (stands Standing, done func(), ok bool) {
	held := make([]*counter, 0, len(who))
	release := func() {
		for _, c := range held {
			c.mu.Unlock()
		}
		held = held[:0]
	}
	defer release()
	// Everybody takes the locks in the order of the limits.
	for i := 0; i < len(who); {
		c := g.counters[i].counter(who[i], clock())
		if c == nil {
			return Standing{}, func() {}, false
		}
		c.mu.Lock()
		held = append(held, c)
		if i++; c.dropped { // between the look-up and the lock
			release()
			i = 0
		}
	}
	states := make([]limiter.Limiter, len(held))
	for i, c := range held {
		states[i] = c.replicas[c.turn]
	}
	at := clock()
	stands = Standing{Limits: g.Limits}
	stands.Decision, stands.Tightest, states = limiter.TakeAll(at, states)
	var releases []func()
	for i, c := range held {
		turn := c.turn
		c.replicas[turn] = states[i]
		c.turn = (turn + 1) % len(c.replicas)
		if stands.Decision.Reset < limiter.Far {
			c.whole = max(c.whole, at+stands.Decision.Reset)
		}
		if _, holds := states[i].(limiter.Holder); holds && stands.Decision.OK {
			c.underWay++
			releases = append(releases, func() { c.release(turn) })
		}
	}
	return stands, func() {
		for _, release := range releases {
			release()
		}
	}, true
}

// release tells a replica that a request is done.
func (c *counter) release(replica int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replicas[replica] = limiter.Release(c.replicas[replica])
	c.underWay--
}
