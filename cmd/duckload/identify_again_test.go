package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"duckload/analyze"
	"duckload/attack"
	"duckload/emulator"
	"duckload/history"
	"duckload/limiter"
	"duckload/probe"
	"duckload/scenarios"
)

// An undocumented limiter keeps the counters of a server.
type undocumented struct {
	name    string
	keep    func() limiter.Limiter // fresh, for one client
	family  string
	consume bool
	service time.Duration // what the server needs for a request
	global  bool          // one counter for everybody
	told    string        // by the scenario, of what it cannot promise
	hold    int           // requests at the edge of what was found
	rare    bool          // a relative of another one: only with RUNS=1
}

// keptBy makes a limiter of a model.
func keptBy(name string, l limiter.Limit) func() limiter.Limiter {
	return func() limiter.Limiter {
		for _, list := range [][]limiter.Model{limiter.Models, limiter.Awkward} {
			for _, m := range list {
				if m.Name == name {
					made, err := m.New(l)
					if err != nil {
						panic(err)
					}
					return made
				}
			}
		}
		panic("no model " + name)
	}
}

// forEach makes a limiter that each client gets with its first request, and
// that is forgotten after a silence.
func forEach(fresh func() limiter.Limiter, idle time.Duration) func() limiter.Limiter {
	return func() limiter.Limiter { return limiter.Restarting(fresh(), idle) }
}

// undocumenteds are all families that identify can name.
func undocumenteds() []undocumented {
	eight := limiter.Limit{Limit: 8, Window: 10 * time.Second}
	counting := eight
	counting.RejectsConsume = true
	bucket := limiter.Limit{Limit: 4, Window: 2 * time.Second, Burst: 9}
	greedy := bucket
	greedy.RejectsConsume = true
	banned := func(extended bool) func() limiter.Limiter {
		return func() limiter.Limiter {
			return limiter.Blocking(keptBy("anchored-window", eight)(), 15*time.Second, extended)
		}
	}
	both := func() limiter.Limiter {
		return limiter.Conjunction(keptBy("sliding-log", limiter.Limit{Limit: 3, Window: time.Second})(), keptBy("sliding-log", limiter.Limit{Limit: 20, Window: 30 * time.Second})())
	}
	const inWords = "has no reading in a scenario"
	return []undocumented{
		{name: "token-bucket", keep: keptBy("token-bucket", bucket), family: "token-bucket"},
		{name: "token-bucket for everybody", keep: keptBy("token-bucket", bucket), family: "token-bucket", global: true, rare: true},
		{name: "token-bucket, refused requests count", keep: keptBy("token-bucket", greedy), family: "token-bucket", consume: true},
		{name: "fixed-window by the clock", keep: keptBy("fixed-window", eight), family: "fixed-window"},
		{name: "fixed-window of each client", keep: forEach(keptBy("fixed-window", eight), limiter.Far), family: "fixed-window", rare: true},
		{name: "anchored-window", keep: keptBy("anchored-window", eight), family: "anchored-window"},
		{name: "sliding-log", keep: keptBy("sliding-log", eight), family: "sliding-log"},
		{name: "sliding-log, refused requests count", keep: keptBy("sliding-log", counting), family: "sliding-log", consume: true},
		{name: "sliding-counter", keep: keptBy("sliding-counter", eight), family: "sliding-counter"},
		{name: "sliding-counter, lenient", keep: keptBy("lenient-counter", eight), family: "sliding-counter", rare: true},
		{name: "sliding-counter of each client", keep: forEach(keptBy("sliding-counter", eight), 20*time.Second), family: "sliding-counter", rare: true},
		{name: "sliding-counter of each client, lenient", keep: forEach(keptBy("lenient-counter", eight), 20*time.Second), family: "sliding-counter", rare: true},
		{name: "sliding-counter, refused requests count", keep: keptBy("sliding-counter", counting), family: "sliding-counter", consume: true},
		{name: "sliding-counter, lenient, refused requests count", keep: keptBy("lenient-counter", counting), family: "sliding-counter", consume: true, rare: true},
		{name: "sliding-counter of each client, refused requests count", keep: forEach(keptBy("sliding-counter", counting), 20*time.Second), family: "sliding-counter", consume: true, rare: true},
		{name: "stepped-bucket", keep: keptBy("stepped-bucket", limiter.Limit{Limit: 3, Window: 4 * time.Second, Burst: 10}), family: "stepped-bucket"},
		{name: "stepped-bucket of each client", keep: forEach(keptBy("stepped-bucket", limiter.Limit{Limit: 3, Window: 4 * time.Second, Burst: 10}), limiter.Far), family: "stepped-bucket", rare: true},
		{name: "idle-window", keep: keptBy("idle-window", eight), family: "idle-window", told: inWords},
		{name: "elastic-window", keep: keptBy("elastic-window", eight), family: "elastic-window", consume: true, told: inWords},
		{name: "block", keep: banned(false), family: "block", told: inWords},
		{name: "block, refused requests count", keep: banned(true), family: "block", consume: true, told: inWords, rare: true},
		{name: "leaky-queue", keep: keptBy("leaky-queue", limiter.Limit{Limit: 4, Window: time.Second, Burst: 6}), family: "leaky-queue"},
		{name: "two logs", keep: both, hold: 30},
		{name: "concurrency", keep: keptBy("concurrency", limiter.Limit{Limit: 3}), family: "concurrency", service: 300 * time.Millisecond},
	}
}

