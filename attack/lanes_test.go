package attack

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"

	"duckload/history"
	"duckload/scenarios"
)

// ofMany returns a plan whose phases are sent by many lanes in turn.
func ofMany(t testing.TB, lanes int, phases string) scenarios.Plan {
	plan := pacing(t, phases)
	one := plan.Lanes[0]
	plan.Lanes = nil
	var all []int
	for i := range lanes {
		plan.Lanes = append(plan.Lanes, one)
		all = append(all, i)
	}
	for i := range plan.Tracks[0].Phases {
		plan.Tracks[0].Phases[i].Lanes = all
	}
	return plan
}

// Each lane has a sender of its own, but not before its first request and not
// after its last.
func TestTenThousandLanesTakeTheRoomOfAFew(t *testing.T) {
	const lanes = 10_000
	plan := ofMany(t, lanes, fmt.Sprintf("{hold: 1000/s, for: %ds}", lanes/1000))
	before, most := runtime.NumGoroutine(), 0
	synctest.Test(t, func(t *testing.T) {
		sent := make([]int, lanes)
		o := over(&wire{answer: func(*http.Request) (int, http.Header, string) {
			most = max(most, runtime.NumGoroutine())
			return 200, nil, ""
		}}, nil)
		o.Record = func(o history.Observation) error { sent[o.Lane]++; return nil }
		complete(t, plan, o)
		for lane, n := range sent {
			if n != 1 {
				t.Fatalf("lane %d sent %d requests, want one each", lane, n)
			}
		}
	})
	// A second's worth of lanes: shots are handed out before they are due.
	if most-before > 2500 {
		t.Errorf("got %d goroutines at once for %d lanes, want few", most-before, lanes)
	}
}

func TestRoomIsWhatThePlanNeeds(t *testing.T) {
	for _, tc := range []struct {
		lanes         int
		phases        string
		workers, last int
	}{
		{1, "{burst: 1}", 1, 0},
		{1, "{burst: 10}, {rest: 1s}, {burst: 4}", 14, 2},
		{1, "{hold: 1/s, for: 60s}", leastWorkers, 0},
		{1, "{hold: 50/s, for: 60s}", 500, 0}, // answers of ten seconds
		{1, "{hold: 9000/s, for: 60s}", mostWorkers, 0},
		{10, "{hold: 1000/s, for: 60s}", 1000, 0},
		{10_000, "{hold: 1000/s, for: 10s}", 1, 0},
		{10_000, "{hold: 1000/s, for: 100s}", 1, 0}, // 10 shots each, and answers of ten seconds
		{10_000, "{hold: 9000/s, for: 100s}", 3, 0}, // not so many workers in all
	} {
		for _, r := range rooms(ofMany(t, tc.lanes, tc.phases)) {
			if r.workers != tc.workers || r.last != tc.last {
				t.Errorf("%d lanes, %s: got %+v, want %d workers up to phase %d", tc.lanes, tc.phases, r, tc.workers, tc.last)
				break
			}
		}
	}
}
