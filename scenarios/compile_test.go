package scenarios

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

func load(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Load("f", []byte(text), world())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shown returns a plan as lines: its lanes, then its tracks with their phases.
func shown(p Plan) string {
	var b strings.Builder
	for i, l := range p.Lanes {
		fmt.Fprintf(&b, "lane %d %s %s\n", i, p.Scenario.Groups[l.Group].Name, l)
	}
	for _, track := range p.Tracks {
		fmt.Fprintf(&b, "track %s\n", track.Name)
		for _, phase := range track.Phases {
			fmt.Fprintf(&b, "  %s %v\n", phase.Label, phase.Lanes)
		}
	}
	return b.String()
}

func TestGroupsThatShareACounterTakeTurns(t *testing.T) {
	s := load(t, `
version: 1
target: https://example.com
identities: {a: {}, b: {}}
groups:
  one:
    promise: {limit: 10/s, burst: 5, scope: key}
    identity: [a, b]
    requests: [GET /1]
    pacing: [{rest: 2s}, {burst: 100% + 2}, {rest: full}]
  two:
    promise: {limit: 10/s, burst: 5, scope: key}
    shares: one
    identity: a
    sources: 127.0.0.9
    requests: [GET /2]
    pacing: [{hold: 80%, for: 2m}, {ramp: 50% -> 15/s, for: 1m}]
  three:
    promise: {limit: 1/s}
    requests: [GET /3]
    sources: [127.0.0.1, "::1"]
    pacing: [{burst: 20}]
`)
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	want := `lane 0 one a
lane 1 one b
lane 2 two a from 127.0.0.9
lane 3 three from 127.0.0.1
lane 4 three from ::1
track one
  rest 2s [0]
  burst 7 [0]
  rest until full [0]
  hold 80% [2]
  ramp 50% -> 15/s [2]
track one, b
  rest 2s [1]
  burst 7 [1]
  rest until full [1]
track three
  burst 20 [3 4]
`
	if got := shown(plan); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// 2·(7) + 80 % of 10/s for 2 min + (5+15)/2 a second for 1 min + 20
	if got, want := plan.Requests(), 14+960+600+20; got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
	if got, want := plan.Duration().Round(time.Second), 2*time.Second+time.Second+3*time.Minute; got != want {
		t.Errorf("takes %v, want %v", got, want)
	}
}

func TestImpossiblePlansAreRefusedWithTheirPlace(t *testing.T) {
	text := func(budget string) string {
		return "version: 1\ntarget: emulator\nbudget: " + budget + "\ngroups:\n  a:\n    promise: {limit: 1/s, burst: 9}\n    requests: [GET /]\n" +
			"    pacing:\n      - burst: 5\n      - hold: 2/s\n        for: 1m\n  b:\n    promise: {limit: 1/s, burst: 9}\n    requests: [GET /b]\n"
	}
	for _, c := range []struct{ budget, want string }{
		{"{requests: 4}", "f:9:9: groups.a: burst 5: the plan comes to 5 requests here; the budget is 4 (raise budget.requests, or plan less)"},
		{"{requests: 100}", "f:10:9: groups.a: hold 2/s: the plan comes to 125 requests here; the budget is 100 (raise budget.requests, or plan less)"},
		{"{duration: 30s}", "f:10:9: groups.a: hold 2/s: the plan takes 1m0s until here; the budget is 30s (raise budget.duration, or plan less)"},
		{"{requests: 135}", "f:12:3: groups.b: burst 11: the plan comes to 142 requests here; the budget is 135 (raise budget.requests, or plan less)"},
	} {
		_, err := Compile(load(t, text(c.budget)), CompileOptions{Run: "r"})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.budget, err, c.want)
		}
	}
	if _, err := Compile(load(t, text("{requests: 10000}")), CompileOptions{Groups: []string{"c"}}); err == nil || err.Error() != `no group is called "c" (did you mean "a"?) (have a, b)` {
		t.Errorf("an unknown group: got %v", err)
	}
}

func TestSourcesAreTwoOnLoopbackAndOneElsewhere(t *testing.T) {
	s := load(t, around("promise: {limit: 1/s, burst: 2, scope: ip},\nrequests: [GET /]"))
	for _, c := range []struct {
		options CompileOptions
		want    string
	}{
		{CompileOptions{}, "[from 127.0.0.2 from 127.0.0.3]"},
		{CompileOptions{Target: "http://127.0.0.1:1"}, "[from 127.0.0.2 from 127.0.0.3]"},
		{CompileOptions{Target: "http://localhost:1/prefix"}, "[from 127.0.0.2 from 127.0.0.3]"},
		{CompileOptions{Target: "http://host", Loopback: true}, "[from 127.0.0.2 from 127.0.0.3]"},
		{CompileOptions{Target: "http://[::1]:1"}, "[]"},
		{CompileOptions{Target: "https://example.com"}, "[]"},
	} {
		plan, err := Compile(s, c.options)
		if err != nil {
			t.Fatal(err)
		}
		honest := slices.DeleteFunc(slices.Clone(plan.Lanes), func(l Lane) bool { return l.Trick != "" })
		if tricks := len(plan.Lanes) - len(honest); (tricks == 2) != onLoopback(plan.Scenario.Target) {
			t.Errorf("%s: got %d lanes in disguise", plan.Scenario.Target, tricks)
		}
		if got := fmt.Sprint(honest); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.options, got, c.want)
		}
		// Only duckload's own emulator is known to be fresh.
		if fresh := plan.Scenario.Groups[0].Fresh; fresh != (plan.Scenario.Target == Emulator) {
			t.Errorf("%s: fresh %v", plan.Scenario.Target, fresh)
		}
		if rests := plan.Tracks[0].Phases[0].Pace == "refill"; rests == plan.Scenario.Groups[0].Fresh {
			t.Errorf("%s: rests first: %v", plan.Scenario.Target, rests)
		}
	}
}

