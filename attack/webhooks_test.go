package attack

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

const hookedScenario = `version: 1
target: emulator
groups:
  g:
    promise: {limit: 5/min, burst: 2}
    requests: [{POST: /x, json: {id: "${unique.id}"}}]
    pacing: [{burst: 1}]
webhooks:
  path: /hooks
  secret: ${env:HOOK_SECRET}
  signature: X-Sig
  refuse: 1
  match: {made: {group: g, json: data.id, is: "${unique.id}"}}
`

const hookSecret = "a secret that nobody writes down"

// mailboxOf returns what takes deliveries, and the value of the first request
// of its only lane, which has been sent.
func mailboxOf(t *testing.T) (h *hooks, value string) {
	t.Helper()
	env := scenarios.Env{Lookup: func(string) (string, bool) { return hookSecret, true }}
	s, err := scenarios.Load("x.yaml", []byte(hookedScenario), env)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{plan: plan, ended: make(chan ended, 100), clock: newClock(false)}
	r.options.Listen = func(http.Handler) (func(), error) { return func() {}, nil }
	r.stopped = t.Context()
	h = newHooks(r)
	l := &lane{run: r, group: s.Groups[0], events: s.Webhooks.Matches("g")}
	h.sends(l, 0)
	return h, plan.EventValue(0, 0, s.Webhooks.Match[0], nil)
}

// deliver hands over a body and returns how it was answered, and what is on
// record of it; nil: nothing.
func deliver(h *hooks, path, body, signature string) (status int, e *history.Event) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("X-Sig", signature)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	select {
	case one := <-h.run.ended:
		e = one.hook
	default:
	}
	return w.Code, e
}

func signature(body string) string {
	mac := hmac.New(sha256.New, []byte(hookSecret))
	io.WriteString(mac, body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestDeliveriesAreMatchedToRequests(t *testing.T) {
	h, value := mailboxOf(t)
	right := `{"type": "made", "id": "1", "data": {"id": "` + value + `"}}`
	for i, c := range []struct {
		name, path, body, sig string
		status                int
		want                  history.Event
	}{
		{"the first is refused", "/hooks", right, signature(right), 503, history.Event{Kind: "made", ID: "1", Matched: true, Answered: 503}},
		{"and taken when it comes again", "/hooks", right, signature(right), 200, history.Event{Kind: "made", ID: "1", Matched: true, Answered: 200}},
		{"not signed", "/hooks", right, "", 200, history.Event{Kind: "made", ID: "1", Matched: true, Answered: 200, Wrong: "signature"}},
		{"signed with something else", "/hooks", right, signature("x"), 200, history.Event{Kind: "made", ID: "1", Matched: true, Answered: 200, Wrong: "signature"}},
		{"no JSON", "/hooks", "x", signature("x"), 400, history.Event{Answered: 400, Wrong: "body"}},
		{"of nobody", "/hooks", `{"type":"made","data":{"id":"?"}}`, signature(`{"type":"made","data":{"id":"?"}}`), 200, history.Event{Kind: "made", Answered: 200}},
		{"too long", "/hooks", strings.Repeat("x", maxDelivery+1), "", 413, history.Event{Answered: 413, Wrong: "body"}},
	} {
		status, e := deliver(h, c.path, c.body, c.sig)
		if e == nil {
			t.Fatalf("%s: it is not on record", c.name)
		}
		if e.At = 0; status != c.status || *e != c.want {
			t.Errorf("%d: %s: got %d and %+v, want %d and %+v", i, c.name, status, *e, c.status, c.want)
		}
	}
	if status, e := deliver(h, "/elsewhere", right, ""); status != 404 || e != nil {
		t.Errorf("got %d and %+v for another path, want 404 and nothing on record", status, e)
	}
	secret := []byte(`{"type":"` + hookSecret + `"}`)
	if _, e := deliver(h, "/hooks", string(secret), ""); e == nil || bytes.Contains([]byte(e.Kind), []byte(hookSecret)) {
		t.Errorf("got %+v, want no secret on record", e)
	}
}

// It listens until what must come has come, and a while longer.
func TestItListensForWhatMustCome(t *testing.T) {
	h, value := mailboxOf(t)
	h.of.Refuse, h.of.Grace, h.of.Within = 0, 30*time.Millisecond, time.Hour
	l := h.run.laneOf(t)
	h.ended(l, history.Observation{Done: h.clock.now()}, limiter.Admitted)
	came := make(chan struct{})
	go func() {
		defer close(came)
		body := `{"type": "made", "id": "1", "data": {"id": "` + value + `"}}`
		deliver(h, "/hooks", body, signature(body))
	}()
	h.wait()
	<-came
	if _, e := deliver(h, "/hooks", `{"type": "made"}`, ""); e != nil {
		t.Errorf("got %+v on record after it, want nothing", e)
	}
}

func (r *run) laneOf(t *testing.T) *lane {
	t.Helper()
	return &lane{run: r, group: r.plan.Scenario.Groups[0], events: r.plan.Scenario.Webhooks.Matches("g")}
}
