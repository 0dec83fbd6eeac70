package analyze

import (
	"fmt"
	"slices"
	"strings"

	"duckload/limiter"
)

// disguise says that what was sent in a disguise met another counter.
func (s *symptoms) disguise(kind, format string) string {
	if !s.is("limit.ceiling") || documentedScope(s.Promise) == limiter.ScopeUnknown || s.tooMany() {
		return ""
	}
	for _, trick := range s.disguises() {
		if !strings.Contains(trick, kind) {
			continue
		}
		if s.explainedBy(hypothesis{tricks: []string{trick}, key: undisguised(s.Header, documentedScope(s.Promise))}) {
			return fmt.Sprintf(format, trick)
		}
	}
	return ""
}

func (s *symptoms) explainedBy(h hypothesis) bool {
	s.test(&h, 1)
	return h.explains()
}

// fewRequests is how many requests are read again from the record to see which
// of a group's requests they were.
const fewRequests = 20_000

func perPath(s *symptoms) string {
	if sentence := s.disguise("spelling", "%s has a counter of its own"); sentence != "" {
		return sentence
	}
	if !s.is("limit.ceiling") || len(s.Header.Groups[s.Group].Requests) < 2 || len(s.Rows) > fewRequests {
		return ""
	}
	byRequest := map[int][]Row{}
	all := s.Evidence(s.Rows)
	for i, r := range s.Rows {
		byRequest[all[i].Request] = append(byRequest[all[i].Request], r)
	}
	if len(byRequest) < 2 {
		return ""
	}
	for _, rows := range byRequest {
		own := *s.Case
		own.Rows = rows
		h := hypothesis{key: undisguised(s.Header, documentedScope(s.Promise))}
		if own.test(&h, 1); !h.explains() {
			return ""
		}
	}
	return "counted path by path, nothing is wrong: each path seems to have a counter of its own"
}

func notShared(s *symptoms) string {
	if !s.is("limit.ceiling") || documentedScope(s.Promise) == limiter.ScopeUnknown || s.tooMany() {
		return ""
	}
	all := s.hypotheses(documentedScope(s.Promise))
	for _, h := range all[1:] {
		if h.keys > all[0].keys && s.explainedBy(h) {
			return fmt.Sprintf("the counter is not shared: counted %s, nothing is wrong", h)
		}
	}
	return ""
}

func otherScope(s *symptoms) string {
	if s.scoped && s.is("limit.floor") {
		return "another scope than the documented one explains it: see scope"
	}
	return ""
}

func neverEnforced(s *symptoms) string {
	if !s.is("limit.ceiling") || slices.ContainsFunc(s.Rows, func(r Row) bool { return r.Outcome == limiter.Rejected }) {
		return ""
	}
	return "nothing was rejected in the whole run: the limit may be much higher, as that of several replicas is that each count for themselves, or not switched on"
}

func notHeldBack(s *symptoms) string {
	if !s.is("limit.ceiling") || !s.single || s.limit.Reading != limiter.LeakyQueue {
		return ""
	}
	l := s.limit
	l.Reading = limiter.TokenBucket
	if !s.keeps(l) {
		return ""
	}
	return fmt.Sprintf("a bucket of %d explains the run: what should wait for its turn is answered at once (as with nginx's nodelay)", l.Burst)
}

func consuming(s *symptoms) string {
	if !s.is("limit.floor", "limit.rate", "limit.burst", "limit.window", "recovery", "sustained") || !s.single || s.limit.RejectsConsume {
		return ""
	}
	if yes := s.rejectsConsume(); yes != nil && *yes {
		return "counted with the rejected requests, nothing is wrong: a rejected request seems to spend allowance, so who asks too early waits anew"
	}
	return ""
}

// replicas: k times the burst, and k times the rate.
func replicas(s *symptoms) string {
	if !s.is("limit.ceiling", "limit.burst") || !s.single {
		return ""
	}
	const most = 9
	for k := int64(2); k < most; k++ {
		l := s.limit
		l.Limit, l.Burst = l.Limit*k, l.Burst*k
		if s.within(l) && (s.keeps(l) || s.takeTurns(l, k)) {
			return fmt.Sprintf("%d times the limit explains the run: %d replicas may each count for themselves", k, k)
		}
	}
	return ""
}

