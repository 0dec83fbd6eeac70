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
		if notes := strings.Join(end.Notes, "\n"); !strings.Contains(notes, "2 requests of teardown were not sent: what setup made is still on the target") {
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
