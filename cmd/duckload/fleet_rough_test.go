package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/emulator"
	"duckload/fleet"
	"duckload/scenarios"
)

// disorderlyMain is an agent in a process of its own whose bus delivers what it
// keeps twice and out of order: disorderly URL NAME FOLDER.
func disorderlyMain() {
	url, name, dir := os.Args[1], os.Args[2], os.Args[3]
	ctx := untilSignal()
	bus, err := fleet.Dial(ctx, fleet.Access{URL: url, Name: name})
	if err != nil {
		panic(err)
	}
	a := fleet.Agent{
		Name: name, Dir: dir, Version: version, Header: headerOf,
		Env: func(string) scenarios.Env { return scenarios.Process(".") },
		Say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
	}
	if err := a.Serve(ctx, &disorderly{Bus: bus}); err != nil {
		panic(err)
	}
}

// A disorderly bus keeps each message twice, under different ids, and every
// third one only after the next.
type disorderly struct {
	fleet.Bus
	mu   sync.Mutex
	n    int
	held func(context.Context) error // keeps the one that waits; nil: none does
}

func (d *disorderly) Keep(ctx context.Context, subject, id string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	twice := func(ctx context.Context) error {
		return errors.Join(d.Bus.Keep(ctx, subject, id+"/again", data), d.Bus.Keep(ctx, subject, id, data))
	}
	last := bytes.Contains(data, []byte(`"file":"done.json"`))
	if d.n++; d.n%3 == 0 && d.held == nil && !last {
		d.held = twice
		return nil
	}
	err := twice(ctx)
	if err == nil && d.held != nil {
		if err = d.held(ctx); err == nil {
			d.held = nil
		}
	}
	return err
}

// A roughWay is a proxy before the bus. What passes is late, unevenly and more
// in one direction than in the other, so that a clock that is asked through it
// seems to be off by half of the difference. Now and then it is cut.
type roughWay struct {
	there, back, jitter time.Duration

	addr string
	mu   sync.Mutex
	cut  bool
	open map[net.Conn]bool
}

func (w *roughWay) listen(t *testing.T, to string) {
	t.Helper()
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); w.sever(true) })
	w.addr, w.open = in.Addr().String(), map[net.Conn]bool{}
	go func() {
		for {
			c, err := in.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			w.mu.Lock()
			if err != nil || w.cut {
				c.Close()
				if err == nil {
					out.Close()
				}
				w.mu.Unlock()
				continue
			}
			w.open[c], w.open[out] = true, true
			w.mu.Unlock()
			go w.carry(out, c, w.there)
			go w.carry(c, out, w.back)
		}
	}()
}

// sever ends every connection, and refuses new ones as long as it is cut.
func (w *roughWay) sever(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut = cut; cut {
		for c := range w.open {
			c.Close()
		}
		clear(w.open)
	}
}

// carry copies what comes, later, in order, until either end is gone.
func (w *roughWay) carry(to, from net.Conn, by time.Duration) {
	type late struct {
		at   time.Time
		data []byte
	}
	queue := make(chan late, 1<<12)
	go func() {
		defer to.Close()
		for l := range queue {
			time.Sleep(time.Until(l.at))
			if _, err := to.Write(l.data); err != nil {
				_, _ = io.Copy(io.Discard, from) // until it is closed, too
				for range queue {
				}
				return
			}
		}
	}()
	defer close(queue)
	for {
		buf := make([]byte, 32<<10)
		n, err := from.Read(buf)
		if n > 0 {
			queue <- late{time.Now().Add(by + rand.N(w.jitter+1)), buf[:n]}
		}
		if err != nil {
			return
		}
	}
}

const roughScenario = `
version: 1
name: rough
target: http://127.0.0.1:1
defaults:
  on_reject: {status: 429, retry_after: required, json: {error.code: E4004}}
groups:
  status:
    promise: {limit: 60/2s, burst: 120, scope: global}
    requests: [GET /beak/system/status]
    pacing: [{burst: 130}, {hold: 27/s, for: 2s}, {burst: 20}, {hold: 40/s, for: 2s}]
  signup:
    promise: {limit: 10/2s, burst: 5, scope: ip}
    requests: [{POST: /beak/signup, json: {email: "${unique.email}", password: "${unique.password}"}}]
    pacing: [{burst: 7}, {rest: 1s}, {burst: 6}, {hold: 80%, for: 2s}]
`

