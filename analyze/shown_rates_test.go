package analyze_test

import (
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// What was offered is set beside what left, and a sender that fell behind is a
// caveat; a late request or two are none.
func TestASenderThatFallsBehindIsACaveat(t *testing.T) {
	for _, tc := range []struct {
		name     string
		pace     string
		each     time.Duration // between requests as they left
		late     time.Duration // of the last one besides
		offered  float64
		achieved float64
		caveat   string
	}{
		{"held", "hold", 10 * time.Millisecond, 0, 100, 100, ""},
		{"one late", "hold", 10 * time.Millisecond, 200 * time.Millisecond, 100, 83.2, ""},
		{"half as fast", "hold", 20 * time.Millisecond, 0, 100, 50, "g: at a rate offered 100 requests a second and 50 left, the last 0.990 s after its moment"},
		{"a ramp", "ramp", 20 * time.Millisecond, 0, 100, 50, "offered 100"},
		{"a burst is no rate", "burst", 20 * time.Millisecond, 0, 0, 0, ""},
	} {
		var all []history.Observation
		for i := range 100 {
			o := history.Observation{Seq: uint64(i), Status: 200, Intended: time.Second + time.Duration(i)*10*time.Millisecond, Sent: time.Second + time.Duration(i)*tc.each}
			if i == 99 {
				o.Sent += tc.late
			}
			o.Answered, o.Done = o.Sent+time.Millisecond, o.Sent+time.Millisecond
			all = append(all, o)
		}
		h := history.Header{
			Groups: []history.Group{{Name: "g", Counter: "g", Exclusive: true, Promise: limiter.Promise{
				Limits: []limiter.Limit{{Limit: 1000, Window: time.Second, Burst: 1000, Reading: limiter.TokenBucket}}, Admitted: []limiter.Statuses{{From: 200, To: 299}}}}},
			Lanes: []history.Lane{{}}, Phases: []history.Phase{{Pace: tc.pace, Label: "at a rate"}},
		}
		f := judged(t, history.Of(h, all, &history.End{Complete: true, Offered: len(all)}))
		if tc.offered == 0 {
			if len(f.Sending.Rates) != 0 {
				t.Errorf("%s: got %+v, want no rate", tc.name, f.Sending.Rates)
			}
			continue
		}
		r := f.Sending.Rates[0]
		if !near(r.Offered, tc.offered) || !near(r.Achieved, tc.achieved) || r.N != 100 {
			t.Errorf("%s: got %+v, want %g offered and %g achieved", tc.name, r, tc.offered, tc.achieved)
		}
		said := strings.Join(f.Caveats, "; ")
		if tc.caveat == "" && said != "" || !strings.Contains(said, tc.caveat) {
			t.Errorf("%s: got the caveats %q, want %q", tc.name, said, tc.caveat)
		}
	}
}

func near(a, b float64) bool { return a > b*0.99 && a < b*1.01 }

// Phases that nobody sent anything in, and requests all due at one moment, have
// no rate.
func TestPhasesWithoutARate(t *testing.T) {
	one := history.Observation{Status: 200, Sent: 1, Answered: 2, Done: 2}
	h := history.Header{Groups: []history.Group{{Name: "g", Counter: "g"}}, Lanes: []history.Lane{{}}, Phases: []history.Phase{{Pace: "hold"}, {Pace: "hold"}, {Pace: "hold", Group: 9}}}
	two := one
	two.Phase = 2
	again := two
	again.Intended = time.Second
	f := judged(t, history.Of(h, []history.Observation{one, one, two, again}, &history.End{}))
	if r := f.Sending.Rates; len(r) != 1 || r[0].Group != "" || r[0].N != 2 {
		t.Errorf("got %+v, want the third phase's alone, of no group", r)
	}
}
