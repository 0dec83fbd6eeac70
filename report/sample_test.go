package report

import (
	"iter"
	"math"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// passing is the report of a run in which the whole Space Duck table holds.
func passing() Report {
	r := Report{Tool: "duckload 0.1.0", Header: history.Header{
		Run: "01K9T0ZQ5V", Scenario: "space-duck", Target: "http://127.0.0.1:41377", Seed: 7,
		Started: time.Date(2026, 11, 23, 10, 14, 5, 0, time.UTC), Tool: "duckload 0.1.0",
	}}
	f := &r.Findings
	f.Run = analyze.Run{
		ID: "01K9T0ZQ5V", Scenario: "space-duck", Target: "http://127.0.0.1:41377", Seed: 7,
		Started: r.Header.Started, Duration: 74*time.Second + 212*time.Millisecond, Complete: true,
	}
	for i, g := range []struct {
		name     string
		limit    int64
		burst    int64
		scope    limiter.Scope
		requests []string
	}{
		{"metrics", 100, 200, limiter.ScopeUnknown, []string{"GET /beak/metrics"}},
		{"signup", 10, 5, limiter.ScopeIP, []string{"POST /beak/signup"}},
		{"status", 60, 120, limiter.ScopeUnknown, []string{"GET /beak/system/status"}},
		{"newsletter", 5, 2, limiter.ScopeIP, []string{"POST /beak/newsletter/subscribe"}},
		{"support", 5, 2, limiter.ScopeIP, []string{"POST /beak/support/contact"}},
		{"pageview", 500, 1000, limiter.ScopeUnknown, []string{"POST /beak/pageview"}},
	} {
		promise := limiter.Promise{
			Limits:   []limiter.Limit{{Limit: g.limit, Window: time.Minute, Burst: g.burst, Scope: g.scope, Reading: limiter.TokenBucket}},
			Reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterRequired},
			Admitted: []limiter.Statuses{{From: 200, To: 299}},
		}
		method, path, _ := strings.Cut(g.requests[0], " ")
		byHand := history.Curl{Path: path}
		if method == "POST" {
			byHand.Options = `-X POST -H 'Content-Type: application/json' --data '{"email":"duck@example.com"}'`
		}
		r.Header.Groups = append(r.Header.Groups, history.Group{
			Name: g.name, Counter: g.name, Promise: promise, Exclusive: true, Fresh: true, Requests: g.requests, Curl: []history.Curl{byHand},
		})
		r.Header.Lanes = append(r.Header.Lanes, history.Lane{Group: i, Identity: "beak", Source: "127.0.0.2", Curl: `-H 'Authorization: Bearer '"$BEAK_KEY"`})
		r.Header.Phases = append(r.Header.Phases, history.Phase{Group: i, Pace: "burst", Label: "burst"})
		f.Groups = append(f.Groups, holds(g.name, promise, i))
		f.Run.Requests += f.Groups[i].Sent
	}
	f.Outcome = analyze.Pass
	f.Sentence = "every promise that was tested holds: 6 groups, 42 checks"
	f.Assumptions = []string{
		"each key has one limiter that decides about one request at a time",
		"the limiter's clock runs within 0.05 % of ours, in steps of at most 10 ms",
		"nobody else used the keys during the run",
	}
	f.Sending = sent(f.Run.Requests)
	f.Lateness = analyze.Lateness{N: f.Run.Requests, P50: 61 * time.Microsecond, P99: 1400 * time.Microsecond, Max: 8200 * time.Microsecond}
	return r
}