// serve returns an emulator that the limiter keeps.
func (u undocumented) serve(t *testing.T) *emulator.Server {
	t.Helper()
	config := emulator.SpaceDuck()
	scope := limiter.ScopeIP
	if u.global {
		scope = limiter.ScopeGlobal
	}
	config.Groups = []emulator.Group{{Name: "limited", Paths: []string{"/beak/system/status"}, Limits: []limiter.Limit{{Limit: 1, Window: time.Second, Scope: scope, Reading: limiter.Open}}}}
	config.Service = u.service
	config.Keep = func(limiter.Limit) (limiter.Limiter, error) { return u.keep(), nil }
	server, err := emulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// near returns the options of an attack on a server that is a millisecond off.
func near(server *emulator.Server) attack.Options {
	return attack.Options{
		Target: "http://127.0.0.1",
		Transport: func(l scenarios.Lane) http.RoundTripper {
			transport := server.Transport(l.Source.String())
			transport.Delay = func(*http.Request) (there, back time.Duration) {
				return 300 * time.Microsecond, 500 * time.Microsecond
			}
			return transport
		},
	}
}

// identifying is what the command would be given.
func (u undocumented) identifying() identifying {
	return identifying{
		url: &url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/beak/system/status"}, method: "GET",
		sources: "127.0.1.0/27", budget: 2000, most: 5 * time.Minute, hold: u.hold, write: "identified.yaml",
	}
}

// identify finds out what limits a server, as the command does.
func (u undocumented) identify(t *testing.T, p process, server *emulator.Server, s identifying) probe.Result {
	t.Helper()
	plan, ways, err := p.probing(s)
	if err != nil {
		t.Fatal(err)
	}
	options := near(server)
	options.Budget = scenarios.Budget{Requests: s.budget, Duration: s.most + time.Minute}
	var found probe.Result
	if _, err := probe.Send(t.Context(), plan, options, func(a probe.Asker) {
		found = probe.Identify(a, probe.Options{Budget: s.budget, MaxTime: s.most, Hold: s.hold, Clock: limiter.DefaultGranularity, Ways: ways, Say: func(line string) {
			if os.Getenv("SAY") != "" {
				t.Log(line)
			}
		}})
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// runAgain judges a server by a scenario.
func runAgain(t *testing.T, p process, server *emulator.Server, text string) analyze.Findings {
	t.Helper()
	scenario, err := scenarios.Load("identified.yaml", []byte(text), scenarios.Env{Lookup: p.lookup})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.compile(scenario, settings{})
	if err != nil {
		t.Fatal(err)
	}
	var all []history.Observation
	options := near(server)
	options.Record = func(o history.Observation) error { all = append(all, o); return nil }
	end, err := attack.Run(t.Context(), plan, options)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := analyze.Judge(history.Of(headerOf(plan, "http://127.0.0.1", time.Now()), all, &end))
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// What identify writes down is a scenario that the same server keeps. RUNS=1
// tries the rarer relatives, too; SAY=1 prints every step.
func TestWhatIdentifyWritesIsKept(t *testing.T) {
	for _, u := range undocumenteds() {
		if u.rare && os.Getenv("RUNS") == "" {
			continue
		}
		t.Run(u.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var output strings.Builder
				p := unwatched(&output)
				server := u.serve(t)
				s := u.identifying()
				found := u.identify(t, p, server, s)
				words := strings.Join(found.Words(), "\n")
				alone := u.family != "" && found.Unique() && len(found.Answers) == 1 && found.Answers[0].Family == u.family && found.Answers[0].RejectsConsume == u.consume
				if !alone && (u.family != "" || len(found.Both) != 1) {
					t.Fatalf("got %s, want %s", words, u.family)
				}
				text, err := p.foundScenario(s, found)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(text, u.told) || u.told == "" && strings.Contains(text, "verify: false") {
					t.Errorf("the scenario should say %q of what it cannot promise:\n%s", u.told, text)
				}
				time.Sleep(time.Minute)
				findings := runAgain(t, p, server, text)
				_, promise, _ := strings.Cut(text, "    promise: ")
				promise, _, _ = strings.Cut(promise, "\n")
				t.Logf("%s: %s: %s", promise, findings.Outcome, findings.Sentence)
				for _, f := range findings.Groups[0].Findings {
					if f.Outcome == analyze.Fail {
						t.Errorf("%s: %s\n%s", f.Check, f.Message, text)
					}
				}
			})
		})
	}
}
