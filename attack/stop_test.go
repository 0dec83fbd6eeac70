package attack

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// vegeta sleeps without watching for a stop, and after waking may pick another
// tick over the stop.
func TestAStopInALongGapEndsAtOnceAndSendsNothingMore(t *testing.T) {
	plan := pacing(t, "{hold: 1/min, for: 10m}")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 61*time.Second)
		defer cancel()
		var all []history.Observation
		w := &wire{}
		began := time.Now()
		end, err := Run(ctx, plan, over(w, &all))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 61*time.Second {
			t.Errorf("returned after %v, want 61 s", took)
		}
		time.Sleep(10 * time.Minute)
		if len(w.got) != 2 || len(all) != 2 {
			t.Errorf("got %d requests and %d observations, want 2 of each", len(w.got), len(all))
		}
		if end.Complete || end.Reason != "interrupted" {
			t.Errorf("got %+v, want an incomplete run that was interrupted", end)
		}
		// What was handed out, but not due yet, is nothing that was left out.
		if end.Offered != 2 || len(end.Notes) != 0 {
			t.Errorf("got %+v, want 2 requests offered and no notes", end)
		}
	})
}

func TestRequestsUnderWayGetAMomentToEnd(t *testing.T) {
	for _, tc := range []struct {
		trip   time.Duration
		ends   time.Duration // of the run
		status int
		class  string
	}{
		{trip: 1200 * time.Millisecond, ends: 1200*time.Millisecond + 9, status: 200},
		{trip: time.Hour, ends: time.Second + grace, class: "canceled"},
	} {
		plan := pacing(t, "{burst: 10}, {rest: 1m}, {burst: 10}")
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var all []history.Observation
			w := &wire{there: time.Millisecond, back: tc.trip - time.Millisecond}
			end, err := Run(ctx, plan, over(w, &all))
			if err != nil {
				t.Fatal(err)
			}
			if end.At != tc.ends || len(w.got) != 10 {
				t.Errorf("trip %v: ended at %v with %d requests sent, want %v and 10", tc.trip, end.At, len(w.got), tc.ends)
			}
			for _, o := range all {
				if o.Status != tc.status || o.Error != tc.class || (o.Answered == history.Never) != (tc.class != "") {
					t.Errorf("trip %v: got %+v, want status %d, error %q", tc.trip, o, tc.status, tc.class)
				}
			}
		})
	}
}

func TestARunThatWasStoppedBeforeItBeginsSendsNothing(t *testing.T) {
	plan := pacing(t, "{burst: 10}")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var all []history.Observation
		w := &wire{}
		end, err := Run(ctx, plan, over(w, &all))
		if err != nil || len(w.got) != 0 || len(all) != 0 || end.Complete || end.Reason != "interrupted" {
			t.Errorf("got %+v, %v, %d requests, want an interrupted run without any", end, err, len(w.got))
		}
	})
}

func TestTheBudgetIsNeverExceededByOne(t *testing.T) {
	plan := planFor(t, `
g: {promise: {limit: 100/s, burst: 200, scope: key}, identity: [a, b, c, d], requests: [GET /x], pacing: [{burst: 200}, {hold: 100/s, for: 10s}]}
h: {promise: {limit: 100/s, burst: 200}, requests: [GET /x], pacing: [{burst: 200}]}`)
	for _, most := range []int{1, 7, 199, 200, 201, 500} {
		synctest.Test(t, func(t *testing.T) {
			var all []history.Observation
			w := &wire{there: 30 * time.Millisecond}
			o := over(w, &all)
			o.Budget.Requests = most
			end, err := Run(t.Context(), plan, o)
			if err != nil {
				t.Fatal(err)
			}
			if len(w.got) != most || len(all) != most {
				t.Errorf("sent %d requests and recorded %d, want the budget of %d", len(w.got), len(all), most)
			}
			if end.Complete || end.Reason != "budget" || !strings.Contains(strings.Join(end.Notes, "\n"), "budget of") {
				t.Errorf("got %+v, want an incomplete run that used up its budget", end)
			}
		})
	}
}

