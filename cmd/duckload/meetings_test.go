package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/emulator"
	"duckload/limiter"
	"duckload/scenarios"
)

// drawnMeeting is a promise of any reading and scope, and a server that keeps
// it, but for its scope, which is another one if broken.
func drawnMeeting(t *testing.T, r *rand.Rand, agents int, broken bool) (scenarios.Plan, emulator.Config) {
	t.Helper()
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	scope := limiter.Scope(pick("ip", "key"))
	l := limiter.Limit{
		Limit: 3 + r.Int64N(60), Window: time.Duration(2+r.Int64N(30)) * time.Second, Scope: scope,
		Reading: limiter.Reading(pick("token-bucket", "token-bucket", "fixed-window", "sliding-log", "sliding-counter")),
	}
	promise := fmt.Sprintf("{limit: %d/%ds, reading: %s, scope: %s}", l.Limit, l.Window/time.Second, l.Reading, l.Scope)
	if l.Reading == limiter.TokenBucket {
		l.Burst = 2 + r.Int64N(40)
		promise = fmt.Sprintf("{limit: %d/%ds, burst: %d, scope: %s}", l.Limit, l.Window/time.Second, l.Burst, l.Scope)
	}
	identities := pick("[ann]", "[ann, bob]")
	s, err := scenarios.Load("drawn.yaml", fmt.Appendf(nil, `
version: 1
name: drawn
target: http://127.0.0.1
identities:
  ann: {headers: {Authorization: Bearer ann}}
  bob: {headers: {Authorization: Bearer bob}}
groups:
  status: {promise: %s, identity: %s, requests: [GET /beak/system/status]}
`, promise, identities), scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true, Agents: agents})
	if err != nil {
		t.Fatal(err)
	}
	if broken {
		wrong := map[limiter.Scope][]limiter.Scope{
			limiter.ScopeIP:  {limiter.ScopeKey, limiter.ScopeGlobal},
			limiter.ScopeKey: {limiter.ScopeIP, limiter.ScopeGlobal},
		}[scope]
		l.Scope = wrong[r.IntN(2)]
		if identities == "[ann]" && scope == limiter.ScopeKey {
			l.Scope = limiter.ScopeIP // one key is everybody there
		}
	}
	config := emulator.SpaceDuck()
	for i := range config.Groups {
		if config.Groups[i].Name == "status" {
			config.Groups[i].Limits = []limiter.Limit{l}
		}
	}
	t.Logf("%d agents, %s, %s; kept: %s", agents, promise, identities, l)
	return plan, config
}

// Whatever is promised, and however it is counted: agents that meet never fail
// a server that keeps its word, and find out one whose counters are another
// scope's.
func TestAgentsThatMeetFindTheScope(t *testing.T) {
	const seeds = 8
	caught := 0
	for seed := range uint64(seeds) {
		for _, broken := range []bool{false, true} {
			r := rand.New(rand.NewPCG(seed, 0))
			agents := 2 + r.IntN(4)
			plan, config := drawnMeeting(t, r, agents, broken)
			f := fleetInVirtualTime(t, plan, config, agents, seed)
			for _, x := range f.Groups[0].Findings {
				switch {
				case !broken && x.Outcome == analyze.Fail:
					t.Errorf("seed %d: a promise that is kept fails %s: %s", seed, x.Check, x.Message)
				case broken && x.Check == "scope" && x.Outcome == analyze.Pass:
					t.Errorf("seed %d: the wrong scope passes: %s", seed, x.Message)
				case broken && x.Check == "scope" && x.Outcome == analyze.Fail:
					caught++
				case x.Check == "scope":
					t.Logf("seed %d: %s: %s", seed, x.Outcome, x.Message)
				}
			}
		}
	}
	if caught < seeds*3/4 {
		t.Errorf("%d of %d wrong scopes were found, want nearly all", caught, seeds)
	}
}

// Agents meet only where the target is known to see them apart, and one machine
// has nobody to meet.
func TestWhoHasNobodyToMeet(t *testing.T) {
	for name, k := range map[string]struct {
		target  string
		options scenarios.CompileOptions
		meets   bool
	}{
		"one machine":                      {"http://127.0.0.1", scenarios.CompileOptions{}, false},
		"a fleet of one":                   {"http://127.0.0.1", scenarios.CompileOptions{Agents: 1}, false},
		"a fleet on one machine":           {"http://127.0.0.1", scenarios.CompileOptions{Agents: 3}, true},
		"agents at addresses of nobody":    {"https://api.example.com", scenarios.CompileOptions{Agents: 3}, false},
		"agents at addresses of their own": {"https://api.example.com", scenarios.CompileOptions{Agents: 3, Apart: true}, true},
		"no time for it":                   {"http://127.0.0.1", scenarios.CompileOptions{Agents: 3, MaxTime: 45 * time.Second}, false},
	} {
		s, err := scenarios.Load("x.yaml", fmt.Appendf(nil, "version: 1\ntarget: %s\nallow_hosts: [api.example.com]\ngroups:\n  g: {promise: {limit: 60/min, burst: 9, scope: ip}, requests: [GET /]}\n", k.target), scenarios.Env{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := scenarios.Compile(s, k.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(planText(plan), "used up while other agents ask"); got != k.meets {
			t.Errorf("%s: agents meet: %v, want %v\n%s", name, got, k.meets, planText(plan))
		}
	}
}
