package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"duckload/emulator"
	"duckload/history"
)

// everyCrash goes through all of the crash matrix instead of a part of it.
var everyCrash = flag.Bool("every-crash", false, "kill agent, coordinator and bus at every point")

// busMain is a nats-server in a process of its own, which can be killed:
// bus PORT FOLDER.
func busMain() {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: os.Args[2], SyncAlways: true, NoLog: true})
	if err != nil {
		panic(err)
	}
	s.Start()
	s.WaitForShutdown()
}

const crashScenario = `
version: 1
name: crash
target: http://127.0.0.1:1
groups:
  status:
    promise: {limit: 60/2s, burst: 120, scope: global}
    requests: [GET /beak/system/status]
    pacing:
      - burst: 20
      - hold: 40/s
        for: 1500ms
`

// crashRequests is what the scenario comes to.
const crashRequests = 80

// A stage is a fleet on loopback whose parts are processes.
type stage struct {
	*testing.T
	dir    string
	nats   string
	port   int
	target string
	bus    *exec.Cmd
	agents map[string]*exec.Cmd
}

func newStage(t *testing.T) *stage {
	s := &stage{T: t, dir: t.TempDir(), port: freePort(t), agents: map[string]*exec.Cmd{}}
	s.nats = fmt.Sprintf("nats://127.0.0.1:%d", s.port)
	config := emulator.SpaceDuck()
	at, err := start(t.Context(), config.Scaled(2*time.Second), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.close)
	s.target = at.url
	if err := os.WriteFile(s.path("crash.yaml"), []byte(crashScenario), 0o644); err != nil {
		t.Fatal(err)
	}
	s.startBus()
	return s
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// spawn starts a process, which ends with the test at the latest.
func (s *stage) spawn(env []string, name string, args ...string) *exec.Cmd {
	s.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = s.dir, append(os.Environ(), env...)
	c.Stderr = &bytes.Buffer{}
	if err := c.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	return c
}

func (s *stage) startBus() {
	s.Helper()
	s.bus = s.spawn(nil, "bus", strconv.Itoa(s.port), s.path("store"))
	for range 400 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.Fatal("the bus does not come up")
}

func (s *stage) startAgent(name string, env ...string) {
	s.Helper()
	s.agents[name] = s.spawn(env, "duckload", "agent", "--nats", s.nats, "--name", name, "--dir", s.path("agent-"+name))
}

// conduct runs the scenario from two agents.
func (s *stage) conduct(env ...string) *exec.Cmd {
	s.Helper()
	return s.spawn(env, "duckload", "run", "crash.yaml", "--agents", "2", "--nats", s.nats, "--target", s.target,
		"--agent-wait", "6s", "--agent-lead", "2s", "--out", "out", "--fail-on", "none")
}

// run is the id of the one run, as the agents' folders tell; empty: none has
// begun.
func (s *stage) run() string {
	found, _ := filepath.Glob(s.path("agent-*/*/*/seg-000000.dlh"))
	if len(found) == 0 {
		return ""
	}
	return filepath.Base(filepath.Dir(filepath.Dir(found[0])))
}

// onRecord is a digest of what the agents have seen, by agent, in the record
// of a folder with a folder for each.
func onRecord(t *testing.T, folders map[string]string) (digest string, requests int) {
	t.Helper()
	var lines []string
	for name, folder := range folders {
		h, err := history.Open(folder)
		if err != nil {
			t.Fatalf("agent %s: %v", name, err)
		}
		all, err := h.Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range all {
			lines = append(lines, fmt.Sprintf("%s %d %d %d %d %d %d", name, o.Lane, o.Seq, o.Intended, o.Sent, o.Answered, o.Status))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return fmt.Sprintf("%x", sum[:8]), len(lines)
}

// folders are those of the agents' that hold a record, below a pattern with
// the agent's name at its end.
func folders(pattern string) map[string]string {
	found, _ := filepath.Glob(filepath.Join(pattern, "seg-000000.dlh"))
	all := map[string]string{}
	for _, f := range found {
		all[filepath.Base(filepath.Dir(f))] = filepath.Dir(f)
	}
	return all
}

// A crashCase is a process that is killed at a point: "agent", "coordinator",
// or the bus, when an agent or the coordinator comes to the point.
type crashCase struct {
	point string // see fleet's crash
	bus   bool
	often bool // it is in the part that every change is tested with
}

var crashMatrix = []crashCase{
	{point: "agent.called"},
	{point: "agent.ordered"},
	{point: "agent.planned"},
	{point: "agent.probing:5"},
	{point: "agent.probed"},
	{point: "agent.ready", often: true},
	{point: "agent.started"},
	{point: "agent.recording"},
	{point: "agent.sending"},
	{point: "agent.observed"},
	{point: "agent.observed:15", often: true},
	{point: "agent.observed:38"},
	{point: "agent.flushed"},
	{point: "agent.flushed:3"},
	{point: "agent.flushed:5"},
	{point: "agent.shipping"},
	{point: "agent.shipping:2", often: true},
	{point: "agent.shipping:5"},
	{point: "agent.shipped"},
	{point: "agent.shipped:3"},
	{point: "agent.sent"},
	{point: "agent.probing:30"},
	{point: "agent.closed"},
	{point: "agent.finished"},
	{point: "coordinator.called"},
	{point: "coordinator.ordered"},
	{point: "coordinator.ordered:2"},
	{point: "coordinator.ready"},
	{point: "coordinator.started"},
	{point: "coordinator.started:2"},
	{point: "coordinator.told", often: true},
	{point: "coordinator.collecting"},
	{point: "coordinator.collecting:2"},
	{point: "coordinator.collecting:3"},
	{point: "coordinator.collecting:4"},
	{point: "coordinator.collecting:5"},
	{point: "coordinator.collecting:6"},
	{point: "coordinator.collected"},
	{point: "coordinator.collected:2"},
	{point: "coordinator.collected:3"},
	{point: "coordinator.collected:4"},
	{point: "coordinator.collected:5", often: true},
	{point: "coordinator.collected:6"},
	{point: "coordinator.done"},
	{point: "agent.called", bus: true},
	{point: "agent.ordered", bus: true},
	{point: "agent.planned", bus: true},
	{point: "agent.probed", bus: true},
	{point: "agent.started", bus: true},
	{point: "agent.recording", bus: true},
	{point: "agent.sending", bus: true},
	{point: "agent.observed", bus: true},
	{point: "agent.observed:10", bus: true, often: true},
	{point: "agent.observed:30", bus: true},
	{point: "agent.flushed:2", bus: true},
	{point: "agent.shipping", bus: true},
	{point: "agent.shipping:3", bus: true},
	{point: "agent.shipped:2", bus: true, often: true},
	{point: "agent.sent", bus: true},
	{point: "agent.closed", bus: true},
	{point: "coordinator.ordered", bus: true},
	{point: "coordinator.ready", bus: true},
	{point: "coordinator.started", bus: true},
	{point: "coordinator.told", bus: true},
	{point: "coordinator.collecting:2", bus: true},
	{point: "coordinator.collected:3", bus: true},
}

func (c crashCase) String() string {
	if c.bus {
		return "the bus at " + c.point
	}
	return c.point
}

// Whoever is killed, and whenever: once it is started again, what the agents
// have on their disks has been collected, all of it, or nothing was sent.
func TestNothingIsLostWhereverAProcessDies(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var table []string
	slots := make(chan struct{}, 4)
	t.Run("at", func(t *testing.T) {
		for _, c := range crashMatrix {
			if !c.often && !*everyCrash {
				continue
			}
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				row := newStage(t).crash(c)
				mu.Lock()
				defer mu.Unlock()
				table = append(table, fmt.Sprintf("%-34s %s", c, row))
			})
		}
	})
	slices.Sort(table)
	t.Log("\n" + strings.Join(table, "\n"))
}

// crash runs a fleet in which something dies, starts that again, and compares.
func (s *stage) crash(c crashCase) string {
	env := []string{"DUCKLOAD_CRASH_AT=" + c.point}
	if c.bus {
		env = append(env, "DUCKLOAD_CRASH_PID="+strconv.Itoa(s.bus.Process.Pid))
	}
	var ofAgent, ofCoordinator []string
	if strings.HasPrefix(c.point, "agent.") {
		ofAgent = env
	} else {
		ofCoordinator = env
	}
	s.startAgent("A", ofAgent...)
	s.startAgent("B")
	coordinator := s.conduct(ofCoordinator...)
	victim := s.agents["A"]
	switch {
	case c.bus:
		victim = s.bus
	case ofCoordinator != nil:
		victim = coordinator
	}
	s.dies(victim, coordinator)
	switch victim {
	case s.bus:
		s.startBus()
	case s.agents["A"]:
		s.startAgent("A")
	}
	killed := victim == coordinator
	if !killed {
		s.ends(coordinator)
	}
	return s.compare(coordinator, killed)
}

// dies waits until a process was killed.
func (s *stage) dies(victim, coordinator *exec.Cmd) {
	s.Helper()
	died := make(chan error, 1)
	go func() { died <- victim.Wait() }()
	select {
	case err := <-died:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != -1 {
			s.Fatalf("the victim ended with %v instead of being killed: %s", err, victim.Stderr)
		}
	case <-time.After(90 * time.Second):
		s.Fatalf("nothing died; the coordinator said: %s", coordinator.Stderr)
	}
}

func (s *stage) ends(c *exec.Cmd) {
	s.Helper()
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-ended:
	case <-time.After(90 * time.Second):
		s.Fatalf("the coordinator does not end: %s", c.Stderr)
	}
}

