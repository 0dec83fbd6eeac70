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

// table compiles the built-in scenario, with the header of its record.
func table(t testing.TB) (scenarios.Plan, history.Header) {
	t.Helper()
	s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TABLE", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	h := history.Header{Run: plan.Run, Scenario: plan.Scenario.Name, Target: "http://127.0.0.1"}
	for i, g := range plan.Scenario.Groups {
		h.Groups = append(h.Groups, history.Group{
			Name: g.Name, Counter: plan.Scenario.Counter(i), Promise: g.Promise,
			Exclusive: g.Exclusive, Fresh: g.Fresh, DecidedWithin: g.DecidedWithin,
		})
	}
	for _, l := range plan.Lanes {
		h.Lanes = append(h.Lanes, history.Lane{Group: l.Group, Identity: l.Identity, Source: l.Source.String()})
	}
	for _, s := range plan.Stretches() {
		h.Phases = append(h.Phases, history.Phase{Group: s.Group, Pace: s.Pace, Label: s.Label})
	}
	return plan, h
}

// alone is the part of a compiled table that belongs to one group, sent to
// that group's bucket as it really is.
func alone(t testing.TB, group string, change func(*limiter.Limit), seed uint64) *history.History {
	t.Helper()
	plan, header := table(t)
	mean := func(least, mean time.Duration) func(*rand.Rand) time.Duration {
		return func(r *rand.Rand) time.Duration { return least + time.Duration(r.ExpFloat64()*float64(mean)) }
	}
	w := world{
		respond: func(d limiter.Decision, _ time.Duration) (int, limiter.Fields) {
			if d.OK {
				return 200, nil
			}
			return 429, limiter.Fields{{Name: "Retry-After", Value: strconv.Itoa(int((d.Wait + time.Second - 1) / time.Second))}}
		},
		there: mean(200*time.Microsecond, 300*time.Microsecond), back: mean(200*time.Microsecond, 300*time.Microsecond),
		late: mean(0, 100*time.Microsecond),
	}
	for i, g := range plan.Scenario.Groups {
		if g.Name != group {
			continue
		}
		truth := g.Promise.Limits[0]
		if change != nil {
			change(&truth)
		}
		w.limiter = func() limiter.Limiter {
			fresh, err := limiter.ModelOf(truth).New(truth)
			if err != nil {
				t.Fatal(err)
			}
			return fresh
		}
		w.key = func(l scenarios.Lane) string {
			switch truth.Scope {
			case limiter.ScopeIP:
				return l.Source.String()
			case limiter.ScopeKey:
				return l.Identity
			}
			return ""
		}
		counter := plan.Scenario.Counter(i)
		first, phases := 0, 0
		for _, track := range plan.Tracks {
			if track.Name == counter {
				plan.Tracks, first = []scenarios.Track{track}, phases
				break
			}
			phases += len(track.Phases)
		}
		header.Phases = header.Phases[first : first+len(plan.Tracks[0].Phases)]
		return simulate(plan, header, w, rand.New(rand.NewPCG(seed, 11)))
	}
	t.Fatalf("no group is called %s", group)
	return nil
}

func groupNamed(t testing.TB, h *history.History, name string) analyze.Group {
	t.Helper()
	f, err := analyze.Judge(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Groups {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("no group is called %s", name)
	return analyze.Group{}
}

// bucketGroups are the groups of the table whose limits are token buckets.
func bucketGroups(t testing.TB) []scenarios.Group {
	var all []scenarios.Group
	plan, _ := table(t)
	for _, g := range plan.Scenario.Groups {
		if len(g.Promise.Limits) == 1 && g.Promise.Limits[0].Reading == limiter.TokenBucket && g.Shares == "" {
			all = append(all, g)
		}
	}
	if len(all) == 0 {
		t.Fatal("the table has no token bucket")
	}
	return all
}

func TestTheCompiledTableMeasuresEveryBucket(t *testing.T) {
	for _, group := range bucketGroups(t) {
		l := group.Promise.Limits[0]
		for seed := range uint64(2) {
			g := groupNamed(t, alone(t, group.Name, nil, seed), group.Name)
			m := g.Measured
			if m == nil || m.RatePerSecond == nil || m.Burst == nil || m.Plane == nil {
				t.Fatalf("%s: got %+v, want rate, burst and plane", g.Name, m)
			}
			if want := float64(l.Burst); m.Burst.Low != want || m.Burst.High != want {
				t.Errorf("%s, seed %d: got burst %v, want %v exactly", g.Name, seed, *m.Burst, want)
			}
			width := (m.RatePerSecond.High - m.RatePerSecond.Low) / 2 / l.Rate()
			if width > 0.005 || m.RatePerSecond.Low > l.Rate() || m.RatePerSecond.High < l.Rate() {
				t.Errorf("%s, seed %d: got rate %v, which is ±%.2f %%, want ±0.5 %% around %v", g.Name, seed, *m.RatePerSecond, 100*width, l.Rate())
			}
			if seed == 0 {
				t.Logf("%s (%s): limit %.3f to %.3f (±%.3f %%), burst %v, %d slices", g.Name, l, m.LimitPerWindow.Low, m.LimitPerWindow.High, 100*width, *m.Burst, len(m.Plane.Slices))
			}
		}
	}
}

func TestTheCompiledTableFindsOneRequestAndOnePercent(t *testing.T) {
	for _, group := range bucketGroups(t) {
		for _, wrong := range []struct {
			name   string
			change func(*limiter.Limit)
			check  string
		}{
			{"one more", func(l *limiter.Limit) { l.Burst++ }, "limit.burst"},
			{"one fewer", func(l *limiter.Limit) { l.Burst-- }, "limit.burst"},
			{"1 % faster", func(l *limiter.Limit) { l.Window -= l.Window / 101 }, "limit.rate"},
			{"1 % slower", func(l *limiter.Limit) { l.Window += l.Window / 99 }, "limit.rate"},
		} {
			for seed := range uint64(1) {
				g := groupNamed(t, alone(t, group.Name, wrong.change, seed), group.Name)
				for _, f := range g.Findings {
					if f.Check != wrong.check {
						continue
					}
					if f.Outcome != analyze.Fail {
						t.Errorf("%s, %s, seed %d: %s: got %s (%s), want fail", g.Name, wrong.name, seed, f.Check, f.Outcome, f.Message)
					} else if seed == 0 {
						t.Logf("%s, %s: %s: %s", g.Name, wrong.name, f.Message, f.Witness.Sentence)
					}
				}
			}
		}
	}
}
