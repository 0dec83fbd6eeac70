package attack

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// spaceDuck compiles the built-in scenario.
func spaceDuck(t *testing.T) scenarios.Plan {
	t.Helper()
	s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "test", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// planFor compiles groups that are written in YAML, without their indent.
func planFor(t testing.TB, groups string) scenarios.Plan {
	t.Helper()
	text := "version: 1\nname: test\ntarget: http://127.0.0.1\nallow_hosts: []\ndocumentation: none\n" +
		"identities: {a: {headers: {X-Who: a}}, b: {headers: {X-Who: b}}, c: {}, d: {}}\ngroups:\n" +
		strings.ReplaceAll("\n"+strings.TrimSpace(groups), "\n", "\n  ")
	s, err := scenarios.Load("test.yaml", []byte(text), scenarios.Env{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// pacing is a plan of one group and one lane.
func pacing(t testing.TB, phases string) scenarios.Plan {
	t.Helper()
	return planFor(t, `g: {promise: {limit: 100/min, burst: 200}, requests: [{POST: "/x?seq=${seq}", body: "${seq}"}], pacing: [`+phases+`]}`)
}

// A wire is a server in process, and the way to it.
type wire struct {
	there, back time.Duration
	answer      func(*http.Request) (status int, header http.Header, body string)

	mu  sync.Mutex
	got []arrival
}

// An arrival is a request as the server saw it.
type arrival struct {
	at     time.Time
	seq    string
	header http.Header
	url    string
	host   string
	body   string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	if err := pause(r, w.there); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.got = append(w.got, arrival{at: time.Now(), seq: r.URL.Query().Get("seq"), header: r.Header.Clone(), url: r.URL.String(), host: r.Host, body: body})
	w.mu.Unlock()
	status, header, text := 200, http.Header{}, ""
	if w.answer != nil {
		status, header, text = w.answer(r)
	}
	if err := pause(r, w.back); err != nil {
		return nil, err
	}
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func pause(r *http.Request, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// over returns options that send everything over one wire.
func over(w http.RoundTripper, all *[]history.Observation) Options {
	return Options{
		Target:    "http://127.0.0.1",
		UserAgent: "duckload/test",
		Transport: func(scenarios.Lane) http.RoundTripper { return w },
		Record:    func(o history.Observation) error { *all = append(*all, o); return nil },
	}
}

// complete runs a plan that must end well.
func complete(t testing.TB, plan scenarios.Plan, o Options) history.End {
	t.Helper()
	end, err := Run(t.Context(), plan, o)
	if err != nil {
		t.Fatal(err)
	}
	if !end.Complete || end.Reason != "" {
		t.Errorf("got %+v, want a complete run", end)
	}
	return end
}

// bySeq sorts observations as the lanes numbered them.
func bySeq(all []history.Observation) []history.Observation {
	slices.SortStableFunc(all, func(a, b history.Observation) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Sent, b.Sent))
	})
	return all
}

// intended lists the moments at which requests were wanted.
func intended(all []history.Observation) []time.Duration {
	var moments []time.Duration
	for _, o := range bySeq(all) {
		moments = append(moments, o.Intended)
	}
	return moments
}

// raw answers each connection of a loopback port with a function.
func raw(t *testing.T, serve func(n int, c net.Conn)) (target string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer c.Close()
				serve(n, c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); served.Wait() })
	return "http://" + l.Addr().String()
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func list[T any](all []T) string {
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintf(&b, "\n  %+v", x)
	}
	return b.String()
}
