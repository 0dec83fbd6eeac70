package attack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// The tests of this file use real sockets on loopback.

// to returns options that send to a target.
func to(target string, all *[]history.Observation) Options {
	return Options{
		Target:    target,
		UserAgent: "duckload/test",
		Timeout:   10 * time.Second,
		Record:    func(o history.Observation) error { *all = append(*all, o); return nil },
	}
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// both runs a test with net/http and with the lean client.
func both(t *testing.T, test func(t *testing.T, transport string)) {
	for _, transport := range []string{"standard", "fast"} {
		t.Run(transport, func(t *testing.T) { test(t, transport) })
	}
}

// by returns a plan of one lane that sends over a transport.
func by(t testing.TB, transport, phases string) scenarios.Plan {
	return planFor(t, fmt.Sprintf(`g: {promise: {limit: 100/s, burst: 200}, requests: ["GET /x?seq=${seq}"], transport: %s, pacing: [%s]}`, transport, phases))
}

func TestEveryRequestArrivesOnceAndInsideItsInterval(t *testing.T) { both(t, arrivesOnce) }

func arrivesOnce(t *testing.T, transport string) {
	var began time.Time
	var mu sync.Mutex
	arrived := map[string][]time.Time{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		arrived[r.URL.Query().Get("seq")] = append(arrived[r.URL.Query().Get("seq")], time.Now())
		mu.Unlock()
		io.Copy(io.Discard, r.Body)
		w.Header().Set("X-RateLimit-Remaining", r.URL.Query().Get("seq"))
	})
	plan := by(t, transport, "{burst: 100}, {hold: 200/s, for: 500ms}")
	var all []history.Observation
	began = time.Now()
	end := complete(t, plan, to(s.URL, &all))
	ran := time.Since(began) - end.At // the moments count from a little later
	if len(all) != 200 || len(arrived) != 200 {
		t.Fatalf("got %d observations and %d different requests, want 200", len(all), len(arrived))
	}
	for _, o := range all {
		seq := o.Evidence.Values("X-Ratelimit-Remaining")[0]
		if number(t, seq) != int(o.Seq) {
			t.Fatalf("observation %d holds the answer of request %s", o.Seq, seq)
		}
		if len(arrived[seq]) != 1 {
			t.Fatalf("request %s arrived %d times", seq, len(arrived[seq]))
		}
		at := arrived[seq][0].Sub(began)
		if o.Intended > o.Sent || o.Sent > at || at-ran > o.Answered || o.Answered > o.Done {
			t.Fatalf("got %+v, arrived at %v: want intended ≤ sent ≤ arrived ≤ answered ≤ done", o, at)
		}
	}
}

func TestRedirectsAreAnswers(t *testing.T) { both(t, redirects) }

func redirects(t *testing.T, transport string) {
	var followed atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			followed.Add(1)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	var all []history.Observation
	complete(t, by(t, transport, "{burst: 5}"), to(s.URL, &all))
	if followed.Load() != 0 || len(all) != 5 || all[0].Status != 302 {
		t.Errorf("got %d requests, %d of them followed a redirect: %s", len(all), followed.Load(), list(all))
	}
}

func TestABodyIsReadToABoundAndTheRestIsLeft(t *testing.T) { both(t, bodyToABound) }

func bodyToABound(t *testing.T, transport string) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 64<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				return // the client has left
			}
		}
	})
	var all []history.Observation
	complete(t, by(t, transport, "{burst: 1}"), to(s.URL, &all))
	if o := all[0]; o.BytesIn != maxBody || o.Status != 200 || o.Error != "" {
		t.Errorf("got %+v, want %d bytes of a body without end", o, maxBody)
	}
}

func TestAnInterimAnswerIsNotTheAnswer(t *testing.T) { both(t, interimAnswer) }

func interimAnswer(t *testing.T, transport string) {
	const thinking = 50 * time.Millisecond
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		time.Sleep(thinking)
	})
	var all []history.Observation
	complete(t, by(t, transport, "{burst: 1}"), to(s.URL, &all))
	if o := all[0]; o.Status != 200 || o.Answered-o.Sent < thinking {
		t.Errorf("got %+v, want an answer no earlier than %v after it was sent", o, thinking)
	}
}

