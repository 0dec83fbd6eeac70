package limiter

import (
	"fmt"
	"time"
)

var concurrency = Model{
	Name:    "concurrency",
	Doc:     "At most Limit requests under way at once, each from the moment at which it is admitted until it is done; Window and Burst are not read.",
	Reading: Concurrency,
	New: func(l Limit) (Limiter, error) {
		if l.Limit < 1 || l.Limit > most {
			return nil, fmt.Errorf("limit must be 1 to %d, got %d", most, l.Limit)
		}
		return places{limit: l.Limit}, nil
	},
}

// A Holder is a limiter that counts what is under way. Whoever asks it must
// tell it when a request that was admitted is done.
type Holder interface {
	Limiter

	// Release returns the state after a request that was admitted is done. A
	// release of what was never taken changes nothing.
	Release() Limiter
}

// Release returns the state of any limiter after a request that was admitted
// is done. Most do not care.
func Release(l Limiter) Limiter {
	if h, ok := l.(Holder); ok {
		return h.Release()
	}
	return l
}

// Places are taken by the requests under way. A rejected request is over at
// once and takes none.
type places struct{ limit, taken int64 }

func (p places) Take(time.Duration) (Decision, Limiter) {
	d := Decision{OK: p.taken < p.limit}
	if d.OK {
		p.taken++
	}
	d.Remaining = p.limit - p.taken
	if d.Remaining == 0 {
		d.Wait = Far
	}
	d.Reset = Far
	return d, p
}

func (p places) Release() Limiter {
	p.taken = max(0, p.taken-1)
	return p
}
