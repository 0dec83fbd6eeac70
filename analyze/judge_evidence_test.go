package analyze

import (
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A witness may list a request twice: the rejection that told a wait may be
// the retry of another one.
func TestARequestThatIsListedTwiceIsShownTwice(t *testing.T) {
	header := history.Header{
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: tenPerMinute}},
		Lanes:  []history.Lane{{}},
		Phases: []history.Phase{{}},
	}
	var observations []history.Observation
	for i := range 3 {
		sent := time.Duration(i+1) * time.Second
		observations = append(observations, history.Observation{Seq: uint64(i), Sent: sent, Answered: sent + 1, Done: sent + 2, Status: 429})
	}
	j := newJudgement(history.Of(header, observations, nil))
	row := func(ordinal uint32) Row { return Row{Ordinal: ordinal, Outcome: limiter.Rejected} }
	got := j.evidence([]Row{row(0), row(1), row(1), row(2), row(0)})
	for i, want := range []int{0, 1, 1, 2, 0} {
		if got[i].Seq != uint64(want) || got[i].Sent != observations[want].Sent || got[i].Status != 429 {
			t.Errorf("place %d: got request %d sent at %s with status %d, want request %d sent at %s with 429", i, got[i].Seq, got[i].Sent, got[i].Status, want, observations[want].Sent)
		}
	}
}