// nobody returns an address at which nobody listens: the near end of a
// connection. A port that was free a moment ago may be somebody's by now.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

func TestEachFailureHasItsClass(t *testing.T) { both(t, failures) }

func failures(t *testing.T, transport string) {
	request := func(c net.Conn) { http.ReadRequest(bufio.NewReader(c)) }
	closed := raw(t, func(_ int, c net.Conn) { request(c) })
	refused := nobody(t)
	for _, tc := range []struct {
		class  string
		status int
		target string
	}{
		{class: "eof", target: closed},
		{class: "refused", target: "http://" + refused},
		{class: "tls", target: strings.Replace(closed, "http:", "https:", 1)},
		{class: "timeout", target: raw(t, func(_ int, c net.Conn) { io.Copy(io.Discard, c) })},
		{class: "protocol", target: raw(t, func(_ int, c net.Conn) { request(c); io.WriteString(c, "SSH-2.0\r\n\r\n") })},
		{class: "reset", target: raw(t, func(_ int, c net.Conn) { request(c); c.(*net.TCPConn).SetLinger(0) })},
		// What came after the status line does not change what was decided.
		{class: "eof", status: 429, target: raw(t, func(_ int, c net.Conn) {
			request(c)
			io.WriteString(c, "HTTP/1.1 429 No\r\nContent-Length: 100\r\n\r\nhalf")
		})},
		{class: "timeout", status: 200, target: raw(t, func(_ int, c net.Conn) {
			request(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			io.Copy(io.Discard, c)
		})},
	} {
		var all []history.Observation
		o := to(tc.target, &all)
		o.Timeout = 300 * time.Millisecond
		complete(t, by(t, transport, "{burst: 1}"), o)
		got := all[0]
		if got.Error != tc.class || got.Status != tc.status || (got.Answered == history.Never) != (tc.status == 0) {
			t.Errorf("got %+v, want the class %q and status %d", got, tc.class, tc.status)
		}
		if got.Done < got.Sent {
			t.Errorf("%s: done %v before it was sent", tc.class, got.Sent-got.Done)
		}
	}
	if got := class(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, context.Background()); got != "dns" {
		t.Errorf("got class %q for a name that stands for nothing", got)
	}
	if got := class(errors.New("strange"), context.Background()); got != "other" {
		t.Errorf("got class %q for a failure of no class", got)
	}
}

func TestAConnectionThatIsReadyAfterTheStopIsNotUsed(t *testing.T) { both(t, readyAfterTheStop) }

func readyAfterTheStop(t *testing.T, transport string) {
	var requests atomic.Int32
	s := serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	ctx, stop := context.WithCancel(t.Context())
	var all []history.Observation
	o := to(s.URL, &all)
	o.Dial = func(netip.Addr) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			stop() // while the connection is made
			time.Sleep(20 * time.Millisecond)
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		}
	}
	end, err := Run(ctx, by(t, transport, "{burst: 1}"), o)
	if err != nil || requests.Load() != 0 || len(all) != 0 {
		t.Errorf("got %d requests, %d observations, %v, want none", requests.Load(), len(all), err)
	}
	if end.Complete || !reflect.DeepEqual(end.Notes, []string{"1 request was due and not sent"}) {
		t.Errorf("got %+v, want one request that was not sent", end)
	}
}

func TestAStopEndsRequestsThatHang(t *testing.T) { both(t, requestsThatHang) }

func requestsThatHang(t *testing.T, transport string) {
	under := make(chan struct{}, 100)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		under <- struct{}{}
		<-r.Context().Done()
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for range 20 {
			<-under
		}
		stop()
	}()
	var all []history.Observation
	end, err := Run(ctx, by(t, transport, "{burst: 20}, {rest: 1h}"), to(s.URL, &all))
	if err != nil || end.Reason != "interrupted" || len(all) != 20 {
		t.Fatalf("got %+v, %v and %d observations, want an interrupted run with 20", end, err, len(all))
	}
	for _, o := range all {
		if o.Error != "canceled" || o.Answered != history.Never {
			t.Errorf("got %+v, want a request that was given up", o)
		}
	}
}
