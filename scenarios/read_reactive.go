package scenarios

import (
	"fmt"
	"time"

	"duckload/english"
	"duckload/limiter"
)

// readProbe reads probe: edges. What is probed follows from the reading: a
// bucket gives back one at a time, everything else what a window held.
func readProbe(r *reader, w written) []Phase {
	r.oneOf(w.value, "edges")
	if w.lasts == 0 || r.refuseHeld(w, "what comes back cannot be probed by asking one at a time") {
		return nil // there is a mistake about that already
	}
	l := w.of
	if l.Reading != limiter.TokenBucket {
		returns := max(1, int(min(w.lasts/l.Window, maxPairs)))
		return []Phase{{Pace: window.Name, Count: returns, For: w.lasts, Label: "probe edges for " + w.lasts.String()}}
	}
	const mostTokens = 100_000
	if w.lasts/l.Interval() > mostTokens {
		r.bad(w.value, "more than %d tokens come back in %s (write a shorter for)", mostTokens, w.lasts)
	}
	if w.lasts < 2*l.Interval() {
		r.bad(w.value, "needs at least %s, in which two tokens come back", (2 * l.Interval()).Round(time.Millisecond))
	}
	return []Phase{{Pace: edges.Name, Count: maxPairs, For: w.lasts, Drain: int(min(l.Burst, maxBurst)) + 2, Label: "probe edges for " + w.lasts.String()}}
}

// readObey reads obey: retry-after. It waits for as long as a limiter that
// keeps the promise can ask for.
func readObey(r *reader, w written) []Phase {
	r.oneOf(w.value, "retry-after")
	if r.refuseHeld(w, "one request at a time provokes no rejection") {
		return nil
	}
	l := w.of
	if l.Reading == limiter.Open {
		l.Burst = max(l.Burst, l.Limit)
	}
	return []Phase{{
		Pace: obey.Name, Count: w.times, For: min(l.FullRest(), maxDuration) + 2*time.Second, Drain: int(min(max(l.Capacity(), l.Burst), maxBurst)) + 2,
		Label: fmt.Sprintf("obey Retry-After %s", english.Times(w.times)),
	}}
}

// foreseen says how long a reactive phase that was written by hand takes, and
// what it sends, if the promise is kept.
func foreseen(p Phase, trip time.Duration) Phase {
	l, token := p.Limit, p.Limit.Interval()
	switch p.Pace {
	case findCapacity.Name:
		p.About = time.Duration(trialsForeseen(*p.Search)) * p.Search.Each
		p.Likely = p.Search.Most
	case refill.Name:
		p.About = l.FullRest()
	case edges.Name:
		tokens := edgeTokens(p)
		pairs := min(tokens, p.Count)
		p.About, p.Rejections = p.For, pairs*leadsEach(l)
		p.Likely = tokens + p.Rejections + p.Drain - 1
	case window.Name:
		p.About, p.Rejections = p.For, 2*coarse
		p.Likely = 2*coarse + p.Count*(int(l.Capacity())+1)
	case obey.Name:
		p.Rejections = p.Count
		if l.Reading == limiter.TokenBucket {
			p.About = time.Duration(p.Count) * min(max(slower(token), time.Second+2*trip), maxDuration)
			p.Likely = p.Drain + p.Count*(2+int(time.Second/token))
			break
		}
		p.About = time.Duration(p.Count) * min(l.FullRest(), maxDuration/maxTimes)
		p.Likely = p.Count * (p.Drain + 1)
	}
	return p
}
