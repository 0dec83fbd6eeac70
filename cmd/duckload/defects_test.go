package main

import (
	"net/http"
	"net/netip"
	"slices"
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

// inVirtualTime sends a plan to an emulator in a synctest bubble, where a
// minute takes no time, and judges what came back. The plan's delays are
// those of a fast network, and the same each time.
func inVirtualTime(t *testing.T, plan scenarios.Plan, config emulator.Config) analyze.Findings {
	t.Helper()
	var findings analyze.Findings
	synctest.Test(t, func(t *testing.T) {
		admit(&config, plan)
		server, err := emulator.New(config)
		if err != nil {
			t.Fatal(err)
		}
		var all []history.Observation
		end, err := attack.Run(t.Context(), plan, attack.Options{
			Target: "http://127.0.0.1",
			Transport: func(l scenarios.Lane) http.RoundTripper {
				transport := server.Transport(l.Source.String())
				transport.Delay = func(*http.Request) (there, back time.Duration) {
					return 300 * time.Microsecond, 500 * time.Microsecond
				}
				return transport
			},
			Record: func(o history.Observation) error { all = append(all, o); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		if !end.Complete {
			t.Fatalf("the run ended early: %+v", end)
		}
		findings, err = analyze.Judge(history.Of(headerOf(plan, "http://127.0.0.1", time.Now()), all, &end))
		if err != nil {
			t.Fatal(err)
		}
	})
	return findings
}

// spaceDuck compiles the built-in scenario, with changes.
func spaceDuck(t *testing.T, change func(*scenarios.Scenario)) scenarios.Plan {
	t.Helper()
	s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	change(s)
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// asDefectsNeed changes the scenario where a defect shows only under a promise
// that the published page does not make.
func asDefectsNeed(d emulator.Defect) func(*scenarios.Scenario) {
	return func(s *scenarios.Scenario) {
		for i := range s.Groups {
			p := &s.Groups[i].Promise
			switch {
			case d.Check == "retry_after.tight":
				p.Reject.RetryAfter = limiter.RetryAfterExact
			case (d.Name == "does-twice" || d.Name == "does-nothing") && s.Groups[i].Name == "support":
				follow(&s.Groups[i])
			case d.Name == "slow":
				p.Objectives.Latency = []limiter.LatencyObjective{{Percentile: 99, Most: 200 * time.Millisecond}}
			case d.Name == "scope-ip":
				for k := range p.Limits {
					if p.Limits[k].Scope == limiter.ScopeUnknown {
						p.Limits[k].Scope = limiter.ScopeGlobal
					}
				}
			}
		}
		s.Stop = nil // what hurts is what is looked for
	}
}

// followed has a follow-up, which the published page has no endpoint for.
const followed = `version: 1
target: emulator
groups:
  g:
    promise: {limit: 5/min, burst: 2}
    requests:
      - POST: /x
        json: {email: "${unique.email}"}
        effect: {look: {GET: "/emulator/effects?email=${unique.email}"}, count: times}
`

// follow lets a group of one request look at what it did.
func follow(g *scenarios.Group) {
	s, err := scenarios.Load("followed.yaml", []byte(followed), scenarios.Env{})
	if err != nil {
		panic(err) // it is written above
	}
	g.Looks, g.Promise.Effects = s.Groups[0].Looks, s.Groups[0].Promise.Effects
}

func TestTheHonestEmulatorPasses(t *testing.T) {
	f := inVirtualTime(t, spaceDuck(t, nothing), emulator.SpaceDuck())
	if f.Outcome != analyze.Pass {
		t.Errorf("got %s, want pass: %s", f.Outcome, f.Sentence)
	}
	for _, g := range f.Groups {
		for _, x := range g.Findings {
			if x.Outcome != analyze.Pass {
				t.Errorf("%s: %s: got %s, want pass: %s", g.Name, x.Check, x.Outcome, x.Message)
			}
		}
	}
}

func TestHonestVariationsPass(t *testing.T) {
	for _, v := range emulator.Variations {
		t.Run(v.Name, func(t *testing.T) {
			f := inVirtualTime(t, spaceDuck(t, nothing), v.Apply(emulator.SpaceDuck()))
			for _, g := range f.Groups {
				for _, x := range g.Findings {
					if x.Outcome != analyze.Pass {
						t.Errorf("%s: %s: got %s, want pass: %s", g.Name, x.Check, x.Outcome, x.Message)
					}
				}
			}
		})
	}
}

func TestEveryDefectIsCaught(t *testing.T) {
	for _, d := range emulator.Defects {
		t.Run(d.Name, func(t *testing.T) {
			if !slices.ContainsFunc(analyze.Checks, func(c analyze.Check) bool { return c.ID == d.Check }) {
				t.Fatalf("no check is called %s", d.Check)
			}
			f := inVirtualTime(t, spaceDuck(t, asDefectsNeed(d)), d.Apply(emulator.SpaceDuck()))
			caught := false
			for _, g := range f.Groups {
				for _, x := range g.Findings {
					if x.Outcome != analyze.Fail {
						continue
					}
					caught = caught || x.Check == d.Check
					if x.Witness == nil || x.Witness.Sentence == "" {
						t.Errorf("%s: %s fails without a witness: %s", g.Name, x.Check, x.Message)
					}
				}
			}
			if !caught {
				t.Errorf("%s does not fail: %s", d.Check, f.Sentence)
				for _, g := range f.Groups {
					for _, x := range g.Findings {
						if x.Outcome != analyze.Pass {
							t.Logf("%s: %s: %s: %s", g.Name, x.Check, x.Outcome, x.Message)
						}
					}
				}
			}
		})
	}
}

func nothing(*scenarios.Scenario) {}

// notHere is an address that no machine has: it is kept for documentation.
var notHere = netip.MustParseAddr("192.0.2.77")
