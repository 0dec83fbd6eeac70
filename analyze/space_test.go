package analyze_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// exponential returns delays of at least some time, and some more on average.
func exponential(least, mean time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return least + time.Duration(r.ExpFloat64()*float64(mean)) }
}

// loopback is a world without trouble around a limiter.
func loopback(t testing.TB, model string, l limiter.Limit) world {
	t.Helper()
	m, err := limiter.ModelNamed(model)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.New(l); err != nil {
		t.Fatal(err)
	}
	return world{
		limiter: func() limiter.Limiter { fresh, _ := m.New(l); return fresh },
		key: func(lane scenarios.Lane) string {
			if l.Scope == limiter.ScopeIP {
				return lane.Source.String()
			}
			return ""
		},
		respond: func(d limiter.Decision, _ time.Duration) (int, limiter.Fields) {
			if d.OK {
				return 200, nil
			}
			return 429, limiter.Fields{{Name: "Retry-After", Value: strconv.Itoa(int((d.Wait + time.Second - 1) / time.Second))}}
		},
		there: exponential(200*time.Microsecond, 300*time.Microsecond), back: exponential(200*time.Microsecond, 300*time.Microsecond),
		late: exponential(0, 100*time.Microsecond),
	}
}

// compiled returns the plan of a promise, and the header of its record.
func compiled(t testing.TB, text string) (scenarios.Plan, history.Header) {
	t.Helper()
	s, err := scenarios.Load("test.yaml", []byte("version: 1\nname: test\ntarget: emulator\ngroups:\n  g:\n    requests: [GET /]\n    promise: "+text+"\n"), scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "test", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	h := history.Header{Run: "test", Scenario: "test"}
	for i, g := range plan.Scenario.Groups {
		h.Groups = append(h.Groups, history.Group{Name: g.Name, Counter: plan.Scenario.Counter(i), Promise: g.Promise, Exclusive: g.Exclusive, Fresh: g.Fresh, DecidedWithin: g.DecidedWithin})
	}
	for _, l := range plan.Lanes {
		source := ""
		if l.Source.IsValid() {
			source = l.Source.String()
		}
		h.Lanes = append(h.Lanes, history.Lane{Group: l.Group, Identity: l.Identity, Source: source})
	}
	for _, track := range plan.Tracks {
		for _, p := range track.Phases {
			h.Phases = append(h.Phases, history.Phase{Group: 0, Pace: p.Pace, Label: p.Label})
		}
	}
	return plan, h
}

func findingOf(t testing.TB, h *history.History, check string) analyze.Finding {
	t.Helper()
	f, err := analyze.Judge(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Groups {
		for _, x := range g.Findings {
			if x.Check == check {
				return x
			}
		}
	}
	t.Fatalf("no finding of %s", check)
	return analyze.Finding{}
}

func TestCompiledPlansMeasureRateAndBurst(t *testing.T) {
	for _, text := range []string{
		"{limit: 100/min, burst: 200, scope: global}",
		"{limit: 10/min, burst: 5, scope: ip}",
		"{limit: 60/min, burst: 120}",
		"{limit: 500/min, burst: 1000}",
	} {
		plan, header := compiled(t, text)
		w := loopback(t, "token-bucket", header.Groups[0].Promise.Limits[0])
		start := time.Now()
		h := simulate(plan, header, w, rand.New(rand.NewPCG(1, 2)))
		sim := time.Since(start)
		start = time.Now()
		for _, check := range []string{"limit.ceiling", "limit.floor", "limit.rate", "limit.burst"} {
			if f := findingOf(t, h, check); f.Outcome != analyze.Pass {
				t.Errorf("%s: %s: got %s (%s), want pass", text, check, f.Outcome, f.Message)
			} else {
				t.Log(text, check, f.Message)
			}
		}
		t.Log(sim, time.Since(start)/4)
	}
}
