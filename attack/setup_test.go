package attack

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

const session = `g:
  promise: {limit: 100/min, burst: 200}
  identity: [a, b]
  setup:
    - {POST: /login, json: {who: me}, capture: {token: {json: data.0.token}, id: {header: X-Id}}}
  requests: [{GET: /x, headers: {Authorization: "Bearer ${capture.token}"}}]
  teardown: ["DELETE /session/${capture.id}"]
  pacing: [{burst: 3}]`

// door is a server that lets in only whom it knows.
func door(login int) *wire {
	return &wire{answer: func(r *http.Request) (int, http.Header, string) {
		who := r.Header.Get("X-Who")
		switch {
		case r.URL.Path == "/login":
			return login, http.Header{"X-Id": {"id-" + who}}, `{"data": [{"token": "t0ken-` + who + `"}], "said": "\u001b[2J"}`
		case r.URL.Path == "/x" && r.Header.Get("Authorization") != "Bearer t0ken-"+who:
			return 401, nil, ""
		}
		return 200, nil, `{"echo": "` + r.Header.Get("Authorization") + "\x1b[31m" + `"}`
	}}
}

// sent runs a plan against a wire and returns its observations and its end.
func sent(t *testing.T, ctx context.Context, plan scenarios.Plan, w *wire, o Options) (all []history.Observation, end history.End, err error) {
	t.Helper()
	o.Target = "http://127.0.0.1"
	o.Transport = func(scenarios.Lane) http.RoundTripper { return w }
	o.Record = func(o history.Observation) error { all = append(all, o); return nil }
	end, err = Run(ctx, plan, o)
	return all, end, err
}

func TestEachIdentityIsSetUpAndCleanedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := door(200)
		var shown strings.Builder
		all, end, err := sent(t, t.Context(), planFor(t, session), w, Options{Debug: &shown})
		if err != nil || !end.Complete || len(end.Notes) > 0 {
			t.Fatalf("got %+v, %v, want a whole run without notes", end, err)
		}
		if len(all) != 3 {
			t.Errorf("%d observations, want those of the burst alone", len(all))
		}
		for _, o := range all {
			if o.Status != 200 || o.Sent > time.Second {
				t.Errorf("got %+v, want 200 with the captured token, counted from after the setup", o)
			}
		}
		var paths []string
		for _, a := range w.got {
			paths = append(paths, strings.TrimPrefix(a.url, "http://127.0.0.1"))
		}
		const want = "/login /login /x /x /x /session/id-a /session/id-b"
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if text := shown.String(); strings.Contains(text, "t0ken") || strings.Contains(text, "\x1b") || strings.Count(text, "> GET /x") != 3 ||
			!strings.Contains(text, "> Authorization: Bearer ***") || !strings.Contains(text, `\x1b[31m`) {
			t.Errorf("shown\n%s\nwant three exchanges, tokens masked, control characters visible", text)
		}
	})
}

func TestFailedSetupSaysWhatTheTargetSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := door(503)
		all, end, err := sent(t, t.Context(), planFor(t, session), w, Options{})
		var failed SetupFailed
		if !errors.As(err, &failed) || failed.Identity != "a" || !strings.Contains(err.Error(), "setup of g, a: POST /login: status 503: ") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("got %v, want what the target said", err)
		}
		if len(all) != 0 || len(w.got) != 1 || end.Complete {
			t.Errorf("%d observations, %d requests, %+v; want one request and nothing on record", len(all), len(w.got), end)
		}
		missing := strings.Replace(session, "data.0.token", "data.1.token", 1)
		_, _, err = sent(t, t.Context(), planFor(t, missing), door(200), Options{})
		if err == nil || !strings.Contains(err.Error(), "the answer has no JSON value data.1.token, which is captured as token") {
			t.Errorf("got %v, want what was missing", err)
		}
	})
}

func TestSetupAndTeardownCountAgainstTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := door(200)
		_, end, err := sent(t, t.Context(), planFor(t, session), w, Options{Budget: scenarios.Budget{Requests: 4}})
		if err != nil || end.Reason != "budget" || len(w.got) != 4 {
			t.Errorf("got %+v, %v after %d requests, want the budget of 4", end, err, len(w.got))
		}
		if notes := strings.Join(end.Notes, "\n"); !strings.Contains(notes, "2 requests were due for teardown and not sent: what setup made may still be on the target") {
			t.Errorf("notes %q, want what was left behind", notes)
		}
	})
}

func TestStoppedSetupIsAnInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := door(200)
		answer := w.answer
		w.answer = func(r *http.Request) (int, http.Header, string) { cancel(); return answer(r) }
		_, end, err := sent(t, ctx, planFor(t, session), w, Options{})
		if err != nil || end.Reason != "interrupted" || len(w.got) > 2 {
			t.Errorf("got %+v, %v after %d requests, want an interruption at once", end, err, len(w.got))
		}
	})
}

// halfway is a session of two steps, with something to clean up after each.
const halfway = `g:
  promise: {limit: 100/min, burst: 200}
  setup:
    - {POST: /signup, capture: {id: {json: id}}}
    - {POST: /verify, capture: {token: {json: token}}}
  requests: [{GET: /x, headers: {Authorization: "Bearer ${capture.token}"}}]
  teardown: ["DELETE /account/${capture.id}", "DELETE /session/${capture.token}"]
  pacing: [{burst: 3}]`

