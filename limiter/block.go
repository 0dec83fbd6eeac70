package limiter

import "time"

// Blocking returns a limiter that refuses everything for a time once another
// one has refused: a ban. Where extended, each refused request begins the time
// anew. What comes while it lasts is not shown to the other one, which is as
// good as new when it is over.
func Blocking(fresh Limiter, length time.Duration, extended bool) Limiter {
	return block{fresh: fresh, inner: fresh, length: length, extended: extended}
}

type block struct {
	fresh    Limiter
	inner    Limiter
	length   time.Duration
	extended bool
	latest   time.Duration
	until    time.Duration
}

func (b block) Take(at time.Duration) (Decision, Limiter) {
	b.latest = now(at, b.latest)
	if b.latest < b.until {
		if b.extended {
			b.until = b.latest + b.length
		}
		return b.refused(), b
	}
	d, after := b.inner.Take(b.latest)
	b.inner = after
	if d.OK {
		return d, b
	}
	b.inner, b.until = b.fresh, b.latest+b.length
	return b.refused(), b
}

func (b block) refused() Decision {
	left := b.until - b.latest
	return Decision{Wait: left, Reset: left}
}

func (b block) rejectsConsume() bool { return b.extended }