func TestPlansAreWrittenAndReadBack(t *testing.T) {
	plan := spaceDuck(t, CompileOptions{Run: "r", Seed: 5})
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var back Plan
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	back.Scenario = plan.Scenario
	if shown(back) != shown(plan) || back.Requests() != plan.Requests() || back.Duration() != plan.Duration() || back.Seed != 5 {
		t.Errorf("got\n%s\nwant\n%s", shown(back), shown(plan))
	}
}

func TestThePlanSaysWhatItCanDecide(t *testing.T) {
	d := Describe(spaceDuck(t, CompileOptions{Run: "r"}), 0)
	for _, a := range d.Abilities {
		if !a.Decides {
			t.Errorf("%s %s: %s; the default run must leave nothing undecided", a.Group, a.Check, a.Detail)
		}
	}
	if len(d.Creates) != 3 || d.Creates[0].What != "account" {
		t.Errorf("creates %v, want accounts, subscriptions and messages", d.Creates)
	}
	for _, s := range d.Steps {
		if s.Why == "" || s.Rejections > s.Likely || s.Likely > s.Requests {
			t.Errorf("%s %s: %d rejections of %d requests, why: %q", s.Group, s.Label, s.Rejections, s.Requests, s.Why)
		}
	}

	s := load(t, around("promise: {limit: 60/min, burst: 9, scope: ip},\nrequests: [GET /],\nsources: 127.0.0.1,\nobjectives: {p99: 1s},\npacing: [{hold: 80%, for: 10s}]"))
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"limit.ceiling": false, "limit.floor": false, "limit.burst": false, "limit.rate": false, "scope": false, "recovery": false, "sustained": true,
		"reject.status": false, "retry_after.well_formed": false, "retry_after.sufficient": false, "latency": true}
	for _, a := range Describe(plan, 0).Abilities {
		if decides, known := want[a.Check]; !known || decides != a.Decides {
			t.Errorf("a hold alone, %s: got %v (%s)", a.Check, a.Decides, a.Detail)
		}
		delete(want, a.Check)
	}
	if len(want) > 0 {
		t.Errorf("nothing is said about %v", want)
	}
}

// all is a limiter that admits what every one of some limiters admits.
type all []limiter.Limiter

func (a all) Take(at time.Duration) (limiter.Decision, limiter.Limiter) {
	d, _, after := limiter.TakeAll(at, a)
	return d, all(after)
}

func TestEveryLimitOfAPromiseIsReached(t *testing.T) {
	s := load(t, around("promise: [{limit: 10/s, burst: 10}, {limit: 100/min, burst: 100}, {limit: 1000/day, verify: false}],\nrequests: [GET /]"))
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range Describe(plan, 0).Abilities {
		if strings.HasPrefix(a.Check, "limit.") && !a.Decides {
			t.Errorf("%s: %s", a.Check, a.Detail)
		}
	}
	limits := s.Groups[0].Promise.Limits
	both := func() limiter.Limiter {
		return all{model(t, limits[0])(), model(t, limits[1])()}
	}
	d := newDriver(plan, both, rand.New(rand.NewPCG(1, 1)), 5*time.Millisecond)
	d.run(t, plan.Tracks[0])
	var before, behind [3]int // outcomes of the probes of the first and of the second limit
	for _, s := range d.seen {
		switch p := plan.Tracks[0].Phases[s.Phase]; {
		case p.Pace == "edges" && p.Limit == limits[0]:
			before[s.Outcome]++
		case p.Pace == "edges":
			behind[s.Outcome]++
		}
	}
	if before[limiter.Admitted] < 20 || behind[limiter.Admitted] < 20 || before[limiter.Rejected] < 10 || behind[limiter.Rejected] < 10 {
		t.Errorf("edge probes of the first limit %v, of the second %v; want both sides of both", before, behind)
	}
}

// A quota is only counted, so it may be larger than a limit that is judged.
func TestAQuotaMayBeLarge(t *testing.T) {
	s := load(t, around("promise: [{limit: 10/s, burst: 10}, {limit: 5000000/720h, verify: false}, {limit: 1000000/day, burst: 1000, verify: false}],\nrequests: [GET /]"))
	if _, err := Compile(s, CompileOptions{Run: "r"}); err != nil {
		t.Error(err)
	}
}

func TestAQuotaIsRespected(t *testing.T) {
	text := "promise: [{limit: 1/s, burst: 2}, {limit: 20/day, verify: false}],\nrequests: [GET /]"
	_, err := Compile(load(t, around(text)), CompileOptions{Run: "r"})
	if want := "f:3:10: groups.g: the plan comes to "; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "20/day must be respected") {
		t.Errorf("got %v, want %s…", err, want)
	}
	plan, err := Compile(load(t, around("promise: {limit: 20/day, verify: false},\nrequests: [GET /]")), CompileOptions{Run: "r"})
	if err != nil || plan.Requests() != 1 {
		t.Errorf("a quota alone: %d requests, %v; want one and no error", plan.Requests(), err)
	}
}