// Agents whose bus delivers twice and out of order, over ways that are uneven,
// jittered and cut during the run, with clocks that seem to be 120 ms off
// either way, find what one machine finds, or leave it open.
func TestAFleetOverARoughBusIsNeverWrong(t *testing.T) {
	t.Parallel() // it waits more than it works
	for name, defects := range map[string][]string{"kept": nil, "broken": {"burst+1", "error-code-wrong"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			if err := os.WriteFile(s.path("rough.yaml"), []byte(roughScenario), 0o644); err != nil {
				t.Fatal(err)
			}
			alone := s.rough(defects, "alone")
			ways := []*roughWay{
				{jitter: 10 * time.Millisecond},
				{there: 240 * time.Millisecond, jitter: 5 * time.Millisecond},
				{back: 240 * time.Millisecond, jitter: 5 * time.Millisecond},
			}
			for i, w := range ways {
				w.listen(t, fmt.Sprintf("127.0.0.1:%d", s.port))
				s.agents[ownName(i)] = s.spawn(nil, "disorderly", "nats://"+w.addr, ownName(i), s.path("agent-"+ownName(i)))
			}
			over := make(chan struct{})
			var cutter sync.WaitGroup
			cutter.Go(func() { s.cut(ways, over) })
			together := s.rough(defects, "together", "--agents", "3", "--nats", s.nats, "--agent-wait", "60s", "--agent-lead", "6s")
			close(over)
			cutter.Wait()
			settled := 0
			for i, g := range together.Groups {
				for _, got := range g.Findings {
					want := analyze.Finding{Outcome: analyze.Inconclusive, Message: "it has nothing to say"}
					if k := slices.IndexFunc(alone.Groups[i].Findings, func(f analyze.Finding) bool { return f.Check == got.Check }); k >= 0 {
						want = alone.Groups[i].Findings[k]
					}
					switch {
					case got.Check == "latency" || got.Check == "errors": // of this machine, which is busy
					case got.Outcome == want.Outcome:
						settled++
					case got.Outcome == analyze.Inconclusive, want.Outcome == analyze.Inconclusive && (got.Outcome == analyze.Pass || defects != nil):
						t.Logf("%s: %s: %s (%s), one machine: %s", g.Name, got.Check, got.Outcome, got.Message, want.Outcome)
					default:
						t.Errorf("%s: %s: %s (%s), one machine: %s (%s)", g.Name, got.Check, got.Outcome, got.Message, want.Outcome, want.Message)
					}
				}
			}
			for _, a := range together.Agents {
				t.Logf("agent %s: ±%s, %d requests %s", a.Name, a.Bound, a.Requests, a.Unbounded)
				if a.Unbounded == "" && a.Name != "A" && a.Bound < 100*time.Millisecond {
					t.Errorf("agent %s: its clock is said to be known to ±%s over a way that leaves 120 ms open", a.Name, a.Bound)
				}
			}
			t.Logf("%s alone, %s together; %d verdicts agree", alone.Outcome, together.Outcome, settled)
		})
	}
}

// cut cuts every way for a moment, three times each, once requests are on
// record.
func (s *stage) cut(ways []*roughWay, over <-chan struct{}) {
	for n := 0; n < 9; n++ {
		select {
		case <-over:
			return
		case <-time.After(400 * time.Millisecond):
		}
		if s.run() == "" {
			n--
			continue
		}
		w := ways[n%len(ways)]
		w.sever(true)
		time.Sleep(200 * time.Millisecond)
		w.sever(false)
	}
}

// rough runs the scenario against an emulator that nobody has used, and judges
// what came back.
func (s *stage) rough(defects []string, out string, flags ...string) analyze.Findings {
	s.Helper()
	config := emulator.SpaceDuck()
	for _, name := range defects {
		d, err := emulator.DefectNamed(name)
		if err != nil {
			s.Fatal(err)
		}
		config = d.Apply(config)
	}
	at, err := start(s.Context(), config.Scaled(2*time.Second), "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(at.close)
	c := s.spawn(nil, "duckload", append([]string{"run", "rough.yaml", "--target", at.url, "--out", out, "--fail-on", "none"}, flags...)...)
	s.ends(c)
	runs, _ := filepath.Glob(s.path(out + "/*"))
	if len(runs) != 1 || exitCode(c) != exitPass {
		s.Fatalf("%s ended with %d and left %q: %s", out, exitCode(c), runs, c.Stderr)
	}
	h, err := openRun(runs[0])
	if err != nil {
		s.Fatal(err)
	}
	r, err := judge(h)
	if err != nil {
		s.Fatal(err)
	}
	return r.Findings
}