// within reports whether nothing was admitted above another limit.
func (s *symptoms) within(l limiter.Limit) bool {
	h := hypothesis{key: keys(s.Header, []limiter.Limit{l}).certain}
	s.alone(l).overrun(&h)
	return h.over == nil
}

// takeTurns reports whether nothing was rejected before k replicas were used
// up to all but a few requests: one that has nothing left rejects although the
// others, which take turns with it, have up to two each.
func (s *symptoms) takeTurns(l limiter.Limit, k int64) bool {
	left := 2 * (k - 1)
	if l.Reading != limiter.TokenBucket || l.Burst-left <= l.Burst/k*(k-1) || !s.refutable() {
		return false
	}
	l.Burst -= left
	wrong, judged := s.alone(l).wronglyRejected()
	return judged > 0 && len(wrong) == 0
}

// keeps reports whether the run keeps another limit: nothing above it, and
// nothing wrongly rejected.
func (s *symptoms) keeps(l limiter.Limit) bool {
	if !s.within(l) || !s.refutable() {
		return false
	}
	wrong, judged := s.alone(l).wronglyRejected()
	return judged > 0 && len(wrong) == 0
}

func oneMore(s *symptoms) string {
	if !s.is("limit.ceiling", "limit.burst") || !s.single {
		return ""
	}
	l := s.limit
	switch l.Reading {
	case limiter.TokenBucket, limiter.SteppedBucket, limiter.LeakyQueue:
		l.Burst++
	default:
		l.Limit++
	}
	if !s.keeps(l) {
		return ""
	}
	if l.Reading != limiter.TokenBucket {
		return fmt.Sprintf("%d instead of %d explains the run: the comparison may be off by one", l.Capacity(), s.limit.Capacity())
	}
	return fmt.Sprintf("burst %d explains the run: some limiters count the burst on top of the request that fits the rate (nginx's burst=%d nodelay admits %d)", l.Burst, s.limit.Burst, l.Burst)
}

func windowEdge(s *symptoms) string {
	if !s.is("limit.ceiling") || !s.single || s.limit.Reading == limiter.FixedWindow {
		return ""
	}
	r, w := s.readings(), s.finding.Witness
	if r == nil || slices.Contains(r.explain, string(s.limit.Reading)) {
		return ""
	}
	a := r.windows["fixed-window"]
	if len(a.limits) == 0 || w.Counted <= a.limit || float64(w.To-w.From) > a.fit.high.value {
		return ""
	}
	return fmt.Sprintf("a fixed window of %d lets up to %d through around its edge", a.limit, 2*a.limit)
}

func otherAlgorithm(s *symptoms) string {
	if !strings.HasPrefix(s.finding.Check, "limit.") || !s.single {
		return ""
	}
	return s.otherReading(s.limit)
}

func upAndDown(s *symptoms) string {
	says := func(words string) bool { return strings.Contains(s.finding.Message, words) }
	if s.is("headers") && (says("goes up and down") || says("more is said to remain than can") && says("less is said to remain than must")) {
		return "what remains jumps: several servers may each count for themselves"
	}
	return ""
}

func constantWait(s *symptoms) string {
	if !strings.HasPrefix(s.finding.Check, "retry_after.") || strings.Contains(s.finding.Message, "constant") {
		return ""
	}
	n, first := 0, Wait(0)
	for _, r := range s.Rows {
		switch {
		case r.Outcome != limiter.Rejected || r.Wait == 0:
		case n > 0 && r.Wait != first:
			return ""
		default:
			n, first = n+1, r.Wait
		}
	}
	if wait, _, ok := first.told(); ok && n >= 3 {
		return fmt.Sprintf("all %d rejections say the same: %s", n, brief(wait))
	}
	return ""
}
