package attack

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"duckload/emulator"
	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// The tests of this file run in virtual time, vegeta included, unless they say
// otherwise.

func TestTheSamePlanMakesTheSameHistoryEveryTime(t *testing.T) {
	plan := spaceDuck(t)
	var runs [3][]history.Observation
	for i := range runs {
		synctest.Test(t, func(t *testing.T) {
			server, err := emulator.New(emulator.SpaceDuck())
			if err != nil {
				t.Fatal(err)
			}
			o := over(nil, &runs[i])
			o.Transport = func(l scenarios.Lane) http.RoundTripper {
				transport := server.Transport(l.Source.String())
				transport.Delay = func(*http.Request) (there, back time.Duration) {
					return 3 * time.Millisecond, 4 * time.Millisecond
				}
				return transport
			}
			end := complete(t, plan, o)
			if end.Offered != len(runs[i]) || len(runs[i]) < 1000 {
				t.Errorf("got %d observations of %d requests, want all, and more than a thousand", len(runs[i]), end.Offered)
			}
		})
	}
	for i, run := range runs[1:] {
		if !reflect.DeepEqual(runs[0], run) {
			t.Errorf("run %d differs from the first: %s", i+1, firstDifference(runs[0], run))
		}
	}
}

func firstDifference(a, b []history.Observation) string {
	for i := range min(len(a), len(b)) {
		if !reflect.DeepEqual(a[i], b[i]) {
			return list([]history.Observation{a[i], b[i]})
		}
	}
	return "in length"
}

func TestABurstArrivesInOrder(t *testing.T) {
	plan := pacing(t, "{burst: 150}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		w := &wire{there: time.Millisecond, back: time.Millisecond}
		complete(t, plan, over(w, &all))
		if len(w.got) != 150 {
			t.Fatalf("got %d requests, want 150", len(w.got))
		}
		for i, a := range w.got {
			if number(t, a.seq) != i {
				t.Fatalf("request %s arrived as number %d", a.seq, i)
			}
		}
	})
}

// vegeta's own constant pacer sends the first request one interval late,
// truncates its grid, and sends one too many.
func TestTheFirstRequestIsSentAtOnceAndTheCountIsExact(t *testing.T) {
	plan := pacing(t, "{hold: 7/s, for: 3s}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		began := time.Now()
		w := &wire{}
		complete(t, plan, over(w, &all))
		if len(w.got) != 21 {
			t.Fatalf("got %d requests, want 7/s for 3 s to be 21", len(w.got))
		}
		for i, a := range w.got {
			exact := time.Duration(float64(i) * float64(time.Second) / 7)
			if late := a.at.Sub(began) - exact; late < 0 || late > 1 {
				t.Errorf("request %d was sent %v from its moment %v", i, late, exact)
			}
		}
	})
}

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

// vegeta hands its numbers out when a worker wakes up, not in the order of its
// targeter: what is joined by order is joined wrongly.
func TestMomentsAndRequestsAreJoinedByVegetasNumber(t *testing.T) {
	plan := planFor(t, `g: {promise: {limit: 100/s, burst: 200}, requests: [{POST: "/x?seq=${seq}", body: "${seq}"}], pacing: [{hold: 4000/s, for: 250ms}]}`)
	var all []history.Observation
	w := &wire{answer: func(r *http.Request) (int, http.Header, string) {
		for range len(r.URL.Path) * 7 {
			runtime.Gosched()
		}
		return 200, http.Header{"X-Ratelimit-Seq": {r.URL.Query().Get("seq")}}, ""
	}}
	complete(t, plan, over(w, &all))
	if len(all) != 1000 {
		t.Fatalf("got %d observations, want 1000", len(all))
	}
	for i, o := range bySeq(all) {
		if o.Seq != uint64(i) || o.Intended != time.Duration(i)*250*time.Microsecond {
			t.Fatalf("observation %d has number %d and moment %v", i, o.Seq, o.Intended)
		}
		if got := o.Evidence.Values("X-Ratelimit-Seq"); number(t, got[0]) != i {
			t.Fatalf("observation %d holds the answer of request %s", i, got[0])
		}
		if o.Sent < o.Intended {
			t.Fatalf("request %d was sent %v before its moment", i, o.Intended-o.Sent)
		}
	}
}

