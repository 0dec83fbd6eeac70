package scenarios

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"duckload/limiter"
)

// Nobody to share with leaves a plan as it is, to the byte.
func TestOneMachinesPlanKnowsNoAgents(t *testing.T) {
	var texts []string
	for _, o := range []CompileOptions{{Run: "r"}, {Run: "r", Agents: 1}, {Run: "r", Agents: 1, Apart: true}} {
		text, err := json.Marshal(spaceDuck(t, o))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[1] != texts[0] || texts[2] != texts[0] {
		t.Error("one agent's plan is not that of one machine")
	}
}

// While other agents ask, the key is used up: at no time longer than two looks
// is it not known to be, and all readings and trips keep to the bound.
func TestAKeyIsUsedUpWhileOthersAsk(t *testing.T) {
	for i, promise := range []string{
		"{limit: 100/min, burst: 200, scope: ip}", "{limit: 5/min, burst: 2, scope: ip}", "{limit: 300/s, burst: 100, scope: ip}",
		"{limit: 20/5s, reading: fixed-window, scope: ip}", "{limit: 20/5s, reading: sliding-log, scope: ip}", "{limit: 20/5s, reading: sliding-counter, scope: ip}",
	} {
		for _, trip := range []time.Duration{time.Millisecond, 20 * time.Millisecond} {
			s := load(t, around(fmt.Sprintf("promise: %s,\nrequests: [GET /]", promise)))
			s.Target = "http://127.0.0.1"
			plan, err := Compile(s, CompileOptions{Run: "r", Agents: 3})
			if err != nil {
				t.Fatal(err)
			}
			track := plan.Tracks[0]
			p := track.Phases[len(track.Phases)-1]
			if p.Pace != meet.Name || len(plan.Tracks) != 3 {
				t.Fatalf("%s: the track ends with %s, and there are %d tracks; want a meeting and two that ask", promise, p.Pace, len(plan.Tracks))
			}
			d := newDriver(plan, model(t, p.Limit), rand.New(rand.NewPCG(uint64(i), 0)), trip)
			d.run(t, track)
			first := plan.Tracks[1].Phases[0].For
			last := plan.Tracks[2].Phases[0].For + 250*time.Millisecond
			refused := time.Duration(0)
			for _, x := range d.seen {
				if x.Outcome != limiter.Rejected || x.Phase != len(track.Phases)-1 {
					continue
				}
				if gap := x.Answered - refused; x.Answered > first && refused < last && gap > 2*meetGap+4*trip {
					t.Errorf("%s, %v: the key is not known to be used up for %v, until %v; others ask from %v to %v", promise, trip, gap, x.Answered, first, last)
				}
				refused = x.Answered
			}
			if refused < last {
				t.Errorf("%s, %v: the last rejection is of %v; others ask until %v", promise, trip, refused, last)
			}
		}
	}
}
