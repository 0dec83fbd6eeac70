package fleet

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// A stage is a bus, a target and agents in this process.
type stage struct {
	*testing.T
	server *Server
	dir    string
	hits   atomic.Int64
	inner  http.Handler // answers what the target is asked; nil: 200
	target *httptest.Server
	scene  *scenarios.Scenario
	text   string
	agents map[string]func() // stops one
	work   sync.WaitGroup

	mu   sync.Mutex
	said []string
}

const scene = `
version: 1
name: stage
target: TARGET
defaults:
  on_reject: {status: 429, retry_after: required, json: {error.code: E4004}}
groups:
  all:
    promise: {limit: 60/2s, burst: 120, scope: global}
    requests: [GET /beak/system/status]
    pacing: [PACING]
`

func newStage(t *testing.T, pacing string) *stage {
	s := &stage{T: t, dir: t.TempDir(), agents: map[string]func(){}}
	server, err := Serve(filepath.Join(s.dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	s.server = server
	s.target = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		if s.inner != nil {
			s.inner.ServeHTTP(w, r)
		}
	}))
	s.text = strings.NewReplacer("TARGET", s.target.URL, "PACING", pacing).Replace(scene)
	s.scene, err = scenarios.Load("stage.yaml", []byte(s.text), scenarios.Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, stop := range s.agents {
			stop()
		}
		s.work.Wait()
		s.target.Close()
		server.Close()
	})
	return s
}

func (s *stage) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, format)
}

// dial connects to the bus through a proxy; empty: directly.
func (s *stage) dial(through string) *Nats {
	s.Helper()
	a := s.server.Access
	if through != "" {
		a.URL = "nats://" + through
	}
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	bus, err := Dial(ctx, a)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(bus.Close)
	return bus
}

// agent starts one; change may be nil.
func (s *stage) agent(name, through string, change func(*Agent)) *Agent {
	s.Helper()
	a := &Agent{
		Name: name, Dir: filepath.Join(s.dir, "agent-"+name), Version: "test",
		Env: func(string) scenarios.Env { return scenarios.Env{} }, Header: headerOf, Say: s.say,
	}
	if change != nil {
		change(a)
	}
	bus := s.dial(through)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	s.agents[name] = sync.OnceFunc(func() { stop(); <-ended })
	s.work.Go(func() {
		defer close(ended)
		if err := a.Serve(ctx, bus); err != nil {
			s.Error(err)
		}
	})
	return a
}

func headerOf(plan scenarios.Plan, target string, started time.Time) history.Header {
	h := history.Header{Run: plan.Run, Scenario: plan.Scenario.Name, Target: target, Started: started}
	for _, g := range plan.Scenario.Groups {
		h.Groups = append(h.Groups, history.Group{Name: g.Name, Counter: g.Name, Promise: g.Promise, Exclusive: g.Exclusive, Fresh: g.Fresh})
	}
	for _, l := range plan.Lanes {
		h.Lanes = append(h.Lanes, history.Lane{Group: l.Group})
	}
	for _, x := range plan.Stretches() {
		h.Phases = append(h.Phases, history.Phase{Group: x.Group, Pace: x.Pace, Label: x.Label})
	}
	return h
}

func (s *stage) plan(run string) (scenarios.Plan, Order) {
	s.Helper()
	compile := scenarios.CompileOptions{Run: run}
	plan, err := scenarios.Compile(s.scene, compile)
	if err != nil {
		s.Fatal(err)
	}
	return plan, Order{
		Path: "stage.yaml", Text: s.text, Compile: compile, Budget: s.scene.Budget, Target: s.target.URL,
		Digest: PlanDigest(plan), World: NewWitness(run, scenarios.Env{}).Name(),
	}
}

// coordinator calls n agents together.
func (s *stage) coordinator(run string, n int) *Coordinator {
	s.Helper()
	bus := s.dial("")
	c := &Coordinator{Bus: bus, Run: run, Version: "test", Agents: n, Wait: 10 * time.Second, Say: s.say}
	s.Cleanup(c.Close)
	if err := bus.Prepare(s.Context()); err != nil {
		s.Fatal(err)
	}
	if _, err := c.Gather(s.Context()); err != nil {
		s.Fatal(err)
	}
	return c
}

// conduct sees a run through and returns what is missing.
func (s *stage) conduct(ctx context.Context, run string, n int) (*Coordinator, []string) {
	s.Helper()
	c := s.coordinator(run, n)
	plan, order := s.plan(run)
	if err := c.Order(s.Context(), order, plan); err != nil {
		s.Fatal(err)
	}
	if _, err := c.Start(s.Context(), 800*time.Millisecond, 0); err != nil {
		s.Fatal(err)
	}
	missing, err := c.Follow(ctx, NewCollector(s.collected(run)), plan.Duration(), nil)
	if err != nil {
		s.Fatal(err)
	}
	return c, missing
}

func (s *stage) collected(run string) string { return filepath.Join(s.dir, "collected", run) }

// requests counts what is on record below a folder, by agent, and returns the
// numbers of the requests in their lane.
func (s *stage) requests(folder string, agents ...string) (seqs []uint64) {
	s.Helper()
	for _, name := range agents {
		h, err := history.Open(filepath.Join(folder, name))
		if err != nil {
			s.Fatal(err)
		}
		for o, err := range h.All() {
			if err != nil {
				s.Fatal(err)
			}
			seqs = append(seqs, o.Seq)
		}
	}
	slices.Sort(seqs)
	return seqs
}

// A link is a proxy to the bus with delays of its own each way, jittered.
type link struct {
	there, back, jitter time.Duration
}

func (s *stage) link(l link) string {
	s.Helper()
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { in.Close() })
	to := strings.TrimPrefix(s.server.Access.URL, "nats://")
	go func() {
		for {
			c, err := in.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				return
			}
			go delayed(out, c, l.there, l.jitter)
			go delayed(c, out, l.back, l.jitter)
		}
	}()
	return in.Addr().String()
}

// delayed copies what comes, later, in order.
func delayed(to, from net.Conn, by, jitter time.Duration) {
	type bytesAt struct {
		at   time.Time
		data []byte
	}
	queue := make(chan bytesAt, 1<<14)
	go func() {
		defer to.Close()
		for b := range queue {
			time.Sleep(time.Until(b.at))
			if _, err := to.Write(b.data); err != nil {
				return
			}
		}
	}()
	defer close(queue)
	for {
		buf := make([]byte, 32<<10)
		n, err := from.Read(buf)
		if n > 0 {
			queue <- bytesAt{time.Now().Add(by + rand.N(jitter+1)), buf[:n]}
		}
		if err != nil {
			if err != io.EOF {
				from.Close()
			}
			return
		}
	}
}
