package analyze

import (
	"fmt"
	"math"
	"time"

	"duckload/limiter"
)

// A cover is rules about how many requests something happened to in a stretch
// of time, and when it happened to each admitted one.
type cover struct {
	reach reach
	rules []rule
}

// covers returns what may never be exceeded under a limit. A decision lies
// between the sending and the answer; two readings know more.
//
// A request that waited in a queue had its turn in that interval, too, and
// turns are an interval apart: 1 + r·t in a stretch of time t. How many the
// queue took in at once does not follow from that, for a request may have come
// when others had left; only where the scenario says how soon a request is
// decided (decided_within) the queue is bounded, too: B + r·t.
//
// A request that was under way for a service time S at least was decided S
// before its answer at the latest, and no more than C are decided in a time
// shorter than S: those of C places that hold each for S are the moments of a
// sliding log (theory.md §4.3 and §4.5). Without S there is no bound.
func (c *Case) covers(l limiter.Limit) []cover {
	switch l.Reading {
	case limiter.LeakyQueue:
		all := []cover{{reach{}, envelope(l)}}
		if c.decidedWithin() > 0 {
			bucket := l
			bucket.Reading = limiter.TokenBucket
			rules := envelope(bucket)
			rules[0].words = fmt.Sprintf("a queue of %d that lets %d/%s through", l.Burst, l.Limit, limiter.Per(l.Window))
			all = append(all, cover{c.decisions(l), rules})
		}
		return all
	case limiter.Concurrency:
		if l.ServiceTime == 0 {
			return nil
		}
		return []cover{{reach{surely: time.Duration(float64(l.ServiceTime) * (1 - clockDrift))}, envelope(l)}}
	}
	return []cover{{reach{}, envelope(l)}}
}

// decisions says when each request was decided by a limit at the latest. A
// queue decides long before the answer, but only the scenario can say how long.
func (c *Case) decisions(l limiter.Limit) reach {
	within := c.decidedWithin()
	if l.Reading != limiter.LeakyQueue || within == 0 {
		return reach{}
	}
	return reach{within: within + c.apart}
}

// decidedWithin is how soon after its sending every request of the counter is
// decided; 0 if some group does not say.
func (c *Case) decidedWithin() time.Duration {
	longest := time.Duration(0)
	for _, g := range c.Header.Groups {
		if g.Counter != c.Header.Groups[c.Group].Counter {
			continue
		}
		if g.DecidedWithin == 0 {
			return 0
		}
		longest = max(longest, g.DecidedWithin)
	}
	return longest
}

// isHeld reports whether a limit makes requests wait or counts what is under
// way: what it admits does not follow from the moments of decisions alone, as
// for all others.
func isHeld(l limiter.Limit) bool {
	return l.Reading == limiter.LeakyQueue || l.Reading == limiter.Concurrency
}

// unbound is why no ceiling of a limit can be found broken on this run; empty
// if it could.
func (c *Case) unbound(l limiter.Limit, certain []int) string {
	if l.Reading != limiter.Concurrency {
		return ""
	}
	if l.ServiceTime == 0 {
		return "requests that overlap here need not have overlapped there; say how long each takes the server at the least (service_time: 200ms)"
	}
	full := []rule{{most: math.Ceil(float64(l.Limit)*(1-l.Tolerance)) - 1, short: time.Duration(float64(l.ServiceTime) * (1 - clockDrift))}}
	for _, v := range c.covers(l) {
		for _, key := range c.strands(certain, l, v.reach) {
			if key.exceeds(full) {
				return ""
			}
		}
	}
	return fmt.Sprintf("there never were %d requests certainly under way at once, so one more would not have shown: send more than %d at once, and to something slower than the network", l.Limit, l.Limit)
}

// leavesOpen is what a ceiling that holds does not say.
func (c *Case) leavesOpen(l limiter.Limit) string {
	if l.Reading == limiter.LeakyQueue && c.decidedWithin() == 0 {
		return fmt.Sprintf("; that no more than %d wait would show where decided_within says how soon a request is queued", l.Burst)
	}
	return ""
}
