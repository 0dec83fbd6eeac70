package analyze_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"duckload/analyze"
	"duckload/attack"
	"duckload/emulator"
	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// headerOf is what a run writes at the head of its record.
func headerOf(plan scenarios.Plan) history.Header {
	h := history.Header{Run: plan.Run, Scenario: plan.Scenario.Name, Target: "http://127.0.0.1"}
	for i, g := range plan.Scenario.Groups {
		h.Groups = append(h.Groups, history.Group{
			Name: g.Name, Counter: plan.Scenario.Counter(i), Promise: g.Promise,
			Exclusive: g.Exclusive, Fresh: g.Fresh, DecidedWithin: g.DecidedWithin,
		})
	}
	for _, l := range plan.Lanes {
		source := ""
		if l.Source.IsValid() {
			source = l.Source.String()
		}
		h.Lanes = append(h.Lanes, history.Lane{Group: l.Group, Identity: l.Identity, Source: source, Trick: l.Trick})
	}
	for _, s := range plan.Stretches() {
		p := history.Phase{Group: s.Group, Pace: s.Pace, Label: s.Label}
		if s.Pace == "hold" {
			p.Rate = s.Rate
		}
		h.Phases = append(h.Phases, p)
	}
	return h
}

// planOf compiles a scenario that is written as text.
func planOf(t testing.TB, text string) scenarios.Plan {
	t.Helper()
	s, err := scenarios.Load("test", []byte(text), scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// spaceDuck compiles the built-in scenario, changed, or some groups of it.
func spaceDuck(t testing.TB, change func(*scenarios.Scenario), groups ...string) scenarios.Plan {
	t.Helper()
	s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true, Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// emulated sends a plan to an emulator in virtual time over a jittery network,
// and returns what was recorded.
func emulated(t *testing.T, plan scenarios.Plan, config emulator.Config, seed uint64) *history.History {
	t.Helper()
	var all []history.Observation
	var end history.End
	synctest.Test(t, func(t *testing.T) {
		server, err := emulator.New(config)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		var mu sync.Mutex
		end, err = attack.Run(t.Context(), plan, attack.Options{
			Target: "http://127.0.0.1",
			Transport: func(l scenarios.Lane) http.RoundTripper {
				transport := server.Transport(l.Source.String())
				transport.Delay = func(*http.Request) (there, back time.Duration) {
					mu.Lock()
					defer mu.Unlock()
					return time.Duration(100+rng.ExpFloat64()*900) * time.Microsecond, time.Duration(100+rng.ExpFloat64()*900) * time.Microsecond
				}
				return transport
			},
			Record: func(o history.Observation) error { all = append(all, o); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return history.Of(headerOf(plan), all, &end)
}

func judged(t testing.TB, h *history.History) analyze.Findings {
	t.Helper()
	f, err := analyze.Judge(h)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// mustSay fails the test unless a check fails in a group with some words.
func mustSay(t *testing.T, f analyze.Findings, group, check, words string) {
	t.Helper()
	for _, g := range f.Groups {
		if g.Name != group {
			continue
		}
		var got []string
		for _, x := range g.Findings {
			if x.Check == check && x.Outcome == analyze.Fail && strings.Contains(x.Message, words) {
				return
			}
			if x.Check == check {
				got = append(got, string(x.Outcome)+": "+x.Message)
			}
		}
		t.Errorf("%s: %s: got %q, want a failure: …%s…", group, check, got, words)
	}
}

// The compiled plan finds each of these defects, and names its cause.
func TestCausesAreNamed(t *testing.T) {
	for _, c := range []struct{ defect, group, check, words string }{
		{"scope-global", "signup", "scope", "coarser than documented (per ip)"},
		{"scope-global", "support", "limit.floor", "see scope"},
		{"scope-key", "newsletter", "scope", "coarser than documented (per ip)"},
		{"scope-ip", "metrics", "scope", "finer than documented"},
		{"scope-ip", "pageview", "limit.ceiling", "the counter is not shared: counted per ip, nothing is wrong"},
		{"spoofable", "signup", "scope", "forged X-Forwarded-For gets round the limit"},
		{"spoofable", "support", "limit.ceiling", "whoever sends the header chooses his counter"},
		{"per-path-counter", "newsletter", "scope", "another spelling of the path gets round the limit"},
		{"fixed-window", "metrics", "recovery", "gives back at least"},
		{"fixed-window", "status", "limit.floor", "a fixed window of 60 per min would explain every answer"},
		{"rejects-consume", "metrics", "limit.floor", "a rejected request seems to spend allowance"},
		{"replicas-2", "signup", "limit.ceiling", "2 replicas may each count for themselves"},
		{"burst+1", "metrics", "limit.ceiling", "burst 201 explains the run"},
		{"burst+1", "support", "limit.ceiling", "burst 3 explains the run"},
		{"never-enforced", "status", "limit.ceiling", "nothing was rejected in the whole run"},
		{"retry-after-constant", "signup", "retry_after.tight", "constant"},
	} {
		t.Run(c.defect+" "+c.check, func(t *testing.T) {
			d, err := emulator.DefectNamed(c.defect)
			if err != nil {
				t.Fatal(err)
			}
			plan := spaceDuck(t, func(s *scenarios.Scenario) {
				for i := range s.Groups {
					p := &s.Groups[i].Promise
					if c.check == "retry_after.tight" {
						p.Reject.RetryAfter = limiter.RetryAfterExact
					}
					if c.defect == "scope-ip" && p.Limits[0].Scope == limiter.ScopeUnknown {
						p.Limits[0].Scope = limiter.ScopeGlobal
					}
				}
				s.Stop = nil
			}, c.group)
			mustSay(t, judged(t, emulated(t, plan, d.Apply(emulator.SpaceDuck()), 1)), c.group, c.check, c.words)
		})
	}
}

// One minute of 100, by each kind of window, and by windows that are too long
// or too short.
func TestWindowsAreMeasured(t *testing.T) {
	for _, model := range []string{"fixed-window", "anchored-window", "sliding-log"} {
		reading := model
		if model == "anchored-window" {
			reading = "fixed-window"
		}
		plan := planOf(t, `
version: 1
target: emulator
groups:
  metrics:
    promise: {limit: 100/min, scope: ip, reading: `+reading+`}
    on_reject: {status: 429, retry_after: required}
    requests: [GET /beak/metrics]
`)
		for _, c := range []struct {
			window time.Duration
			want   analyze.Verdict
		}{
			{60 * time.Second, analyze.Pass},
			{60600 * time.Millisecond, analyze.Fail},
			{62 * time.Second, analyze.Fail},
			{55 * time.Second, analyze.Fail},
		} {
			t.Run(model+" "+c.window.String(), func(t *testing.T) {
				config := emulator.SpaceDuck()
				limit := plan.Scenario.Groups[0].Promise.Limits[0]
				limit.Window = c.window
				config.Groups[0].Limits, config.Model = []limiter.Limit{limit}, model
				f := judged(t, emulated(t, plan, config, 7))
				for _, x := range f.Groups[0].Findings {
					if x.Check == "limit.window" && x.Outcome != c.want {
						t.Errorf("got %s: %s, want %s", x.Outcome, x.Message, c.want)
					}
				}
				m := f.Groups[0].Measured
				if c.want == analyze.Pass && (m == nil || m.Window == nil || m.Window.Low > 60 || m.Window.High < 60 || m.Window.High-m.Window.Low > 1) {
					t.Errorf("got %+v, want a window of 60 s to a second", m)
				}
			})
		}
	}
}
