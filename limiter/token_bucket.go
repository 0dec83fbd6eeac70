package limiter

import "time"

var tokenBucket = Model{
	Name:    "token-bucket",
	Doc:     "Burst tokens at first, refilled evenly at Limit per Window and never above Burst; a request takes one; the same as GCRA.",
	Reading: TokenBucket,
	New: func(l Limit) (Limiter, error) {
		if err := bucketMistakes(l); err != nil {
			return nil, err
		}
		shape := &bucketShape{limit: l}
		shape.token = shape.tokens(1)
		shape.depth = shape.tokens(l.Burst)
		return bucket{bucketShape: shape}, nil
	},
}

// A bucket keeps its level as a moment, the one at which it will be full: how
// long the missing tokens take to arrive. That moment is GCRA's theoretical
// arrival time (ITU-T I.371) with B = 1 + τ/T. Integers do not drift, so a
// thousand small steps equal one large step.
type bucket struct {
	*bucketShape
	latest time.Duration
	full   instant
}

// A bucketShape is what does not change about a bucket.
type bucketShape struct {
	limit Limit
	token instant // how long one token takes to arrive
	depth instant // how long an empty bucket takes to fill
}

// An instant is ns + part/limit nanoseconds, 0 ≤ part < limit. A token arrives
// every window/limit, which is no whole number of nanoseconds.
type instant struct{ ns, part int64 }

func (b bucket) Take(at time.Duration) (Decision, Limiter) {
	b.latest = now(at, b.latest)
	here := instant{ns: int64(b.latest)}
	if b.full.before(here) {
		b.full = here
	}
	empty := b.plus(here, b.depth) // when the bucket is full if it holds nothing now
	next := b.plus(b.full, b.token)
	d := Decision{OK: !empty.before(next)}
	switch {
	case d.OK:
		b.full = next
	case b.limit.RejectsConsume:
		b.full = empty
	}
	d.Remaining = b.whole(b.minus(empty, b.full))
	d.Wait = max(0, b.minus(b.plus(b.full, b.token), b.depth).up()-b.latest)
	d.Reset = b.full.up() - b.latest
	return d, b
}

func (b bucket) rejectsConsume() bool { return b.limit.RejectsConsume }

// tokens returns how long n tokens take to arrive.
func (s *bucketShape) tokens(n int64) instant {
	ns, part := mulDiv(n, int64(s.limit.Window), s.limit.Limit)
	return instant{ns, part}
}

// whole returns how many whole tokens arrive in a time of at most the depth.
func (s *bucketShape) whole(t instant) int64 {
	n, rest := mulDiv(t.ns, s.limit.Limit, int64(s.limit.Window))
	return n + (rest+t.part)/int64(s.limit.Window)
}

func (s *bucketShape) plus(a, b instant) instant {
	sum := instant{a.ns + b.ns, a.part + b.part}
	if sum.part >= s.limit.Limit {
		sum.ns, sum.part = sum.ns+1, sum.part-s.limit.Limit
	}
	return sum
}

func (s *bucketShape) minus(a, b instant) instant {
	rest := instant{a.ns - b.ns, a.part - b.part}
	if rest.part < 0 {
		rest.ns, rest.part = rest.ns-1, rest.part+s.limit.Limit
	}
	return rest
}

func (a instant) before(b instant) bool {
	return a.ns < b.ns || a.ns == b.ns && a.part < b.part
}

// up returns the first whole nanosecond that is not before the instant.
func (a instant) up() time.Duration {
	if a.part > 0 {
		return time.Duration(a.ns + 1)
	}
	return time.Duration(a.ns)
}
