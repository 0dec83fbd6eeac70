package limiter

import "time"

// Restarting returns a limiter that is forgotten when no request has come for
// a time, and begins anew at its moment 0 with the next one: a counter that is
// made for each client when it is needed.
func Restarting(fresh Limiter, idle time.Duration) Limiter {
	return restarting{fresh: fresh, idle: idle}
}

type restarting struct {
	fresh, inner Limiter // inner is nil before the first request
	idle         time.Duration
	began        time.Duration
	latest       time.Duration
}

func (r restarting) Take(at time.Duration) (Decision, Limiter) {
	at = now(at, r.latest)
	if r.inner == nil || at-r.latest >= r.idle {
		r.inner, r.began = r.fresh, at
	}
	r.latest = at
	d, after := r.inner.Take(at - r.began)
	r.inner = after
	return d, r
}

func (r restarting) rejectsConsume() bool { return rejectsConsume(r.fresh) }
