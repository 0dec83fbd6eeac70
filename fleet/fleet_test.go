package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

func names(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("agent-%d", i))
	}
	return all
}

// Whatever their number, the agents send the plan, each of its requests once,
// and what they have recorded is collected.
func TestAFleetSendsThePlanOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 5, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "{burst: 30}, {hold: 100/s, for: 1s}")
			for _, name := range names(n) {
				s.agent(name, "", nil)
			}
			_, missing := s.conduct(t.Context(), "run", n)
			if len(missing) > 0 {
				t.Errorf("missing: %q", missing)
			}
			seqs := s.requests(s.collected("run"), names(n)...)
			if len(seqs) != 130 || s.hits.Load() != 130 || len(slices.Compact(seqs)) != 130 {
				t.Errorf("got %d requests, %d of them different, and the target saw %d; want 130", len(seqs), len(slices.Compact(seqs)), s.hits.Load())
			}
			for _, name := range names(n) {
				for _, file := range []string{"seg-000000.dlh", clockFile, infoFile, doneFile} {
					own, err := os.ReadFile(filepath.Join(s.dir, "agent-"+name, "run", name, file))
					copy, wrong := os.ReadFile(filepath.Join(s.collected("run"), name, file))
					if errors.Join(err, wrong) != nil || string(own) != string(copy) {
						t.Errorf("%s of %s: the copy differs (%v)", file, name, errors.Join(err, wrong))
					}
				}
			}
		})
	}
}

// An agent's moment 0 is the start that was announced, within the bound that
// its probes give, over links that are slow, uneven and jittered.
func TestEverybodyStartsWithinTheBound(t *testing.T) {
	t.Parallel()
	s := newStage(t, "{burst: 10}")
	links := []link{{}, {jitter: 20 * time.Millisecond}, {there: 10 * time.Millisecond, jitter: 5 * time.Millisecond}, {back: 15 * time.Millisecond, jitter: time.Millisecond}}
	for i, l := range links {
		through := ""
		if l != (link{}) {
			through = s.link(l)
		}
		s.agent(names(4)[i], through, nil)
	}
	c, missing := s.conduct(t.Context(), "run", len(links))
	if len(missing) > 0 {
		t.Fatalf("missing: %q", missing)
	}
	for i, name := range names(4) {
		probes, err := history.ReadProbes(filepath.Join(s.collected("run"), name))
		if err != nil || len(probes) < 2*probesAtEnds {
			t.Fatalf("%d probes, %v; want at least %d", len(probes), err, 2*probesAtEnds)
		}
		low, high := probes[0].Theirs-probes[0].Received, probes[0].Theirs-probes[0].Sent
		for _, p := range probes {
			low, high = max(low, p.Theirs-p.Received), min(high, p.Theirs-p.Sent)
		}
		t.Logf("%s over %+v: its start is %v to %v off", name, links[i], low, high)
		// Both clocks are this machine's, so the truth is within the interval
		// if it is not empty; what was aimed at is 0.
		if low > high+100*time.Microsecond {
			t.Errorf("%s: no offset explains all probes: %v to %v", name, low, high)
		}
		if off := max(low, -high); off > c.bound {
			t.Errorf("%s: its start is at least %v off; it was bound to %v", name, off, c.bound)
		}
	}
}

