package scenarios

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Whatever time is given, a plan fits into it or says how long the shortest
// takes; what is left out is named, and what remains can be sent.
func TestPlansFitIntoTheTimeGiven(t *testing.T) {
	s, err := BuiltIn("space-duck", Env{})
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for _, most := range []time.Duration{time.Hour, 70 * time.Second, 45 * time.Second, 30 * time.Second, 20 * time.Second} {
		plan, err := Compile(s, CompileOptions{Run: "r", MaxTime: most})
		if err != nil {
			t.Fatalf("%v: %v", most, err)
		}
		if plan.Duration() > most {
			t.Errorf("%v: the plan takes %v", most, plan.Duration())
		}
		if (len(plan.Dropped) == 0) != (most == time.Hour) || len(plan.Dropped) < dropped {
			t.Errorf("%v: dropped %q, want nothing in an hour and more in less", most, plan.Dropped)
		}
		dropped = len(plan.Dropped)
		for i, track := range plan.Tracks {
			bursts := 0
			for _, p := range track.Phases {
				if p.Pace == burst.Name {
					bursts++
				}
			}
			if bursts == 0 || resting(track.Phases[len(track.Phases)-1]) {
				t.Errorf("%v: %s has %d bursts and ends with %s", most, track.Name, bursts, track.Phases[len(track.Phases)-1].Label)
			}
			d := newDriver(plan, model(t, track.Phases[0].Limit), rand.New(rand.NewPCG(1, uint64(i))), 5*time.Millisecond)
			if d.run(t, track); d.now > most+5*time.Second {
				t.Errorf("%v: %s took %v", most, track.Name, d.now)
			}
		}
	}
}

func TestPlansThatCannotFitSayWhatTheShortestTakes(t *testing.T) {
	s, err := Load("f", []byte(around("promise: {limit: 60/min, burst: 10}, requests: [GET /]")), world())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(s, CompileOptions{Run: "r", MaxTime: time.Nanosecond})
	if err == nil || !strings.HasPrefix(err.Error(), "f:3:10: groups.g: takes at least ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that says how long it takes", err)
	}
	s, err = Load("f", []byte(around("promise: {limit: 60/min, burst: 10}, requests: [GET /], pacing: [{hold: 50%, for: 2m}]")), world())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(s, CompileOptions{Run: "r", MaxTime: time.Minute})
	if err == nil || !strings.Contains(err.Error(), "takes at least 2m0s, and at most 1m0s are given (its pacing is written by hand") {
		t.Errorf("got %v, want pacing by hand to stay as it is", err)
	}
}
