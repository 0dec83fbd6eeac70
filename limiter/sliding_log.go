package limiter

import "time"

var slidingLog = Model{
	Name:    "sliding-log",
	Doc:     "Limit requests in any trailing Window, the oldest moment excluded; Burst is not read.",
	Reading: SlidingLog,
	New: func(l Limit) (Limiter, error) {
		if err := windowMistakes(l); err != nil {
			return nil, err
		}
		return log{limit: &l}, nil
	},
}

// A log remembers the moments that count, at most Limit of them: older ones
// cannot decide anything.
type log struct {
	limit   *Limit
	latest  time.Duration
	newest  time.Duration
	moments queue
}

func (l log) Take(at time.Duration) (Decision, Limiter) {
	l.latest = now(at, l.latest)
	for l.moments.len() > 0 && l.latest-l.moments.first() >= l.limit.Window {
		l.moments = l.moments.pop()
	}
	d := Decision{OK: l.moments.len() < l.limit.Limit}
	if !d.OK && l.limit.RejectsConsume {
		l.moments = l.moments.pop()
	}
	if d.OK || l.limit.RejectsConsume {
		l.moments, l.newest = l.moments.push(l.latest), l.latest
	}
	d.Remaining = l.limit.Limit - l.moments.len()
	if d.Remaining == 0 {
		d.Wait = l.moments.first() + l.limit.Window - l.latest
	}
	d.Reset = l.newest + l.limit.Window - l.latest
	return d, l
}

func (l log) rejectsConsume() bool { return l.limit.RejectsConsume }

// A queue of moments is a value: neither push nor pop changes what another
// state of the same log sees. A slice cannot do that without a copy for each
// request. The moments that came last wait in a list, newest first, and are
// turned round when the front runs out, so that each is moved once.
type queue struct {
	front []time.Duration
	back  *link
}

type link struct {
	at    time.Duration
	older *link
	n     int64 // links from here on
}

func (q queue) len() int64 { return int64(len(q.front)) + q.back.len() }

func (l *link) len() int64 {
	if l == nil {
		return 0
	}
	return l.n
}

func (q queue) first() time.Duration { return q.front[0] }

// The front is empty only if all is, so that first need not search.
func (q queue) push(at time.Duration) queue {
	if len(q.front) == 0 {
		return queue{front: []time.Duration{at}}
	}
	q.back = &link{at, q.back, q.back.len() + 1}
	return q
}

func (q queue) pop() queue {
	q.front = q.front[1:]
	if len(q.front) > 0 || q.back == nil {
		return q
	}
	q.front = make([]time.Duration, q.back.n)
	for l := q.back; l != nil; l = l.older {
		q.front[l.n-1] = l.at
	}
	q.back = nil
	return q
}
