package analyze

import (
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A scenario that says decided_within speaks of requests without an answer. A
// 500 that came late may have been decided late.
func TestDecidedWithinSpeaksOfRequestsWithoutAnAnswer(t *testing.T) {
	promise := limiter.Promise{
		Limits:   []limiter.Limit{{Limit: 1, Window: 10 * time.Second, Burst: 1, Reading: limiter.TokenBucket}},
		Reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterNone},
		Admitted: []limiter.Statuses{{From: 200, To: 299}},
	}
	header := history.Header{
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: promise, Exclusive: true, Fresh: true, DecidedWithin: time.Second}},
		Lanes:  []history.Lane{{}}, Phases: []history.Phase{{}},
	}
	for _, first := range []struct {
		what string
		history.Observation
		want Verdict
	}{
		{"answered late with a 500", history.Observation{Answered: 10 * time.Second, Done: 10 * time.Second, Status: 500}, Pass},
		{"never answered", history.Observation{Answered: history.Never, Done: 10 * time.Second, Error: "timeout"}, Fail},
	} {
		at := 11500 * time.Millisecond
		second := history.Observation{Seq: 1, Sent: at, Answered: at + 1, Done: at + 1, Status: 429}
		f, err := Judge(history.Of(header, []history.Observation{first.Observation, second}, &history.End{At: at, Complete: true}))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range f.Groups[0].Findings {
			if x.Check == "limit.floor" && x.Outcome != first.want {
				t.Errorf("after a request that was %s: got %s, want %s: %s", first.what, x.Outcome, first.want, x.Message)
			}
		}
	}
}
