package attack

import (
	"fmt"
	"sync"
	"time"

	"duckload/limiter"
	"duckload/scenarios"
)

// leastForStop is how many requests must have ended in the window of a stop
// rule before it is asked: two of three are no storm.
const leastForStop = 10

// stopRules end a run that hurts.
type stopRules []*stopRule

type stopRule struct {
	scenarios.StopRule

	mu      sync.Mutex
	recent  []recently // in the trailing window
	unknown int
}

type recently struct {
	at      time.Duration
	unknown bool
}

func newStopRules(rules []scenarios.StopRule) stopRules {
	var s stopRules
	for _, r := range rules {
		s = append(s, &stopRule{StopRule: r})
	}
	return s
}

// ended takes the end of a request and returns the rule that it breaks.
func (s stopRules) ended(at time.Duration, o limiter.Outcome) (rule string, broken bool) {
	for _, r := range s {
		if r.ended(at, o == limiter.Unknown) {
			return fmt.Sprintf("%.4g %% or more without a clear answer in %s", 100*r.Share, r.Within), true
		}
	}
	return "", false
}

func (r *stopRule) ended(at time.Duration, unknown bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recent = append(r.recent, recently{at, unknown})
	if unknown {
		r.unknown++
	}
	for len(r.recent) > 0 && r.recent[0].at < at-r.Within {
		if r.recent[0].unknown {
			r.unknown--
		}
		r.recent = r.recent[1:]
	}
	return len(r.recent) >= leastForStop && float64(r.unknown) >= r.Share*float64(len(r.recent))
}