// holds is a group for which everything holds.
func holds(name string, p limiter.Promise, i int) analyze.Group {
	l := p.Limits[0]
	no := false
	g := analyze.Group{
		Name: name, Promise: p, Outcome: analyze.Pass, Lanes: []string{"beak from 127.0.0.2", "beak from 127.0.0.3"},
		Timeline: burstThenProbes(l),
		Measured: &analyze.Measured{
			Family: "token-bucket", Consistent: []string{"token-bucket"}, Scope: string(l.Scope), RejectsConsume: &no,
			LimitPerWindow: &analyze.Interval{Low: float64(l.Limit) * 0.9998, High: float64(l.Limit) * 1.0003},
			RatePerSecond:  &analyze.Interval{Low: l.Rate() * 0.9998, High: l.Rate() * 1.0003},
			Burst:          &analyze.Interval{Low: float64(l.Burst), High: float64(l.Burst)},
			Plane:          plane(l, float64(l.Burst)),
		},
		Findings: []analyze.Finding{
			{Check: "limit.ceiling", Outcome: analyze.Pass, Message: "never more than the documented limit: 212 admitted, at most 214.9 allowed"},
			{Check: "limit.floor", Outcome: analyze.Pass, Message: "none of 41 rejections came while allowance was certainly there"},
			{Check: "reject.status", Outcome: analyze.Pass, Message: "every one of 41 rejections has status 429"},
			{Check: "reject.body", Outcome: analyze.Pass, Message: "every one of 41 rejections carries error.code E4004"},
			{Check: "retry_after.present", Outcome: analyze.Pass, Message: "every one of 41 rejections carried a Retry-After"},
			{Check: "retry_after.sufficient", Outcome: analyze.Pass, Message: "2 retries were sent within a second of the told moment and admitted, the promptest 0.012 s after it"},
			{Check: "latency", Outcome: analyze.Pass, Message: "p99 of 212 admitted answers was 2.1 ms, within 2 s"},
		},
	}
	for b := range g.Timeline.Offered {
		g.Sent += g.Timeline.Offered[b]
		g.Admitted += g.Timeline.Admitted[b]
		g.Rejected += g.Timeline.Rejected[b]
	}
	g.Latency[limiter.Admitted] = latency(g.Admitted, 700*time.Microsecond*time.Duration(i+1))
	g.Latency[limiter.Rejected] = latency(g.Rejected, 300*time.Microsecond)
	g.Shown = shown(&g)
	return g
}

// plane is what a run leaves that measures a burst well and a rate by how long
// it went on.
func plane(l limiter.Limit, burst float64) *analyze.Plane {
	p := &analyze.Plane{Rate: l.Rate(), Burst: float64(l.Burst)}
	for i := range 101 {
		x := float64(i-50) / 50
		p.Slices = append(p.Slices, analyze.PlaneSlice{
			Rate: l.Rate() * (1 + 0.002*x), Least: burst - 0.03 - 0.03*x + 0.05*max(0, -x), Most: burst + 0.03 - 0.03*x - 0.05*max(0, x),
		})
	}
	return p
}

// burstThenProbes is the timeline of a compiled plan: a burst, edge probes, a
// rest and a second, partial burst.
func burstThenProbes(l limiter.Limit) analyze.Timeline {
	const n = 148
	t := analyze.Timeline{Bin: 500 * time.Millisecond, Offered: make([]int, n), Admitted: make([]int, n), Rejected: make([]int, n), Unknown: make([]int, n)}
	level := float64(l.Burst)
	for b := range n {
		level = min(float64(l.Burst), level+l.Rate()*t.Bin.Seconds())
		switch {
		case b == 2:
			t.Offered[b] = int(l.Burst) + 2
		case b > 4 && b < 60 && b%2 == 0:
			t.Offered[b] = 1 + int(l.Rate())
		case b == 120:
			t.Offered[b] = int(l.Rate()*30) + 2
		}
		t.Admitted[b] = min(t.Offered[b], int(level))
		t.Rejected[b] = t.Offered[b] - t.Admitted[b]
		level -= float64(t.Admitted[b])
	}
	return t
}

// latency is a distribution with a long tail.
func latency(n int, median time.Duration) analyze.Latency {
	if n == 0 {
		return analyze.Latency{}
	}
	at := func(p float64) time.Duration {
		return (median + time.Duration(float64(median)*0.6*-math.Log10(max(1-p/100, 0.5/float64(n))))).Round(time.Microsecond)
	}
	l := analyze.Latency{N: n, Mean: median, P50: at(50), P90: at(90), P95: at(95), P99: at(99), Max: at(100)}
	for i := 0; ; i++ {
		p := 100 * (1 - math.Pow(10, -float64(i)/20))
		if float64(n)*(100-p)/100 < 1 {
			break
		}
		l.Spectrum = append(l.Spectrum, analyze.Quantile{Percentile: p, Value: at(p)})
	}
	l.Spectrum = append(l.Spectrum, analyze.Quantile{Percentile: 100, Value: l.Max})
	return l
}

