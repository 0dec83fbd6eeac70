package attack

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"duckload/history"
)

// What is shown of an exchange does not depend on the client.
func TestTheFirstExchangesAreShownWithBothClients(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("X-RateLimit-Remaining", "5")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, "no\x1b[2J, "+r.Header.Get("X-Who"))
	})
	var texts []string
	both(t, func(t *testing.T, transport string) {
		plan := planFor(t, `g: {promise: {limit: 100/s, burst: 200}, identity: a, requests: [{POST: "/x?n=${seq}", json: {n: "${seq}"}}], transport: `+transport+`, connections: 1, pacing: [{hold: 100/s, for: 100ms}]}`) // in order
		var all []history.Observation
		var shown strings.Builder
		o := to(s.URL, &all)
		o.Debug = &shown
		complete(t, plan, o)
		text := shown.String()
		texts = append(texts, text)
		if n := strings.Count(text, "* g, "); n != shownEach || len(all) != 10 {
			t.Errorf("got %d of %d exchanges shown, want %d of 10", n, len(all), shownEach)
		}
		for _, want := range []string{"> POST /x?n=0\n", "> \n> {\"n\":\"0\"}\n", "< 429 Too Many Requests\n", "< X-Ratelimit-Remaining: 5\n", `< no\x1b[2J`} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	})
	if len(texts) == 2 && texts[0] != texts[1] {
		t.Errorf("net/http shows\n%s\nthe lean client\n%s", texts[0], texts[1])
	}
}

func TestAFailureIsShownWithBothClients(t *testing.T) {
	s := serve(t, nil)
	s.Close() // nobody listens there any more
	both(t, func(t *testing.T, transport string) {
		var all []history.Observation
		var shown strings.Builder
		o := to(s.URL, &all)
		o.Debug = &shown
		complete(t, by(t, transport, "{burst: 1}"), o)
		if text := shown.String(); !strings.Contains(text, "> GET /x?seq=0\n") || !strings.Contains(text, "! ") || !strings.Contains(text, "refused") {
			t.Errorf("got shown\n%s\nwant the request and why it failed", text)
		}
	})
}

// A limiter that no connection led to decided nothing: such a request says less
// than one whose answer was lost, and must not be taken for it.
func TestARequestWithoutAConnectionIsMarked(t *testing.T) {
	s := serve(t, nil)
	s.Close()
	cut := raw(t, func(_ int, c net.Conn) { c.Read(make([]byte, 1)) }) // cuts the connection once a request has come
	both(t, func(t *testing.T, transport string) {
		for target, want := range map[string]bool{s.URL: true, cut: false} {
			var all []history.Observation
			complete(t, by(t, transport, "{burst: 3}"), to(target, &all))
			for _, o := range all {
				if o.Unsent != want || o.Answered != history.Never || o.Status != 0 || o.Error == "" {
					t.Errorf("got %+v, want unsent: %v", o, want)
				}
			}
		}
	})
}
