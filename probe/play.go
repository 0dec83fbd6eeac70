package probe

import (
	"time"

	"duckload/limiter"
)

// A playing is a particle amid an experiment.
type playing struct {
	state     particleState
	began, at time.Duration
	outcome   outcome
	requests  int
	held      time.Duration // for how long the server holds back what is under way
}

func (p particle) play(e experiment, now, trip time.Duration) playing {
	key := e.key
	if p.lanes[key] {
		key = 0
	}
	state, used := p.states[key]
	if !used {
		first := now
		if len(e.steps) > 0 {
			first += e.steps[0].after
		}
		state = p.fresh(first)
	}
	return playing{state: state, began: now, at: now}.goOn(e.steps, now, trip)
}

// goOn plays stages.
func (r playing) goOn(stages []stage, now, trip time.Duration) playing {
	for _, s := range stages {
		switch {
		case len(s.sweep) > 0:
			hit := len(s.sweep)
			for i, at := range s.sweep {
				r.at = max(r.at, now+at)
				if r.take() {
					hit = i
					break
				}
			}
			r.outcome = append(r.outcome[:len(r.outcome):len(r.outcome)], result{hit, true})
		case s.drain:
			r.at = max(r.at, now+s.after)
			n := 0
			for n < s.count && r.take() {
				n++
				if n&(n-1) == 0 {
					r.wait(trip)
				}
			}
			r.outcome = append(r.outcome[:len(r.outcome):len(r.outcome)], result{n, s.count == 1})
		default:
			r.at = max(r.at, now+s.after)
			n := 0
			for range s.count {
				if r.take() {
					n++
				}
			}
			r.outcome = append(r.outcome[:len(r.outcome):len(r.outcome)], result{n, s.count == 1})
		}
		r.wait(trip)
	}
	return r
}

func (r *playing) take() bool {
	var d limiter.Decision
	d, r.state.limiter = r.state.limiter.Take(r.at + r.state.behind)
	r.requests++
	r.held = max(r.held, d.Delay)
	return d.OK
}

// wait waits for the answers of what is under way.
func (r *playing) wait(trip time.Duration) { r.at, r.held = r.at+r.held+trip, 0 }

// admits returns the moment at which the limiter would admit again.
func (r playing) admits() time.Duration {
	d, _ := r.state.limiter.Take(r.at + r.state.behind)
	if d.OK {
		return r.at
	}
	return r.at + d.Wait
}
