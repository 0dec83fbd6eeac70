package attack

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/history"
)

// What is written and what is recorded does not depend on the client.
func TestTheLeanClientDoesWhatNetHTTPDoes(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Del(runHeader)
		if len(body) == 0 {
			r.Header.Del("Content-Length") // a zero may be said or not
		}
		line := fmt.Sprintf("%s %s %s %s %q", r.Method, r.URL.RequestURI(), r.Host, r.Proto, body)
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			line += fmt.Sprintf("; %s: %q", name, r.Header[name])
		}
		mu.Lock()
		seen = append(seen, line)
		mu.Unlock()
		w.Header().Set("X-RateLimit-Remaining", "5")
		w.Header()["Date"] = nil
		switch r.URL.Path {
		case "/chunked":
			for range 3 {
				io.WriteString(w, "some of it")
				w.(http.Flusher).Flush()
			}
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, "body")
			w.Header().Set("X-Sum", "1")
		case "/long":
			w.Write(make([]byte, 100_000))
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/same":
			w.WriteHeader(http.StatusNotModified)
		case "/rejected":
			w.Header().Add("RateLimit", "a")
			w.Header().Add("RateLimit", "b")
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"error": {"code": "E1"}}`)
		case "/close":
			w.Header().Set("Connection", "close")
			io.WriteString(w, "and away")
		}
	})
	const requests = `[GET /chunked, GET /trailer, GET /long, HEAD /long, DELETE /none, GET /same, GET /rejected, GET /close, {POST: "/a%20b/ü?x=${seq}", json: {a: 1}, headers: {X-One: two, User-Agent: me, Host: other.example}}, {POST: /empty}]`
	run := func(transport string) (all []history.Observation, wrote []string) {
		mu.Lock()
		seen = nil
		mu.Unlock()
		plan := planFor(t, fmt.Sprintf(`g: {promise: {limit: 100/s, burst: 200}, on_reject: {json: {error.code: E1}}, requests: %s, transport: %s, connections: 1, pacing: [{burst: 20}]}`, requests, transport))
		complete(t, plan, to(s.URL, &all))
		mu.Lock()
		defer mu.Unlock()
		return bySeq(all), seen
	}
	want, wrote := run("standard")
	got, writes := run("fast")
	if !slices.Equal(writes, wrote) {
		t.Errorf("got requests\n%s\nwant\n%s", strings.Join(writes, "\n"), strings.Join(wrote, "\n"))
	}
	if len(got) != len(want) {
		t.Fatalf("got %d observations, want %d", len(got), len(want))
	}
	for i := range got {
		timeless(&got[i])
		timeless(&want[i])
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

func timeless(o *history.Observation) {
	o.Intended, o.Sent, o.Answered, o.Done = 0, 0, 0, 0
}

// The server closes a connection that is used again before it answers, which
// is where other clients send once more and tell nobody.
func TestTheLeanClientNeverSendsTwice(t *testing.T) {
	var requests atomic.Int32
	target := raw(t, func(_ int, c net.Conn) {
		r := bufio.NewReader(c)
		for i := 0; ; i++ {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			if requests.Add(1); i == 1 {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	var all []history.Observation
	complete(t, by(t, "fast", "{hold: 100/s, for: 200ms}"), to(target, &all))
	lost := 0
	for _, o := range all {
		if o.Status == 0 {
			lost++
			if o.Error != "eof" && o.Error != "reset" || o.Resent || o.Answered != history.Never {
				t.Errorf("got %+v, want a request without an answer", o)
			}
		}
	}
	if len(all) != 20 || requests.Load() != 20 || lost == 0 {
		t.Errorf("got %d observations, %d without an answer, of %d requests; want 20 of 20, some without", len(all), lost, requests.Load())
	}
}

func TestTheLeanClientNoticesAConnectionThatWasClosed(t *testing.T) {
	target := raw(t, func(_ int, c net.Conn) {
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	var all []history.Observation
	complete(t, by(t, "fast", "{burst: 1}, {rest: 200ms}, {burst: 1}"), to(target, &all))
	for _, o := range all {
		if o.Status != 200 {
			t.Errorf("got %+v, want an answer over a new connection", o)
		}
	}
}

func TestConnectionsAreUsedAgainOrNot(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		for _, tc := range []struct {
			reuse bool
			want  int32
		}{{true, 1}, {false, 10}} {
			var opened atomic.Int32
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
			s.Start()
			defer s.Close()
			plan := planFor(t, fmt.Sprintf(`g: {promise: {limit: 100/s, burst: 200}, requests: [GET /x], transport: %s, reuse: %v, connections: 1, pacing: [{hold: 100/s, for: 100ms}]}`, transport, tc.reuse))
			var all []history.Observation
			complete(t, plan, to(s.URL, &all))
			// Warming may have dialled one that was never used.
			if got := opened.Load(); got != tc.want && got != tc.want+1 || len(all) != 10 {
				t.Errorf("reuse: %v: got %d connections for %d requests, want %d for 10", tc.reuse, got, len(all), tc.want)
			}
		}
	})
}

func TestNoMoreRequestsAreUnderWayThanConnections(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		var under, most atomic.Int32
		s := serve(t, func(http.ResponseWriter, *http.Request) {
			if n := under.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Millisecond)
			under.Add(-1)
		})
		plan := planFor(t, fmt.Sprintf(`g: {promise: {limit: 100/s, burst: 200}, requests: [GET /x], transport: %s, connections: 3, pacing: [{burst: 60}]}`, transport))
		var all []history.Observation
		end := complete(t, plan, to(s.URL, &all))
		if most.Load() > 3 || len(all) != 60 {
			t.Errorf("got %d requests, at most %d at once; want 60, at most 3", len(all), most.Load())
		}
		if len(end.Notes) != 1 || !strings.Contains(end.Notes[0], "had to wait") {
			t.Errorf("got notes %q, want one of requests that had to wait", end.Notes)
		}
	})
}
