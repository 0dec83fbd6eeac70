package attack

import (
	"net/http"
	"reflect"
	"runtime"
	"strings"
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
	plan := planFor(t, `g: {promise: {limit: 100/min, burst: 200}, requests: [GET /x], connections: 100, pacing: [{hold: 100/s, for: 3s}]}`)
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