// asked lists the methods and paths that arrived.
func asked(w *wire) string {
	var all []string
	for _, a := range w.got {
		all = append(all, strings.TrimPrefix(a.url, "http://127.0.0.1"))
	}
	return strings.Join(all, " ")
}

func TestWhatAHalfFailedSetupMadeIsTornDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(r *http.Request) (int, http.Header, string) {
			switch r.URL.Path {
			case "/signup":
				return 201, nil, `{"id": "duck-7"}`
			case "/verify":
				return 500, nil, `{}`
			}
			return 204, nil, ""
		}}
		_, end, err := sent(t, t.Context(), planFor(t, halfway), w, Options{})
		if err == nil || !strings.Contains(err.Error(), "POST /verify: status 500") {
			t.Errorf("got %v, want the second step to have failed", err)
		}
		if got := asked(w); got != "/signup /verify /account/duck-7" {
			t.Errorf("got %s, want the account deleted, and no session, for which there is no token", got)
		}
		if notes := strings.Join(end.Notes, "\n"); !strings.Contains(notes, "1 request was due for teardown and not sent") {
			t.Errorf("notes %q, want the one that was not sent", notes)
		}
		// A step that was refused made nothing.
		refused := &wire{answer: func(*http.Request) (int, http.Header, string) { return 403, nil, "" }}
		if _, _, err := sent(t, t.Context(), planFor(t, halfway), refused, Options{}); err == nil || asked(refused) != "/signup" {
			t.Errorf("got %v and %s, want one request", err, asked(refused))
		}
	})
}

func TestAnInterruptedSetupIsTornDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &wire{answer: func(r *http.Request) (int, http.Header, string) {
			if r.URL.Path == "/verify" {
				cancel()
			}
			return 200, nil, `{"id": "duck-7", "token": ""}`
		}}
		_, end, err := sent(t, ctx, planFor(t, halfway), w, Options{})
		if err != nil || end.Reason != "interrupted" || asked(w) != "/signup /verify /account/duck-7" {
			t.Errorf("got %+v, %v and %s, want an interruption and the account deleted", end, err, asked(w))
		}
	})
}

func TestSetupComesBackAsTold(t *testing.T) {
	for _, told := range []struct {
		name   string
		status int
		header http.Header
		times  int // rejections before it is admitted
		waits  time.Duration
		sent   int
		fails  string
	}{
		{"in seconds", 429, http.Header{"Retry-After": {"7"}}, 2, 14 * time.Second, 3, ""},
		{"as a date", 429, http.Header{"Date": {"Tue, 24 Nov 2026 10:00:00 GMT"}, "Retry-After": {"Tue, 24 Nov 2026 10:00:05 GMT"}}, 1, 6 * time.Second, 2, ""},
		{"not", 429, nil, 3, 7 * time.Second, 4, ""},
		{"by a server that is away", 503, http.Header{"Retry-After": {"1"}}, 1, time.Second, 2, ""},
		{"too often", 429, http.Header{"Retry-After": {"1"}}, 99, 4 * time.Second, 5, "status 429"},
		{"for too long", 429, http.Header{"Retry-After": {"61"}}, 1, 0, 1, "told to wait 1m1s, and setup waits for at most 1m0s"},
		{"by a server that says nothing", 503, nil, 1, 0, 1, "status 503"},
	} {
		t.Run(told.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rejected := 0
				w := &wire{answer: func(r *http.Request) (int, http.Header, string) {
					if r.URL.Path == "/signup" && rejected < told.times {
						rejected++
						return told.status, told.header, ""
					}
					return 200, nil, `{"id": "duck-7", "token": "t0ken"}`
				}}
				began := time.Now()
				all, end, err := sent(t, t.Context(), planFor(t, halfway), w, Options{})
				took := time.Since(began)
				if told.fails != "" {
					if err == nil || !strings.Contains(err.Error(), told.fails) {
						t.Errorf("got %v, want %s", err, told.fails)
					}
				} else if err != nil || len(all) != 3 || !strings.Contains(strings.Join(end.Notes, "\n"), "setup was rejected") {
					t.Errorf("got %+v, %v, want a whole run and a note", end, err)
				}
				if n := strings.Count(asked(w), "/signup"); n != told.sent || took < told.waits || took > told.waits+time.Second {
					t.Errorf("%d requests in %v, want %d and waits of %v", n, took, told.sent, told.waits)
				}
			})
		})
	}
}

func TestAWaitOfSetupEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		w := &wire{answer: func(*http.Request) (int, http.Header, string) { return 429, http.Header{"Retry-After": {"50"}}, "" }}
		began := time.Now()
		_, end, err := sent(t, ctx, planFor(t, halfway), w, Options{})
		if took := time.Since(began); err != nil || end.Reason != "interrupted" || took > 4*time.Second || len(w.got) != 1 {
			t.Errorf("got %+v, %v after %v, want an interruption after 3s", end, err, took)
		}
	})
}
