package analyze_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/emulator"
	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// Each diagnosis in the list is made of something that deserves it: a defect of
// the emulator, a limiter of another kind than promised, or a history.
func TestEveryDiagnosisIsMade(t *testing.T) {
	defect := func(name, group string) func(*testing.T) *history.History {
		return func(t *testing.T) *history.History {
			d, err := emulator.DefectNamed(name)
			if err != nil {
				t.Fatal(err)
			}
			plan := spaceDuck(t, func(s *scenarios.Scenario) {
				s.Stop = nil
				for i := range s.Groups {
					if l := &s.Groups[i].Promise.Limits[0]; name == "scope-ip" && l.Scope == limiter.ScopeUnknown {
						l.Scope = limiter.ScopeGlobal
					}
				}
			}, group)
			return emulated(t, plan, d.Apply(emulator.SpaceDuck()), 1)
		}
	}
	made := map[string]func(*testing.T) *history.History{
		"spoofable-key":        defect("spoofable", "support"),
		"per-path-bucket":      defect("per-path-counter", "support"),
		"counter-not-shared":   defect("scope-ip", "status"),
		"other-scope":          defect("scope-global", "support"),
		"never-enforced":       defect("never-enforced", "status"),
		"rejects-consume":      defect("rejects-consume", "signup"),
		"replicas":             defect("replicas-2", "metrics"),
		"one-more":             defect("burst+1", "support"),
		"other-reading":        defect("fixed-window", "support"),
		"constant-retry-after": defect("retry-after-past-date", "support"),
		"not-held-back": func(t *testing.T) *history.History {
			return mistaken(t, "burst: 10, reading: leaky-queue", limiter.Limit{Burst: 10, Reading: limiter.TokenBucket})
		},
		"window-edge": func(t *testing.T) *history.History {
			return mistaken(t, "reading: sliding-log", limiter.Limit{Reading: limiter.FixedWindow})
		},
		"remaining-not-monotonic": jumping,
	}
	names := analyze.Diagnoses()
	for name := range made {
		if !slices.Contains(names, name) {
			t.Errorf("there is no diagnosis %s", name)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if made[name] == nil {
				t.Fatal("nothing here makes it: add what does")
			}
			got := map[string]string{}
			for _, g := range judged(t, made[name](t)).Groups {
				for _, f := range g.Findings {
					for _, cause := range analyze.Causes(f) {
						got[cause] = f.Check
					}
				}
			}
			if got[name] == "" {
				t.Errorf("got the diagnoses %v, want %s among them", got, name)
			}
		})
	}
}

// Two and three replicas are counted, however large the burst: the plan
// goes on until they reject.
func TestReplicasAreCounted(t *testing.T) {
	for _, n := range []int{2, 3} {
		for _, group := range []string{"status", "signup"} {
			config := emulator.SpaceDuck()
			config.Faults.Replicas = n
			plan := spaceDuck(t, func(s *scenarios.Scenario) { s.Stop = nil }, group)
			mustSay(t, judged(t, emulated(t, plan, config, 1)), group, "limit.ceiling",
				strconv.Itoa(n)+" times the limit explains the run: "+strconv.Itoa(n)+" replicas may each count for themselves")
		}
	}
}

// mistaken is what a limiter of 60 a minute does where another one is promised.
func mistaken(t *testing.T, promised string, enforced limiter.Limit) *history.History {
	t.Helper()
	plan := planOf(t, `
version: 1
target: emulator
groups:
  status:
    promise: {limit: 60/min, scope: ip, `+promised+`}
    on_reject: {status: 429, retry_after: required}
    requests: [GET /beak/system/status]
`)
	enforced.Limit, enforced.Window, enforced.Scope = 60, time.Minute, limiter.ScopeIP
	config := emulator.SpaceDuck()
	for i := range config.Groups {
		config.Groups[i].Limits = []limiter.Limit{enforced}
	}
	return emulated(t, plan, config, 1)
}

// jumping is a history in which two servers say in turn what remains.
func jumping(*testing.T) *history.History {
	header := history.Header{
		Groups: []history.Group{{Name: "api", Counter: "api", Exclusive: true, Fresh: true, Promise: limiter.Promise{
			Limits:   []limiter.Limit{{Limit: 10, Window: time.Minute, Scope: limiter.ScopeGlobal, Reading: limiter.FixedWindow}},
			Reject:   limiter.Rejection{Status: []int{429}},
			Admitted: []limiter.Statuses{{From: 200, To: 299}},
		}}},
		Lanes:  []history.Lane{{Source: "127.0.0.1"}},
		Phases: []history.Phase{{Pace: "hold"}},
	}
	var all []history.Observation
	for i, remains := range []string{"9", "4", "8", "3", "7", "2"} {
		at := time.Duration(i) * 100 * time.Millisecond
		all = append(all, history.Observation{
			Seq: uint64(i), Intended: at, Sent: at, Answered: at + 2*time.Millisecond, Done: at + 3*time.Millisecond, Status: 200,
			Evidence: limiter.Fields{{Name: "X-Ratelimit-Remaining", Value: remains}},
		})
	}
	return history.Of(header, all, &history.End{Complete: true, Offered: len(all)})
}
