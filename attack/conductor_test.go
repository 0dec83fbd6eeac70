package attack

import (
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

func TestPhasesFollowEachOtherWithoutDrift(t *testing.T) {
	plan := pacing(t, "{hold: 3/s, for: 1s}, {rest: 10s}, {hold: 3/s, for: 1s}, {burst: 2}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		end := complete(t, plan, over(&wire{there: 400 * time.Millisecond}, &all))
		third := time.Duration(333_333_333)
		want := []time.Duration{0, third, 2*third + 1, 11 * time.Second, 11*time.Second + third, 11*time.Second + 2*third + 1, 12 * time.Second, 12*time.Second + 1}
		if got := intended(all); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for _, o := range all {
			if o.Sent != o.Intended || o.Answered != o.Sent+400*time.Millisecond {
				t.Errorf("got %+v, want it sent when intended and answered 400 ms later", o)
			}
		}
		if end.At != 12*time.Second+400*time.Millisecond+1 {
			t.Errorf("ended at %v, want it to end with the last answer", end.At)
		}
	})
}

func TestProgressTellsOfPhasesInOrder(t *testing.T) {
	plan := pacing(t, "{burst: 2}, {rest: 5s}, {burst: 1}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		var events []Event
		o := over(&wire{there: time.Millisecond}, &all)
		o.Progress = func(e Event) { events = append(events, e) }
		complete(t, plan, o)
		ms, s, admitted := time.Millisecond, time.Second, limiter.Admitted
		want := []Event{
			{Begins: true},
			{At: 0, Phase: 1, Begins: true}, // the rest of 5 s begins where the burst ends, 2 ns later
			{At: ms, Outcome: admitted},
			{At: ms + 1, Outcome: admitted},
			{At: 5*s + 2 - ahead, Phase: 2, Begins: true},
			{At: 5*s + 2 + ms, Phase: 2, Outcome: admitted},
			{At: 5*s + 2 + ms, Phase: 2, Ends: true},
		}
		if !reflect.DeepEqual(events, want) {
			t.Errorf("got %s\nwant %s", list(events), list(want))
		}
	})
}

func TestAReactivePaceSeesAllThatHasEnded(t *testing.T) {
	var views []scenarios.View
	paces := scenarios.Paces
	defer func() { scenarios.Paces = paces }()
	scenarios.Paces = append(paces[:len(paces):len(paces)], scenarios.Pace{
		Name:     "three times",
		Requests: func(scenarios.Phase) int { return 3 },
		Next: func(p scenarios.Phase, v scenarios.View) scenarios.Move {
			views = append(views, v)
			shot := scenarios.Shot{At: v.Now, Lane: p.Lanes[0]}
			switch len(views) {
			case 1:
				later := shot
				later.At += time.Second
				return scenarios.Move{Shots: []scenarios.Shot{shot, later}}
			case 2:
				return scenarios.Move{Wake: time.Minute} // asked again then
			}
			return scenarios.Move{Shots: []scenarios.Shot{shot}, Wake: 2 * time.Minute, Done: true}
		},
	})
	plan := pacing(t, "{burst: 2}, {burst: 1}, {burst: 1}")
	plan.Tracks[0].Phases[1].Pace = "three times"
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		w := &wire{there: time.Second, answer: func(*http.Request) (int, http.Header, string) {
			return 429, http.Header{"Retry-After": {"3"}}, ""
		}}
		complete(t, plan, over(w, &all))
		s := time.Second
		if got, want := intended(all), []time.Duration{0, 1, s + 1, 2*s + 1, 60 * s, 120 * s}; !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i, want := range []struct {
			now  time.Duration
			seen int
		}{{s + 1, 2}, {3*s + 1, 4}, {60 * s, 4}} {
			v := views[i]
			if v.Now != want.now || len(v.Seen) != want.seen || v.Start != s+1 || v.Phase != 1 {
				t.Errorf("view %d: got %+v, want %+v", i, v, want)
			}
			for _, seen := range v.Seen {
				if seen.Answered != seen.Sent+s || seen.Outcome != limiter.Rejected || seen.RetryAfter != 3*s {
					t.Errorf("view %d: got %+v", i, seen)
				}
			}
		}
	})
}

func TestAPaceThatWantsNothingIsAskedAgainLater(t *testing.T) {
	paces := scenarios.Paces
	defer func() { scenarios.Paces = paces }()
	asked := 0
	scenarios.Paces = append(paces[:len(paces):len(paces)], scenarios.Pace{
		Name:     "undecided",
		Requests: func(scenarios.Phase) int { return 0 },
		Next: func(_ scenarios.Phase, v scenarios.View) scenarios.Move {
			asked++
			return scenarios.Move{Done: v.Now >= 10*time.Millisecond}
		},
	})
	plan := pacing(t, "{burst: 1}")
	plan.Tracks[0].Phases[0].Pace = "undecided"
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		if complete(t, plan, over(&wire{}, &all)); asked > 11 {
			t.Errorf("asked %d times in 10 ms", asked)
		}
	})
}
