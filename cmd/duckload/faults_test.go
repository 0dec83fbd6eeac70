package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duckload/history"
)

// A fault is one way in which a target, or what lies between, fails those who
// ask. Behind each is a limiter that keeps its promise: whatever the fault, no
// check may fail.
type fault struct {
	name string
	by   []string // transports that can meet it: standard, fast, h2; nil: standard and fast

	every  int             // which requests or connections it strikes: each n-th; 0: each third
	strike func(*exchange) // instead of the honest answer; nil: the answer is honest
	stream func(*stream)   // the same over HTTP/2

	// greet meets a connection before anything is read from it, and returns nil
	// if that was all. nil: nothing special.
	greet func(*faulty, net.Conn) net.Conn
	tls   func(*faulty) *tls.Config // nil: no TLS, but for h2
	at    func(*faulty) string      // base URL of the target; nil: where the server listens

	keys    string        // of the group, beside the usual ones
	more    string        // of the scenario
	request string        // "" is GET /x?seq=${seq}
	timeout time.Duration // of a request; 0: so long that only a machine in trouble meets it

	// What must come of it.
	class  string   // of a request that was struck; empty: it has a whole answer
	status int      // of its answer; 0: there is none; honestly: what the limiter decided
	other  string   // a class that is as right
	exit   []int    // of the command; nil: 3, for the plans are too short to decide everything
	reason string   // why the run ended before its time; empty: it did not
	says   []string // each among what the command printed
	stray  bool     // it may hit another request as well, as a failure
	flood  bool     // it would fill a memory that is not bounded
}

// honestly stands for the status of an honest answer.
const honestly = -1

// thoughtful is long enough for a machine that has much else to do.
const thoughtful = 20 * time.Second

// impatient is when a request is given up whose answer does not come.
const impatient = 500 * time.Millisecond

// faultsAtOnce is how many runs go side by side: they wait more than they work.
const faultsAtOnce = 16

func TestFaultsOfTargetAndNetwork(t *testing.T) {
	t.Parallel()
	all := allFaults()
	if len(all) < 40 {
		t.Fatalf("got %d faults, want 40 at the least", len(all))
	}
	certificates(t)
	slots := make(chan struct{}, faultsAtOnce)
	var wait sync.WaitGroup
	for _, f := range all {
		for _, transport := range f.transports() {
			wait.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				t.Run(f.name+"/"+transport, func(t *testing.T) {
					wrong, met := f.wrong(t, transport)
					for tries := 1; !met && tries < attempts; tries++ { // a machine in trouble may be too slow for it to happen
						wrong, met = f.wrong(t, transport)
					}
					if wrong != "" {
						t.Error(wrong)
					}
				})
			})
		}
	}
	wait.Wait()
}

func allFaults() []fault {
	return slices.Concat(faultsOfAnswers, faultsOfBodies, faultsOfConnections, faultsOfTLS, faultsOfNames, faultsOfHTTP2)
}

func (f fault) transports() []string {
	if f.by == nil {
		return []string{"standard", "fast"}
	}
	return f.by
}

// scenario asks for a burst and a while of an even rate, a good part of which
// is rejected.
func (f fault) scenario(transport string) string {
	timeout, request := f.timeout, f.request
	if timeout == 0 {
		timeout = thoughtful
	}
	if request == "" {
		request = `"GET /x?seq=${seq}"`
	}
	keys := []string{"timeout: " + timeout.String()}
	if transport == "h2" {
		keys = append(keys, "http: 2")
	} else {
		keys = append(keys, "transport: "+transport)
	}
	if f.tls != nil || transport == "h2" {
		keys = append(keys, "tls: {ca: ca.pem}")
	}
	if f.keys != "" {
		keys = append(keys, f.keys)
	}
	return fmt.Sprintf(`
version: 1
name: faults
target: http://127.0.0.1:1
%s
groups:
  g:
    promise: {limit: 50/s, burst: 10, scope: global}
    on_reject: {status: 429, retry_after: required}
    sources: [127.0.0.1]
    fresh: true
    requests: [%s]
    pacing: [{burst: 14}, {hold: 60/s, for: 300ms}]
    %s
`, f.more, request, strings.Join(keys, "\n    "))
}

