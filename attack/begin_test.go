package attack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"duckload/history"
)

func TestARunStartsAtTheMomentItIsGiven(t *testing.T) {
	plan := pacing(t, "{burst: 3}, {rest: 1s}, {burst: 2}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		o := over(&wire{}, &all)
		began := time.Now()
		o.Start = began.Add(5 * time.Second)
		end, err := Run(t.Context(), plan, o)
		if err != nil || !end.Complete {
			t.Fatal(end, err)
		}
		if len(all) != 5 {
			t.Fatalf("got %d observations, want 5", len(all))
		}
		for _, seen := range all {
			if seen.Sent < 0 || seen.Sent > 1100*time.Millisecond {
				t.Errorf("sent %v after the start, want 0 to 1.1 s", seen.Sent)
			}
		}
		if took := time.Since(began); took < 6*time.Second || took > 6100*time.Millisecond {
			t.Errorf("returned after %v, want 6 s", took)
		}
	})
}

func TestAStartThatHasPassedSendsNothing(t *testing.T) {
	plan := pacing(t, "{burst: 3}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		w := &wire{}
		o := over(w, &all)
		o.Start = time.Now().Add(-30 * time.Millisecond)
		end, err := Run(t.Context(), plan, o)
		var late LateStart
		if !errors.As(err, &late) || late.By != 30*time.Millisecond {
			t.Errorf("got %v, want a start that was 30 ms late", err)
		}
		if end.Complete || len(w.got) != 0 || len(all) != 0 {
			t.Errorf("got %+v and %d requests, want none", end, len(w.got))
		}
	})
}

func TestAStopBeforeTheStartSendsNothing(t *testing.T) {
	plan := pacing(t, "{burst: 3}")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var all []history.Observation
		w := &wire{}
		o := over(w, &all)
		began := time.Now()
		o.Start = began.Add(time.Minute)
		end, err := Run(ctx, plan, o)
		if err != nil || end.Reason != "interrupted" || len(w.got) != 0 {
			t.Errorf("got %+v, %v and %d requests, want an interruption and none", end, err, len(w.got))
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("returned after %v, want at most 2 s", took)
		}
	})
}