func TestAStopReachesEveryAgentWithinASecond(t *testing.T) {
	t.Parallel()
	s := newStage(t, "{hold: 50/s, for: 5m}")
	for _, name := range names(4) {
		s.agent(name, "", nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stopped time.Time
	go func() {
		for s.hits.Load() < 20 {
			time.Sleep(10 * time.Millisecond)
		}
		stopped = time.Now()
		cancel()
	}()
	_, missing := s.conduct(ctx, "run", 4)
	over := time.Now()
	if len(missing) > 0 {
		t.Errorf("missing: %q", missing)
	}
	h, err := history.Open(s.collected("run"))
	if err != nil {
		t.Fatal(err)
	}
	if h.End == nil || h.End.Reason != "interrupted" || h.End.Complete {
		t.Fatalf("the run ended with %+v, want interrupted", h.End)
	}
	last := h.Header.Started.Add(h.End.At) // of the agent that ended last
	if late := last.Sub(stopped); late > time.Second {
		t.Errorf("sent for %v after the stop, want at most a second", late)
	}
	t.Logf("everything was collected %v after the stop", over.Sub(stopped))
}

// An agent obeys its own list of hosts and its own budget.
func TestAnAgentRefusesWhatItDoesNotAllow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Agent)
		order  func(*Order)
		kind   Kind
		why    string
	}{
		"budget":       {change: func(a *Agent) { a.Budget.Requests = 10 }, kind: Guarded, why: "its part comes to 40 requests; this agent's budget is 10"},
		"time":         {change: func(a *Agent) { a.Budget.Duration = time.Second }, kind: Guarded, why: "this agent's budget is 1s"},
		"host":         {order: func(o *Order) { o.Target, o.Allow = "http://203.0.113.9", []string{"203.0.113.9"} }, kind: Guarded, why: "is not allowed"},
		"another plan": {order: func(o *Order) { o.Digest = "f00" }, kind: Mistaken, why: "the plan comes out different here"},
		"environment":  {order: func(o *Order) { o.World = "f00" }, kind: Mistaken, why: "must be the same on every machine"},
		"scenario":     {order: func(o *Order) { o.Text = "version: 7" }, kind: Mistaken, why: "version"},
		"nobody there": {order: func(o *Order) { o.Target = "http://127.0.0.1:1" }, kind: Unusable, why: "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "{hold: 20/s, for: 4s}")
			s.agent("agent-0", "", nil)
			s.agent("agent-1", "", c.change)
			plan, order := s.plan("run")
			if c.order != nil {
				c.order(&order)
			}
			err := s.coordinator("run", 2).Order(t.Context(), order, plan)
			var r Refusal
			if !errors.As(err, &r) || r.Kind != c.kind || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v (%q), want %q with %q", err, r.Kind, c.kind, c.why)
			}
			if s.hits.Load() > 0 {
				t.Errorf("%d requests were sent, want none", s.hits.Load())
			}
		})
	}
}

// Where one agent is out of reach before everybody has confirmed the start,
// nobody sends.
func TestNobodyStartsAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t, "{burst: 10}")
	s.agent("agent-0", "", nil)
	s.agent("agent-1", "", nil)
	c := s.coordinator("run", 2)
	plan, order := s.plan("run")
	if err := c.Order(t.Context(), order, plan); err != nil {
		t.Fatal(err)
	}
	c.members[1].Instance = "elsewhere" // the start does not reach it
	if _, err := c.Start(t.Context(), 600*time.Millisecond, 0); err == nil {
		t.Error("the start was confirmed by an agent that did not hear of it")
	}
	c.Close() // nobody is left to say that it is off
	time.Sleep(1200 * time.Millisecond)
	if s.hits.Load() > 0 {
		t.Errorf("%d requests were sent, want none", s.hits.Load())
	}
}

func TestTwoAgentsOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, "{burst: 1}")
	s.agent("agent-0", "", nil)
	s.agents["first"] = s.agents["agent-0"]
	s.agent("agent-0", "", func(a *Agent) { a.Dir += "-other" })
	c := &Coordinator{Bus: s.dial(""), Run: "run", Version: "test", Agents: 2, Wait: 3 * time.Second}
	defer c.Close()
	if _, err := c.Gather(t.Context()); err == nil || !strings.Contains(err.Error(), "two agents are called agent-0") {
		t.Errorf("got %v, want that two agents have one name", err)
	}
}

func TestAgentsOfAnotherVersionAreRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, "{burst: 1}")
	s.agent("agent-0", "", nil)
	s.agent("agent-1", "", func(a *Agent) { a.Version = "older" })
	c := &Coordinator{Bus: s.dial(""), Run: "run", Version: "test", Agents: 2, Wait: 10 * time.Second}
	defer c.Close()
	_, err := c.Gather(t.Context())
	var r Refusal
	if !errors.As(err, &r) || r.Agent != "agent-1" || !strings.Contains(r.Why, "it is duckload older, and this is test") {
		t.Errorf("got %v, want that agent-1 is of another version", err)
	}
}

