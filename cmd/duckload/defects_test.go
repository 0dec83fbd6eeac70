package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
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

// inVirtualTime sends a plan to an emulator in a synctest bubble, where a
// minute takes no time, and judges what came back. The plan's delays are
// those of a fast network, and the same each time.
func inVirtualTime(t *testing.T, plan scenarios.Plan, config emulator.Config) analyze.Findings {
	t.Helper()
	var findings analyze.Findings
	post := &inHouse{}
	synctest.Test(t, func(t *testing.T) {
		admit(&config, plan)
		server, err := emulator.New(config)
		if err != nil {
			t.Fatal(err)
		}
		var all []history.Observation
		var events []history.Event
		if hooks := plan.Scenario.Webhooks; hooks != nil {
			config.Webhooks = emulator.Webhooks{URL: "http://127.0.0.1" + hooks.Path, Secret: hooks.Reveal(), Transport: post}
			if server, err = emulator.New(config); err != nil {
				t.Fatal(err)
			}
		}
		end, err := attack.Run(t.Context(), plan, attack.Options{
			Target: "http://127.0.0.1",
			Transport: func(l scenarios.Lane) http.RoundTripper {
				transport := server.Transport(l.Source.String())
				transport.Delay = func(*http.Request) (there, back time.Duration) {
					return 300 * time.Microsecond, 500 * time.Microsecond
				}
				return transport
			},
			Listen: post.listen,
			Event:  func(e history.Event) error { events = append(events, e); return nil },
			Record: func(o history.Observation) error { all = append(all, o); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		if !end.Complete {
			t.Fatalf("the run ended early: %+v", end)
		}
		server.Close()
		time.Sleep(time.Minute) // what it delivers ends
		h := history.Of(headerOf(plan, "http://127.0.0.1", time.Now()), all, &end)
		h.Events = events
		findings, err = analyze.Judge(h)
		if err != nil {
			t.Fatal(err)
		}
	})
	return findings
}

// inHouse takes deliveries in this process. It is an http.RoundTripper.
type inHouse struct {
	mu sync.Mutex
	to http.Handler
}

func (i *inHouse) listen(h http.Handler) (stop func(), err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.to = h
	return func() {}, nil
}

func (i *inHouse) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	to := i.to
	i.mu.Unlock()
	if to == nil {
		return nil, errors.New("nobody listens")
	}
	time.Sleep(time.Millisecond) // no network is faster
	kept := httptest.NewRecorder()
	to.ServeHTTP(kept, r)
	return kept.Result(), nil
}

// withHooks is the part of the published page that causes events.
const withHooks = `version: 1
name: hooks
target: emulator
defaults:
  on_reject: {status: 429, retry_after: required, json: {error.code: E4004}}
identities:
  beak: {headers: {Authorization: Bearer demo}}
groups:
  signup:
    promise: {limit: 10/%[1]s, burst: 5, scope: ip}
    admitted: [2xx, 409]
    requests: [{POST: /beak/signup, json: {email: "${unique.email}", password: "${unique.password}"}}]
  support:
    promise: {limit: 5/%[1]s, burst: 2, scope: ip}
    identity: beak
    requests: [{POST: /beak/support/contact, headers: {X-Request-Id: "${unique.id}"}, json: {email: "a@example.com", message: hello}}]
webhooks:
  listen: 127.0.0.1:%[2]d
  path: /hooks
  secret: "${env:HOOKS:-a secret of the test}"
  signature: X-Beak-Signature
  within: 6s
  grace: 500ms
  ordered: true
  refuse: 3
  match:
    agent.registered: {group: signup, json: data.email, is: "${unique.email}"}
    cert.issued: {group: signup, json: data.email, is: "${unique.email}"}
    peck.sent: {group: support, json: data.request_id, is: "${unique.id}"}
`

// hooked compiles a scenario that listens for webhooks.
func hooked(t *testing.T) scenarios.Plan {
	t.Helper()
	s, err := scenarios.Load("hooks.yaml", fmt.Appendf(nil, withHooks, "min", 0), scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestHonestWebhooksPass(t *testing.T) {
	f := inVirtualTime(t, hooked(t), emulator.SpaceDuck())
	asked := 0
	for _, g := range f.Groups {
		for _, x := range g.Findings {
			if x.Outcome != analyze.Pass {
				t.Errorf("%s: %s: got %s, want pass: %s", g.Name, x.Check, x.Outcome, x.Message)
			}
			if strings.HasPrefix(x.Check, "webhook.") || x.Check == "reject.effect_free" || x.Check == "admit.once" {
				asked++
			}
		}
	}
	if want := 3*5 + 2*2; asked != want {
		t.Errorf("got %d findings about webhooks, want %d", asked, want)
	}
}

// A rejected request that is carried out is given away by its event, and one
// that is carried out twice by two.
func TestEventsGiveAwayWhatHappened(t *testing.T) {
	for name, check := range map[string]string{"rejects-have-effects": "reject.effect_free", "does-twice": "admit.once"} {
		d, err := emulator.DefectNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		f := inVirtualTime(t, hooked(t), d.Apply(emulator.SpaceDuck()))
		for _, g := range f.Groups {
			for _, x := range g.Findings {
				if x.Check == check && (x.Outcome != analyze.Fail || x.Witness == nil) {
					t.Errorf("%s: %s: %s: got %s, want fail: %s", name, g.Name, check, x.Outcome, x.Message)
				}
			}
		}
	}
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
			plan := spaceDuck(t, asDefectsNeed(d))
			if strings.HasPrefix(d.Check, "webhook.") {
				plan = hooked(t)
			}
			f := inVirtualTime(t, plan, d.Apply(emulator.SpaceDuck()))
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