// failing is a run against a server that admits 214 at once instead of 200, and
// whose answers hold what an attacker would send.
func failing() Report {
	r := passing()
	r.Observations, r.Header.File, r.Header.Groups[0].Line, r.Header.Groups[1].Line = seen(), "limits/space-duck.yaml", 21, 24
	f := &r.Findings
	f.Outcome = analyze.Fail
	f.Sentence = "2 of 42 checks fail, in metrics and signup"
	g := &f.Groups[0]
	g.Outcome = analyze.Fail
	g.Measured.Burst = &analyze.Interval{Low: 214, High: 214}
	g.Measured.Plane = plane(g.Promise.Limits[0], 214)
	g.Timeline.Offered[2], g.Timeline.Admitted[2], g.Timeline.Rejected[2] = 220, 214, 6
	g.Sent, g.Admitted, g.Rejected = g.Sent+18, g.Admitted+14, g.Rejected+4
	g.Shown = shown(g)
	g.Shown.Waits.Wrong = []analyze.WaitPoint{
		{At: 2 * time.Second, Told: time.Second, Rounding: time.Second, Least: 1300 * time.Millisecond, Short: true},
		{At: 3 * time.Second, Told: 5 * time.Second, Rounding: time.Second, Least: time.Second, Most: 1500 * time.Millisecond, Long: true},
	}
	g.Shown.Waits.Shorts, g.Shown.Waits.Longs = 1, 1
	g.Shown.Headers[1].Lies, g.Shown.Headers[1].Why = 12, "the request answered at 1.401 s was told that 199 remain; at most 3 can"
	g.Shown.Scope.Scopes[0].Explains, g.Shown.Scope.Scopes[0].Otherwise = false, analyze.Pass
	g.Findings[0] = analyze.Finding{
		Check: "limit.ceiling", Outcome: analyze.Fail,
		Message: "214 requests were admitted in 0.469 s; a bucket of 200 refilled at 100/min admits at most 200.9",
		Witness: &analyze.Witness{
			Sentence: "between 1.012 s and 1.481 s, 214 requests were admitted; a bucket of 200 refilled at 100/min admits at most 200.9",
			From:     1012 * time.Millisecond, To: 1481 * time.Millisecond, Counted: 214, Allowed: 200.948, More: 211,
			Requests: []analyze.Evidence{
				{Lane: 0, Seq: 1, Sent: 1012 * time.Millisecond, Answered: 1014 * time.Millisecond, Status: 200, Outcome: limiter.Admitted},
				{Lane: 0, Seq: 2, Sent: 1015 * time.Millisecond, Answered: 1017 * time.Millisecond, Status: 200, Outcome: limiter.Admitted,
					Fields: limiter.Fields{{Name: "X-Ratelimit-Remaining", Value: "199"}}},
				{Lane: 0, Seq: 214, Sent: 1479 * time.Millisecond, Answered: 1481 * time.Millisecond, Status: 200, Outcome: limiter.Admitted},
			},
		},
	}
	s := &f.Groups[1]
	s.Outcome = analyze.Fail
	s.Events = []analyze.Delivered{
		{Event: "agent.registered", Admitted: 5, Came: 4, Lost: 1, Repeated: 2, Lag: latency(4, 90*time.Millisecond)},
		{Event: "cert.issued", Admitted: 5, Lost: 5},
	}
	s.Findings[3] = analyze.Finding{
		Check: "reject.body", Outcome: analyze.Fail,
		Message: `9 of 9 rejections do not carry error.code E4004: "<script>alert(1)</script>` + "\x1b[31m\"",
		Witness: &analyze.Witness{
			Sentence: "the rejection answered at 1.044 s carries another error.code", From: time.Second, To: 1044 * time.Millisecond, Counted: 1,
			Requests: []analyze.Evidence{{
				Lane: 1, Phase: 1, Seq: 6, Sent: time.Second, Answered: 1044 * time.Millisecond, Status: 429, Outcome: limiter.Rejected,
				Fields: hostile(),
			}},
		},
	}
	return r
}

// hostile is what a server may send.
func hostile() limiter.Fields {
	return limiter.Fields{
		{Name: "json:error.code", Value: `<script>alert(1)</script>`},
		{Name: "Retry-After", Value: "6\x1b[31m\x00\u202e\xff"},
		{Name: "X-Ratelimit-Policy", Value: `"><img src=http://evil.example/x onerror=alert(2)>`},
	}
}