// An agent that is started again hands in what it left, byte for byte, also
// what a crash tore; and says that it broke off.
func TestWhatWasLeftBehindIsHandedIn(t *testing.T) {
	t.Parallel()
	s := newStage(t, "{burst: 10}")
	left := filepath.Join(s.dir, "agent-agent-0", "run", "agent-0")
	w, err := history.Create(left, history.Header{
		Run: "run", Groups: []history.Group{{Name: "g", Counter: "g"}}, Lanes: []history.Lane{{}}, Phases: []history.Phase{{}},
		Agents: []history.Agent{{Name: "agent-0"}}, Roster: []string{"agent-0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		err = errors.Join(err, w.Append(history.Observation{Seq: uint64(i), Answered: 1, Done: 1}))
	}
	if err := errors.Join(err, w.Flush(), w.Append(history.Observation{Answered: 1, Done: 1}), w.Flush()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(left, "seg-000000.dlh")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = text[:len(text)-9]
	if err := errors.Join(os.WriteFile(path, text, 0o644), writeWhole(filepath.Join(left, infoFile), encode(Info{Name: "agent-0", Run: "run", Agents: []string{"agent-0"}}))); err != nil {
		t.Fatal(err)
	}
	bus := s.dial("")
	if err := bus.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.agent("agent-0", "", nil)
	missing, err := CollectAgain(t.Context(), bus, "run", s.collected("run"), 5*time.Second)
	if err != nil || len(missing) != 1 || !strings.Contains(missing[0], "broke off") {
		t.Errorf("got %q, %v; want that it broke off", missing, err)
	}
	got, err := os.ReadFile(filepath.Join(s.collected("run"), "agent-0", "seg-000000.dlh"))
	if err != nil || string(got) != string(text) {
		t.Errorf("the copy has %d bytes, %v; want the %d of the record", len(got), err, len(text))
	}
	h, err := history.Open(s.collected("run"))
	if err != nil || h.End != nil || !slices.ContainsFunc(h.Missing, func(m string) bool { return strings.Contains(m, "torn frame") }) {
		t.Errorf("the record says %q, %v; want a torn frame", h.Missing, err)
	}
	if again, err := CollectAgain(t.Context(), bus, "nothing", s.collected("nothing"), 300*time.Millisecond); !errors.Is(err, ErrNothing) {
		t.Errorf("of a run that never was: got %q, %v", again, err)
	}
}

func TestAFolderHasOneAgentOfAName(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("nobody is kept out there")
	}
	dir := t.TempDir()
	unlock, err := lock(dir, "A")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir, "A"); err == nil || !strings.Contains(err.Error(), "another agent A works in") {
		t.Errorf("got %v, want that another agent works there", err)
	}
	if other, err := lock(dir, "B"); err != nil {
		t.Errorf("another name: %v", err)
	} else {
		other()
	}
	unlock()
	again, err := lock(dir, "A")
	if err != nil {
		t.Fatalf("once it is free: %v", err)
	}
	again()
}

func TestAgentsBehindOneAddressAreRefusedWhereItCounts(t *testing.T) {
	text := `
version: 1
name: addresses
target: http://203.0.113.1
allow_hosts: [203.0.113.1]
groups:
  one:
    promise: {limit: 10/min, burst: 5, scope: SCOPE}
    sources: [198.51.100.1, 198.51.100.2]
    requests: [GET /]
    pacing: [{burst: 5}]
`
	agents := func(a, b string) []Info {
		return []Info{{Name: "A", Seen: a, Sources: []string{"10.0.0.1"}}, {Name: "B", Seen: b, Sources: []string{"10.0.0.2"}}}
	}
	for _, c := range []struct {
		scope  string
		agents []Info
		want   bool
	}{
		{"ip", agents("192.0.2.1", "192.0.2.1"), true},
		{"ip", agents("192.0.2.1", "192.0.2.2"), false},
		{"global", agents("192.0.2.1", "192.0.2.1"), false},
	} {
		s, err := scenarios.Load("a.yaml", []byte(strings.ReplaceAll(text, "SCOPE", c.scope)), scenarios.Env{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		err = apart(c.agents, plan)
		if (err != nil) != c.want || err != nil && !strings.Contains(err.Error(), "same one as agent A (192.0.2.1)") {
			t.Errorf("scope %s, %v: got %v, want a refusal: %v", c.scope, c.agents, err, c.want)
		}
	}
}
