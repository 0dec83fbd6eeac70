package analyze

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// Two senders, of which the second is admitted more.
func TestTheBusiestKeyIsDrawn(t *testing.T) {
	for _, c := range []struct {
		scope    limiter.Scope
		lanes    []string
		admitted []int
	}{
		{limiter.ScopeUnknown, []string{"b from 127.0.0.3"}, []int{2, 1}},
		{limiter.ScopeIP, []string{"b from 127.0.0.3"}, []int{2, 1}},
		{limiter.ScopeGlobal, []string{"a from 127.0.0.2", "b from 127.0.0.3"}, []int{3, 2}},
	} {
		t.Run(fmt.Sprintf("scope %q", c.scope), func(t *testing.T) {
			promise := limiter.Promise{
				Limits:   []limiter.Limit{{Limit: 100, Window: time.Minute, Burst: 5, Scope: c.scope, Reading: limiter.TokenBucket}},
				Reject:   limiter.Rejection{Status: []int{429}},
				Admitted: []limiter.Statuses{{From: 200, To: 299}},
			}
			header := history.Header{
				Groups: []history.Group{{Name: "g", Counter: "g", Promise: promise}},
				Lanes:  []history.Lane{{Identity: "a", Source: "127.0.0.2"}, {Identity: "b", Source: "127.0.0.3"}},
				Phases: []history.Phase{{}},
			}
			var all []history.Observation
			for i, o := range []struct {
				lane, status int
				at           time.Duration
			}{
				{0, 200, 0}, {1, 200, 0}, {1, 200, 0}, {0, 429, 0}, {0, 429, 0},
				{0, 200, time.Second}, {1, 200, time.Second}, {1, 429, time.Second},
			} {
				at := o.at + time.Duration(i)*time.Microsecond
				all = append(all, history.Observation{Lane: o.lane, Seq: uint64(i), Intended: at, Sent: at, Answered: at + 1, Done: at + 1, Status: o.status})
			}
			f, err := Judge(history.Of(header, all, &history.End{At: 2 * time.Second, Complete: true, Offered: len(all)}))
			if err != nil {
				t.Fatal(err)
			}
			got := f.Groups[0].Drawn
			if !slices.Equal(got.Lanes, c.lanes) {
				t.Errorf("got %q, want %q", got.Lanes, c.lanes)
			}
			if got.Timeline.Bin != f.Groups[0].Timeline.Bin {
				t.Errorf("got bins of %s, want %s", got.Timeline.Bin, f.Groups[0].Timeline.Bin)
			}
			second := int(time.Second / got.Timeline.Bin)
			if first, last := sum(got.Timeline.Admitted[:second]), sum(got.Timeline.Admitted[second:]); !slices.Equal([]int{first, last}, c.admitted) {
				t.Errorf("got %d and %d admitted in the two seconds, want %v", first, last, c.admitted)
			}
		})
	}
}

// A violation under a quiet key would not be seen in the picture of a busy one.
func TestTheKeyOfABrokenLimitIsDrawn(t *testing.T) {
	promise := limiter.Promise{
		Limits:   []limiter.Limit{{Limit: 60, Window: time.Minute, Burst: 3, Reading: limiter.TokenBucket}},
		Reject:   limiter.Rejection{Status: []int{429}},
		Admitted: []limiter.Statuses{{From: 200, To: 299}},
	}
	header := history.Header{
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: promise}},
		Lanes:  []history.Lane{{Identity: "busy"}, {Identity: "quiet"}},
		Phases: []history.Phase{{}},
	}
	var all []history.Observation
	add := func(lane int, at time.Duration) {
		all = append(all, history.Observation{Lane: lane, Seq: uint64(len(all)), Intended: at, Sent: at, Answered: at + 1, Done: at + 1, Status: 200})
	}
	for i := range 20 {
		add(0, time.Duration(i)*2*time.Second)
	}
	for i := range 5 {
		add(1, time.Duration(i)*time.Millisecond)
	}
	f, err := Judge(history.Of(header, all, &history.End{At: time.Minute, Complete: true, Offered: len(all)}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Groups[0].Drawn.Lanes, []string{"quiet"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAGroupThatSentNothingHasNoKeyToDraw(t *testing.T) {
	h := &history.Header{Groups: []history.Group{{Name: "g"}}, Lanes: []history.Lane{{}}}
	if got := drawn(h, 0, nil, Timeline{}, toDraw(h, 0, nil, nil)); got.Lanes != nil {
		t.Errorf("got %v, want none", got.Lanes)
	}
}

func sum(counts []int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}