// undecided is a run in which a record broke off, an answer never came, and
// nothing at all could be measured for one group.
func undecided() Report {
	r := passing()
	f := &r.Findings
	f.Outcome = analyze.Inconclusive
	f.Sentence = "nothing fails, but 2 of 42 checks could not be decided"
	f.Run.Complete, f.Run.Reason = false, "interrupted"
	f.Caveats = []string{"the run was interrupted: 44 of 1452 planned requests were not sent", "1 request was sent again by the transport after a connection died"}
	f.Lateness.Max = 240 * time.Millisecond
	f.Sending.GapFrom, f.Sending.GapTo, f.Sending.Resent = 30*time.Second, 31500*time.Millisecond, 1
	f.Sending.Errors = []analyze.ErrorCount{{Class: "timeout", N: 1}, {Class: "reset <b>", N: 1}}
	g := &f.Groups[3]
	g.Outcome = analyze.Inconclusive
	g.Findings[5] = analyze.Finding{
		Check: "retry_after.sufficient", Outcome: analyze.Inconclusive,
		Message: "no rejection was followed by a retry at the told moment; a plan with obey: retry-after would decide it",
	}
	g.Measured.RatePerSecond = &analyze.Interval{Low: 0.08, High: math.Inf(1)}
	g.Measured.LimitPerWindow = &analyze.Interval{Low: 4.8, High: math.Inf(1)}
	s := &f.Groups[4]
	*s = analyze.Group{Name: s.Name, Promise: s.Promise, Outcome: analyze.Inconclusive, Sent: 1, Unknown: 1, Findings: []analyze.Finding{{
		Check: "limit.ceiling", Outcome: analyze.Inconclusive,
		Message: "nothing was rejected, so nobody knows whether the limit is there; send more than the burst of 2",
	}, {
		Check: "errors", Outcome: analyze.Inconclusive, Message: "1 of 1 request got no answer; see why the target closes connections",
		Witness: &analyze.Witness{Sentence: "the request sent at 0.500 s was never answered", From: 500 * time.Millisecond, To: history.Never, Counted: 1, Allowed: math.NaN(),
			Requests: []analyze.Evidence{{Lane: 4, Phase: 4, Sent: 500 * time.Millisecond, Answered: history.Never}}},
	}}}
	s.Timeline = analyze.Timeline{Bin: 500 * time.Millisecond, Offered: []int{0, 1}, Admitted: []int{0, 0}, Rejected: []int{0, 0}, Unknown: []int{0, 1}}
	s.Latency[limiter.Unknown] = latency(1, 2*time.Second)
	return r
}

// hostileEverywhere puts what an attacker would send into everything that a
// server, or whoever wrote a scenario, can choose.
func hostileEverywhere() Report {
	r := failing()
	const bad = "</script><script>alert(1)</script>\x1b]0;owned\a\r\n::error::owned\x00\u202e\xff]]>\"'`|%0A{{.}}${x}"
	r.Header.Target, r.Findings.Run.Target = "http://127.0.0.1/"+bad, "http://127.0.0.1/"+bad
	r.Header.Scenario, r.Findings.Run.Scenario = bad, bad
	r.Header.File = "dir/" + bad + ",:.yaml"
	r.Findings.Run.Reason, r.Findings.Run.Complete = bad, false
	r.Findings.Sentence += bad
	r.Findings.Caveats = []string{bad}
	for i := range r.Findings.Groups {
		g := &r.Findings.Groups[i]
		g.Name += bad
		r.Header.Groups[i].Name, r.Header.Groups[i].Line = g.Name, i+1
		for k := range g.Findings {
			g.Findings[k].Message += bad
		}
		for k := range g.Events {
			g.Events[k].Event += bad
		}
	}
	w := r.Findings.Groups[1].Findings[3].Witness
	w.Sentence += bad
	w.Requests[0].Fields = append(hostile(), limiter.Field{Name: "X-Ratelimit-Limit" + bad, Value: strings.Repeat("A\xff", 1<<19)})
	return r
}

// seen are the observations of the failing sample that its events show.
func seen() iter.Seq2[history.Observation, error] {
	return func(yield func(history.Observation, error) bool) {
		for _, o := range []history.Observation{
			{Seq: 1, Intended: time.Second, Sent: 1012 * time.Millisecond, Answered: 1014 * time.Millisecond, Done: 1015 * time.Millisecond, Status: 200, BytesIn: 12},
			{Lane: 1, Phase: 1, Seq: 6, Intended: time.Second, Sent: time.Second, Answered: 1044 * time.Millisecond, Done: 1045 * time.Millisecond, Status: 429, BytesIn: 40, BytesOut: 12, Evidence: hostile()},
			{Seq: 2, Intended: time.Second, Sent: 1015 * time.Millisecond, Answered: history.Never, Done: 31 * time.Second, Error: "timeout"},
		} {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// atOnce is a run against a limit of requests at once.
func atOnce() Report {
	r := passing()
	g := &r.Findings.Groups[0]
	g.Promise.Limits = []limiter.Limit{{Limit: 5, Reading: limiter.Concurrency}}
	g.Measured = &analyze.Measured{Family: "concurrency", Consistent: []string{"concurrency"}, AtOnce: &analyze.Interval{Low: 5, High: 5}}
	return r
}
