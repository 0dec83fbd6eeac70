package analyze_test

import (
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// Two agents send six requests each to a limit of ten a minute, burst 5: one
// too many each for one counter, or for one of their own.
func TestWhatAgentsSendIsComparedOnlyWhereItCanBe(t *testing.T) {
	const bound = 2 * time.Millisecond
	for _, k := range []struct {
		name   string
		scope  limiter.Scope
		target string
		agents [2]history.Agent
		source string
		want   analyze.Verdict // of limit.ceiling
		says   string
	}{
		{"one counter", limiter.ScopeGlobal, "https://api.example.com",
			[2]history.Agent{{Bound: bound}, {Bound: bound}}, "", analyze.Fail, "(agent a) and anybody (agent b)"},
		{"one counter, and a bound that explains it", limiter.ScopeGlobal, "https://api.example.com",
			[2]history.Agent{{Bound: bound}, {Bound: time.Minute}}, "", analyze.Fail, "6 requests were admitted"},
		{"one counter, and a clock without a bound", limiter.ScopeGlobal, "https://api.example.com",
			[2]history.Agent{{Bound: bound}, {Unbounded: "its clock stepped"}}, "", analyze.Inconclusive, "agent b cannot be set beside the others': its clock stepped"},
		{"public addresses", limiter.ScopeIP, "https://api.example.com",
			[2]history.Agent{{Address: "192.0.2.1"}, {Address: "192.0.2.2"}}, "", analyze.Fail, "6 requests were admitted"},
		{"one public address", limiter.ScopeIP, "https://api.example.com",
			[2]history.Agent{{Address: "192.0.2.1"}, {Address: "192.0.2.1"}}, "", analyze.Inconclusive, "agents a and b share one (192.0.2.1)"},
		{"a target beyond a gateway", limiter.ScopeIP, "https://api.example.com",
			[2]history.Agent{{Address: "10.0.0.1"}, {Address: "10.0.0.2"}}, "", analyze.Inconclusive, "nobody knows by which one the target sees agent a"},
		{"a target in the same network", limiter.ScopeIP, "http://10.0.0.9:8080",
			[2]history.Agent{{Address: "10.0.0.1"}, {Address: "10.0.0.2"}}, "", analyze.Fail, "6 requests were admitted"},
		{"addresses that nobody knows", limiter.ScopeIP, "https://api.example.com",
			[2]history.Agent{}, "", analyze.Inconclusive, "nobody knows by which one"},
		{"one machine", limiter.ScopeIP, "http://127.0.0.1:1",
			[2]history.Agent{}, "127.0.0.2", analyze.Inconclusive, "agents a and b share one (127.0.0.2)"},
	} {
		t.Run(k.name, func(t *testing.T) {
			h := history.Header{
				Target: k.target, Phases: []history.Phase{{Pace: "burst"}},
				Groups: []history.Group{{Name: "g", Counter: "g", Exclusive: true, Promise: limiter.Promise{
					Limits:   []limiter.Limit{{Limit: 10, Window: time.Minute, Burst: 5, Reading: limiter.TokenBucket, Scope: k.scope}},
					Admitted: []limiter.Statuses{{From: 200, To: 299}},
				}}},
			}
			var all []history.Observation
			for i, a := range k.agents {
				a.Name = string(rune('a' + i))
				h.Agents = append(h.Agents, a)
				h.Lanes = append(h.Lanes, history.Lane{Agent: a.Name, Source: k.source})
				for n := range 6 {
					at := time.Second + time.Duration(n)*time.Millisecond
					all = append(all, history.Observation{Lane: i, Seq: uint64(n), Intended: at, Sent: at, Answered: at + 1, Done: at + 2, Status: 200})
				}
			}
			f, err := analyze.Judge(history.Of(h, all, &history.End{At: 2 * time.Second, Complete: true, Offered: 12}))
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range f.Groups[0].Findings {
				if x.Check == "limit.ceiling" && (x.Outcome != k.want || !strings.Contains(x.Message+said(x), k.says)) {
					t.Errorf("got %s: %s%s, want %s: %s", x.Outcome, x.Message, said(x), k.want, k.says)
				}
				if k.want == analyze.Inconclusive && x.Outcome == analyze.Fail {
					t.Errorf("%s fails: %s", x.Check, x.Message)
				}
			}
		})
	}
}

func said(f analyze.Finding) string {
	if f.Witness == nil {
		return ""
	}
	return " / " + f.Witness.Sentence
}

// Agent b's clock is 90 ms behind a's. Taken at its word, requests that a
// limiter saw 100 ms apart came 10 ms apart: more than it may admit. With the
// bound of the clock they may have.
func TestAClockIsNotTakenAtItsWord(t *testing.T) {
	for _, k := range []struct {
		bound time.Duration
		want  analyze.Verdict
	}{{0, analyze.Fail}, {40 * time.Millisecond, analyze.Fail}, {90 * time.Millisecond, analyze.Inconclusive}, {120 * time.Millisecond, analyze.Inconclusive}} {
		h := history.Header{
			Phases: []history.Phase{{Pace: "hold"}}, Agents: []history.Agent{{Name: "a"}, {Name: "b", Bound: k.bound}},
			Lanes: []history.Lane{{Agent: "a"}, {Agent: "b"}},
			Groups: []history.Group{{Name: "g", Counter: "g", Exclusive: true, Promise: limiter.Promise{
				Limits:   []limiter.Limit{{Limit: 10, Window: time.Second, Burst: 1, Reading: limiter.TokenBucket, Scope: limiter.ScopeGlobal}},
				Admitted: []limiter.Statuses{{From: 200, To: 299}},
				Reject:   limiter.Rejection{Status: []int{429}},
			}}},
		}
		var all []history.Observation
		for n := range 40 {
			at, status := time.Second+time.Duration(n)*101*time.Millisecond, 200
			if n%2 == 1 {
				at -= 90 * time.Millisecond
			}
			all = append(all, history.Observation{Lane: n % 2, Seq: uint64(n / 2), Intended: at, Sent: at, Answered: at + 1, Done: at + 2, Status: status})
			if n%2 == 0 { // and one more at once, which is rejected
				all = append(all, history.Observation{Lane: 0, Seq: uint64(100 + n), Intended: at + 2, Sent: at + 2, Answered: at + 3, Done: at + 4, Status: 429})
			}
		}
		f, err := analyze.Judge(history.Of(h, all, &history.End{At: 10 * time.Second, Complete: true, Offered: len(all)}))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range f.Groups[0].Findings {
			if x.Check == "limit.ceiling" && x.Outcome != k.want {
				t.Errorf("±%s: got %s: %s, want %s", k.bound, x.Outcome, x.Message, k.want)
			}
		}
	}
}
