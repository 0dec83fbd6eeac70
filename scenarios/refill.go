package scenarios

import (
	"math"
	"time"

	"duckload/limiter"
)

// drift is how much faster or slower than ours a server's clock may run, as in
// the assumptions of the checks: NTP corrects clocks by no more.
const drift = 5e-4

var refill = Pace{
	Name:     "refill",
	Doc:      "Sends nothing until the allowance (Limit) is certainly whole after what was sent; For is what an unknown key needs from the start of the run.",
	Next:     func(p Phase, v View) Move { return Move{Wake: fullAt(p, v.Seen), Done: true} },
	Requests: func(Phase) int { return 0 },
}

// fullAt returns the moment at which the allowance is certainly whole if
// nothing more is sent. A request counts at the latest moment at which it can
// have been decided, because that is the worst for the level afterwards.
func fullAt(p Phase, seen []Seen) time.Duration {
	at, last := p.For, time.Duration(0)
	for _, s := range byAnswer(p, seen) {
		if s.Outcome == limiter.Rejected && !p.Limit.RejectsConsume {
			continue
		}
		last = decided(s)
		switch {
		case p.Limit.Reading == limiter.LeakyQueue && !lost(s): // it had its turn before its answer, and the next has his an interval later
			at = max(at, last+p.Limit.Interval()+1)
		case p.Limit.Reading == limiter.LeakyQueue && s.Outcome != limiter.Rejected:
			at = max(at, last) + p.Limit.FullRest()
		case p.Limit.Reading == limiter.TokenBucket && s.Outcome != limiter.Rejected:
			at = max(at, last) + p.Limit.Interval() + 1
		default: // a window, or a bucket that a rejected request empties
			at = max(at, last+p.Limit.FullRest())
		}
	}
	if at <= 0 {
		return 0
	}
	slack := time.Duration(math.Ceil(float64(at-last) * (drift/(1-drift) + p.Limit.Tolerance)))
	return at + slack + p.Limit.Clock() + guard
}

// decided returns the latest moment at which a request is taken to have been
// decided. One that was never answered might be decided at any time; a plan
// cannot wait for that.
func decided(s Seen) time.Duration {
	if lost(s) {
		return s.Sent
	}
	return s.Answered
}

// lost reports that no answer came.
func lost(s Seen) bool { return s.Answered > s.Sent+maxDuration }