// written writes the scenario into a folder, with what it refers to.
func (f fault) written(t *testing.T, dir, transport string) (file string) {
	file = filepath.Join(dir, "scenario.yaml")
	for name, text := range map[string]string{file: f.scenario(transport), filepath.Join(dir, "ca.pem"): string(certificates(t).root)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
	return file
}

// wrong runs the command against the fault and returns what is not as it must
// be, and whether the run met the fault. Nothing is empty.
func (f fault) wrong(t *testing.T, transport string) (wrong string, met bool) {
	server := newFaulty(t, f, transport)
	defer server.close()
	dir := t.TempDir()
	file, out := f.written(t, dir, transport), filepath.Join(dir, "out")
	exit, said := inProcess(t, "run", file, "--target", server.url(), "--out", out, "--quiet")
	wanted := f.exit
	if wanted == nil {
		wanted = []int{exitInconclusive}
	}
	var all []string
	if !slices.Contains(wanted, exit) {
		all = append(all, fmt.Sprintf("got status %d, want %d", exit, wanted))
	}
	for _, words := range f.says {
		if !strings.Contains(said, words) {
			all = append(all, fmt.Sprintf("it never says %q", words))
		}
	}
	if slices.Contains(wanted, exitUnusable) {
		met = true
	} else {
		odd, n := f.recorded(out, server, transport)
		all, met = append(all, odd...), n > 0
	}
	if all != nil {
		wrong = strings.Join(all, "; ") + "\n" + said
	}
	return wrong, met
}

// recorded returns what is wrong with the record of a run, and how many
// requests in it met the fault as they must.
func (f fault) recorded(out string, server *faulty, transport string) (wrong []string, met int) {
	runs, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(runs) != 1 {
		return []string{fmt.Sprintf("got the runs %q, %v, want one", runs, err)}, 0
	}
	h, err := openRun(runs[0])
	if err != nil {
		return []string{err.Error()}, 0
	}
	all, err := h.Collect()
	if err != nil {
		return []string{err.Error()}, 0
	}
	if h.End == nil || h.End.Reason != f.reason || h.End.Complete != (f.reason == "") || len(h.Missing) > 0 {
		wrong = append(wrong, fmt.Sprintf("got the end %+v, want one as planned but for the reason %q", h.End, f.reason))
	}
	again := map[uint64]bool{}
	for _, o := range all {
		again[o.Seq] = again[o.Seq] || o.Resent
	}
	for _, o := range all {
		struck, known := server.struckBy(o.Seq)
		switch expected := o.Error == f.class && f.answered(o.Status); {
		case o.BytesIn > 1<<20:
			wrong = append(wrong, fmt.Sprintf("got a body of %d bytes: it should be bounded", o.BytesIn))
		case (o.Status == 200 || o.Status == 429) && !again[o.Seq] && o.Status != server.answered(o.Seq):
			wrong = append(wrong, fmt.Sprintf("got %+v, want the status %d: it has the answer of another request", o, server.answered(o.Seq)))
		case expected && (struck || !known || transport == "h2"), f.other != "" && o.Error == f.other:
			met++
		case transport == "h2" && f.other != "" && slices.Contains(endings, o.Error): // of what was on the same connection
		case f.stray && o.Status != 200 && o.Status != 429:
		case again[o.Seq]: // net/http made up for it
		case o.Error == "timeout" && f.timeout > 0: // a busy machine is slow, too
		case f.timeout > 0 && o.Done-o.Sent > f.timeout: // so slow that the answer was there when it looked
		case o.Error == "canceled" && f.reason != "":
		case known && struck:
			wrong = append(wrong, fmt.Sprintf("got %+v of a request that was struck, want class %q and status %d", o, f.class, f.status))
		case o.Error != "" && known:
			wrong = append(wrong, fmt.Sprintf("got %+v of a request that was not struck", o))
		}
	}
	if met == 0 {
		wrong = append(wrong, fmt.Sprintf("no request has class %q and status %d: %s", f.class, f.status, classes(all)))
	}
	return wrong[:min(len(wrong), 5)], met
}

// answered reports whether a status is one that the fault leaves.
func (f fault) answered(status int) bool {
	if f.status == honestly {
		return status == 200 || status == 429
	}
	return status == f.status
}

// endings are the classes of requests whose connection ended.
var endings = []string{"eof", "reset", "protocol"}

// classes counts observations by class and status.
func classes(all []history.Observation) string {
	count := map[string]int{}
	for _, o := range all {
		count[fmt.Sprintf("%s/%d", o.Error, o.Status)]++
	}
	return fmt.Sprint(count)
}