func TestManyLanesAtOnceGetNoMoreThanTheBudget(t *testing.T) {
	const rounds, lanes, most = 500, 4, 1000
	for range rounds {
		r := &run{options: Options{Budget: scenarios.Budget{Requests: most}}}
		r.stopped, r.stop = context.WithCancelCause(t.Context())
		var allowed atomic.Int32
		gate := make(chan struct{})
		var wait sync.WaitGroup
		for range lanes {
			wait.Go(func() {
				<-gate
				for r.may() {
					allowed.Add(1)
				}
			})
		}
		close(gate)
		wait.Wait()
		r.stop(nil)
		if got := allowed.Load(); got != most {
			t.Fatalf("allowed %d requests, want %d", got, most)
		}
	}
}

func TestABudgetThatIsJustEnoughIsNotExceeded(t *testing.T) {
	plan := pacing(t, "{burst: 10}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		o := over(&wire{}, &all)
		o.Budget = scenarios.Budget{Requests: 10, Duration: time.Second}
		complete(t, plan, o)
	})
}

func TestTheBudgetOfTimeEndsARunThatRests(t *testing.T) {
	plan := pacing(t, "{burst: 1}, {rest: 1h}, {burst: 1}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		o := over(&wire{}, &all)
		o.Budget.Duration = time.Minute
		end, err := Run(t.Context(), plan, o)
		if err != nil || end.At != time.Minute || end.Reason != "budget" || end.Complete || len(all) != 1 {
			t.Errorf("got %+v, %v and %d observations, want an end at 1 min with 1", end, err, len(all))
		}
	})
}

func TestAStopRuleEndsARunThatHurts(t *testing.T) {
	plan := pacing(t, "{hold: 10/s, for: 60s}")
	rule := scenarios.StopRule{Share: 0.5, Within: 2 * time.Second}
	for _, tc := range []struct {
		name   string
		broken func(n int) bool // whether request n gets a 503
		sent   int              // 0: all
	}{
		{"always", func(int) bool { return true }, 10},
		{"from the tenth second", func(n int) bool { return n >= 100 }, 111}, // 11 of the 21 in the window,
		{"one of three", func(n int) bool { return n%3 == 0 }, 600},
		{"too little to tell", func(n int) bool { return n < 4 }, 600},
	} {
		synctest.Test(t, func(t *testing.T) {
			var all []history.Observation
			w := &wire{answer: func(r *http.Request) (int, http.Header, string) {
				if tc.broken(number(t, r.URL.Query().Get("seq"))) {
					return 503, nil, ""
				}
				return 429, nil, "" // a rejection hurts nobody
			}}
			o := over(w, &all)
			o.Stop = []scenarios.StopRule{rule}
			end, err := Run(t.Context(), plan, o)
			if err != nil || len(all) != tc.sent {
				t.Errorf("%s: %d requests, %v, want %d", tc.name, len(all), err, tc.sent)
			}
			if stopped := tc.sent < 600; stopped != strings.HasPrefix(end.Reason, "stop rule: ") || stopped == end.Complete {
				t.Errorf("%s: got %+v", tc.name, end)
			}
		})
	}
}

func TestARecordThatFailsEndsTheRun(t *testing.T) {
	plan := pacing(t, "{hold: 1/s, for: 1m}")
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("disk full")
		w := &wire{}
		var all []history.Observation
		o := over(w, &all)
		o.Record = func(history.Observation) error { return broken }
		end, err := Run(t.Context(), plan, o)
		if !errors.Is(err, broken) || end.Complete || end.Reason == "" {
			t.Errorf("got %+v and %v, want an incomplete run and %v", end, err, broken)
		}
		if len(w.got) != 1 {
			t.Errorf("sent %d requests, want no more after the first", len(w.got))
		}
	})
}