// compare looks whether all that the agents have on their disks was collected.
// A coordinator that died, or that gave up on an agent, is followed by another
// one.
func (s *stage) compare(coordinator *exec.Cmd, killed bool) string {
	said := coordinator.Stderr.(*bytes.Buffer)
	run := s.run()
	if run == "" {
		time.Sleep(1500 * time.Millisecond) // agents that wait for a start that was told begin now
		run = s.run()
	}
	if run == "" {
		if !killed && coordinator.ProcessState.ExitCode() == exitPass {
			s.Fatalf("nothing was recorded, and the coordinator is content: %s", said)
		}
		return "nothing was sent, which was said"
	}
	if !killed && !strings.Contains(said.String(), "missing: ") && coordinator.ProcessState.ExitCode() == exitPass {
		return s.same(s.path("out/*/observations/*"), run, crashRequests) + ", in one go"
	}
	if code := exitCode(coordinator); !killed && code == exitUnusable {
		// It had given up before the start, and so must everybody.
		if _, sent := onRecord(s.T, folders(s.path("agent-*/*/*"))); sent > 0 {
			s.Errorf("%d requests were sent, and the coordinator said that the start had failed: %s", sent, said)
		}
		return "nothing was sent, which was said"
	}
	if !killed {
		if code := coordinator.ProcessState.ExitCode(); code != exitStopped {
			s.Errorf("the coordinator ended with %d, want %d: %s", code, exitStopped, said)
		}
	}
	s.kept()
	again := s.spawn(nil, "duckload", "collect", run, "--nats", s.nats, "--out", "again", "--quiet-for", "4s", "--fail-on", "none")
	s.ends(again)
	return s.same(s.path("again/*/observations/*"), run, 0) + ", collected again"
}

func exitCode(c *exec.Cmd) int {
	if c.ProcessState == nil {
		return -1
	}
	return c.ProcessState.ExitCode()
}

// kept waits until every agent has handed in what it has.
func (s *stage) kept() {
	for range 600 {
		waits := false
		for _, folder := range folders(s.path("agent-*/*/*")) {
			if _, err := os.Stat(filepath.Join(folder, "kept")); err != nil {
				waits = true
			}
		}
		if !waits {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Error("an agent has not handed in its record")
}

func (s *stage) same(collected, run string, atLeast int) string {
	s.Helper()
	want, sent := onRecord(s.T, folders(s.path("agent-*/"+run+"/*")))
	got, n := onRecord(s.T, folders(collected))
	if got != want || n != sent {
		s.Errorf("collected %d observations with digest %s; the agents' disks have %d with %s", n, got, sent, want)
	}
	if sent < atLeast || sent > crashRequests {
		s.Errorf("%d requests are on record, want %d to %d", sent, atLeast, crashRequests)
	}
	return fmt.Sprintf("%d of %d requests on record, digests agree", n, crashRequests)
}
