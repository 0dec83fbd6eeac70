package analyze

import (
	"duckload/history"
	"duckload/limiter"
)

// lateness collects how late requests were sent. An attempt that the transport
// sent again counts, the attempt after it does not: that one waited for the
// network.
type lateness struct {
	sample
	again map[resend]bool
}

// A resend identifies a request that was sent more than once.
type resend struct {
	lane int
	seq  uint64
}

// Observe takes the next observation.
func (l *lateness) Observe(o *history.Observation, _ limiter.Outcome) {
	id := resend{o.Lane, o.Seq}
	if l.again[id] {
		return
	}
	if o.Resent {
		if l.again == nil {
			l.again = map[resend]bool{}
		}
		l.again[id] = true
	}
	l.add(o.Sent - o.Intended)
}

// summary returns what was collected.
func (l *lateness) summary() Lateness {
	if l.n == 0 {
		return Lateness{}
	}
	r := l.sorted()
	return Lateness{N: l.n, P50: r.percentile(50), P99: r.percentile(99), Max: l.max}
}