func TestNothingThatVegetaAddsIsSent(t *testing.T) {
	plan := planFor(t, `g: {promise: {limit: 100/s, burst: 200}, identity: a, requests: [{POST: "/x", json: {n: "${seq}"}, headers: {User-Agent: mine/1.0, Host: other.example}}, GET /y], pacing: [{burst: 4}]}`)
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		w := &wire{}
		o := over(w, &all)
		o.Target = "http://127.0.0.1/base/"
		complete(t, plan, o)
		for i, a := range w.got {
			want := http.Header{"User-Agent": {"duckload/test"}, "X-Duckload-Run": {"test"}, "X-Who": {"a"}}
			url, host, body := "http://127.0.0.1/base/y", "127.0.0.1", ""
			if i%2 == 0 {
				want["Content-Type"] = []string{"application/json"}
				want["User-Agent"] = []string{"mine/1.0 duckload/test"}
				url, host, body = "http://127.0.0.1/base/x", "other.example", `{"n":"`+string('0'+byte(i))+`"}`
			}
			if !reflect.DeepEqual(a.header, want) || a.url != url || a.host != host || a.body != body {
				t.Errorf("got %s of %s, %q with %v, want %s of %s, %q with %v", a.url, a.host, a.body, a.header, url, host, body, want)
			}
		}
		for _, o := range bySeq(all) {
			if o.Request != int(o.Seq%2) || (o.Request == 0) != (o.BytesOut > 0) {
				t.Errorf("got %+v, want the requests to take turns, and the bytes of their bodies", o)
			}
		}
	})
}

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
	const rounds, lanes, most = 2000, 4, 1000
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

// vegeta counts every status outside 200 to 399 as an error.
func TestARejectionIsAnAnswer(t *testing.T) {
	plan := planFor(t, `g: {promise: {limit: 100/s, burst: 200}, on_reject: {status: 429, json: {error.code: E4004}}, requests: [GET /x], pacing: [{burst: 1}]}`)
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		var outcomes []limiter.Outcome
		o := over(&wire{answer: func(*http.Request) (int, http.Header, string) {
			return 429, http.Header{"Retry-After": {"7"}, "Server": {"x"}}, `{"error":{"code":"E4004","text":"no"}}`
		}}, &all)
		o.Progress = func(e Event) {
			if !e.Begins && !e.Ends {
				outcomes = append(outcomes, e.Outcome)
			}
		}
		complete(t, plan, o)
		want := limiter.Fields{{Name: "Retry-After", Value: "7"}, {Name: "json:error.code", Value: "E4004"}}
		if got := all[0]; got.Status != 429 || got.Error != "" || !reflect.DeepEqual(got.Evidence, want) {
			t.Errorf("got %+v, want status 429 with %v", got, want)
		}
		if !reflect.DeepEqual(outcomes, []limiter.Outcome{limiter.Rejected}) {
			t.Errorf("got outcomes %v, want one rejection", outcomes)
		}
	})
}

// At its bound of workers vegeta loses the hits that are left when time is up.
func TestASlowTargetLosesNoRequest(t *testing.T) {
	plan := pacing(t, "{hold: 100/s, for: 3s}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		end := complete(t, plan, over(&wire{there: 5 * time.Second}, &all))
		if len(all) != 300 || end.Offered != 300 {
			t.Errorf("got %d of %d requests, want 300", len(all), end.Offered)
		}
		late := 0
		for _, o := range all {
			if o.Sent > o.Intended {
				late++
			}
		}
		if late != 200 || !strings.Contains(strings.Join(end.Notes, "\n"), "200 requests had to wait") {
			t.Errorf("got %d late requests and the notes %q, want 200 that waited", late, end.Notes)
		}
	})
}

func TestARequestThatTakesTooLongIsGivenUp(t *testing.T) {
	plan := pacing(t, "{burst: 3}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		o := over(&wire{there: time.Hour}, &all)
		o.Timeout = 2 * time.Second
		complete(t, plan, o)
		for _, o := range bySeq(all) {
			if o.Error != "timeout" || o.Answered != history.Never || o.Done != o.Sent+2*time.Second || o.Status != 0 {
				t.Errorf("got %+v, want a timeout after 2 s", o)
			}
		}
	})
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

// An attacker of vegeta serves once: a second attack returns almost nothing,
// without an error.
func TestAPlanCanBeSentTwice(t *testing.T) {
	plan := pacing(t, "{burst: 20}")
	synctest.Test(t, func(t *testing.T) {
		for range 2 {
			var all []history.Observation
			if complete(t, plan, over(&wire{}, &all)); len(all) != 20 {
				t.Errorf("got %d observations, want 20", len(all))
			}
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
