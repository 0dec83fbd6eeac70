package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"duckload/fleet"
)

// formatsOfFleets are all but what is written while a run goes on.
func formatsOfFleets() string { return strings.ReplaceAll(allFormats(), ","+eventsName, "") }

// A tap hears every message of a bus.
type tap struct {
	mu  sync.Mutex
	all map[string][]byte
}

func listenTo(t *testing.T, at fleet.Access) *tap {
	t.Helper()
	bus, err := nats.Connect(at.URL, nats.Token(at.Token))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	heard := &tap{all: map[string][]byte{}}
	_, err = bus.Subscribe(">", func(m *nats.Msg) {
		heard.mu.Lock()
		defer heard.mu.Unlock()
		heard.all[fmt.Sprintf("message %d, to %s", len(heard.all), m.Subject)] = fmt.Appendf(nil, "%s %s %v\n%s", m.Subject, m.Reply, m.Header, m.Data)
	})
	if err := errors.Join(err, bus.Flush()); err != nil {
		t.Fatal(err)
	}
	return heard
}

func (h *tap) texts() map[string][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.all)
}

// recording waits until records of a run have been begun below a pattern, and
// for a second in which they grow.
func (v vault) recording(t *testing.T, pattern string, want int, said *bytes.Buffer) {
	t.Helper()
	for range 1200 {
		if found, _ := filepath.Glob(filepath.Join(v.dir, pattern, "seg-000000.dlh")); len(found) >= want {
			time.Sleep(1500 * time.Millisecond)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %d records in %s: %s", want, pattern, said.Bytes())
}

// No secret comes out of a fleet that meets on a bus: not into what travels
// over it or what it keeps, not into the folder of an agent or of the
// coordinator, not into what is said or shown of a process. Not if all goes
// well, and not if the coordinator is killed and the agents crash. Pieces of
// records travel packed: they are those that are unpacked from the folders.
func TestNoSecretComesOutOfAFleet(t *testing.T) {
	t.Parallel() // it waits more than it works
	v := newVault(t)
	target := v.echo(t, false)
	server, err := fleet.Serve(filepath.Join(v.dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	v.secrets[tokenVariable] = server.Access.Token
	heard := listenTo(t, server.Access)
	agents := map[string]*life{}
	for _, name := range []string{"A", "B"} {
		agents[name] = v.begin(t, "agent", "--nats", server.Access.URL, "--name", name, "--dir", "agent-"+name, "--files", ".")
	}
	fleetRun := []string{"--agents", "2", "--nats", server.Access.URL, "--target", target, "--agent-lead", "4s", "--format", formatsOfFleets()}
	texts := v.run(t, 0, 0, append([]string{"run", "short.yaml"}, fleetRun...)...)
	masked := bytes.Count(bytes.Join(slices.Collect(maps.Values(v.files(t))), nil), []byte("***"))

	long := v.begin(t, append([]string{"run", "long.yaml"}, fleetRun...)...)
	v.recording(t, "agent-*/*/*", 4, &long.said)
	maps.Copy(texts, titles(long.Process.Pid))
	for _, a := range agents {
		maps.Copy(texts, titles(a.Process.Pid))
	}
	maps.Copy(texts, long.end(t, syscall.SIGKILL))
	maps.Copy(texts, agents["A"].end(t, syscall.SIGQUIT))
	maps.Copy(texts, agents["B"].end(t, syscall.SIGTERM))

	runs, _ := filepath.Glob(filepath.Join(v.dir, "agent-B", "*", "B"))
	for _, folder := range runs {
		run := filepath.Base(filepath.Dir(folder))
		maps.Copy(texts, v.run(t, 0, 0, "collect", run, "--nats", server.Access.URL, "--quiet-for", "1s", "--out", "collected", "--format", formatsOfFleets()))
		maps.Copy(texts, v.run(t, 0, 0, "merge", filepath.Join("agent-A", run), folder, "--out", "merged-"+run, "--format", formatsOfFleets()))
	}
	maps.Copy(texts, heard.texts())
	maps.Copy(texts, v.files(t))
	v.leaks(t, texts)

	kept := 0
	for where := range texts {
		if strings.HasPrefix(where, filepath.Join(v.dir, "store")) {
			kept++
		}
	}
	collected, _ := filepath.Glob(filepath.Join(v.dir, "collected", "*", observationsDir))
	merged, _ := filepath.Glob(filepath.Join(v.dir, "merged-*", observationsDir))
	if len(runs) != 2 || len(heard.texts()) < 20 || kept == 0 || masked < 10 || len(collected) != 1 || len(merged) != 2 {
		t.Errorf("got %d runs, %d messages, %d files of the bus, %d places that were masked, %d runs collected and %d merged: did a fleet run?", len(runs), len(heard.texts()), kept, masked, len(collected), len(merged))
	}
}

// Nor out of a fleet that is started for one run on this machine, with a bus of
// its own in the folder of the run.
func TestNoSecretComesOutOfAnOwnFleet(t *testing.T) {
	t.Parallel() // it waits more than it works
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("the processes that a process has started are not to be seen here")
	}
	v := newVault(t)
	target := v.echo(t, false)
	ownFleet := []string{"--agents", "2", "--target", target, "--agent-lead", "4s", "--format", formatsOfFleets()}
	texts := v.run(t, 0, 0, append([]string{"run", "short.yaml"}, ownFleet...)...)

	long := v.begin(t, append([]string{"run", "long.yaml"}, ownFleet...)...)
	v.recording(t, "results/*/agents/*/*", 2, &long.said)
	shown := titles(long.Process.Pid)
	maps.Copy(texts, shown)
	maps.Copy(texts, long.end(t, syscall.SIGKILL))
	orphans := 0
	for where := range shown {
		var pid int
		if _, err := fmt.Sscanf(where, "/proc/%d/cmdline", &pid); err != nil || pid == long.Process.Pid {
			continue
		}
		orphans++
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if _, token, ok := strings.Cut(string(environ), tokenVariable+"="); ok {
			v.secrets[tokenVariable], _, _ = strings.Cut(token, "\x00")
		} else {
			t.Errorf("no token in the environment of an agent: %v", err)
		}
		agent, err := os.FindProcess(pid)
		if err == nil {
			err = agent.Signal(syscall.SIGQUIT)
		}
		if err != nil {
			t.Error(err)
		}
		gone := fmt.Sprintf("/proc/%d/environ", pid) // it is not our child, so it cannot be waited for
		for text, err := os.ReadFile(gone); err == nil && len(text) > 0; text, err = os.ReadFile(gone) {
			time.Sleep(25 * time.Millisecond)
		}
	}
	files := v.files(t)
	maps.Copy(texts, files)
	v.leaks(t, texts)
	kept, stacks := 0, 0
	for where, text := range files {
		if strings.Contains(where, "/"+busDir+"/") {
			kept++
		}
		if strings.HasSuffix(where, agentsDir+".log") {
			stacks += bytes.Count(text, []byte("SIGQUIT"))
		}
	}
	if orphans != 2 || kept == 0 || stacks != 2 {
		t.Errorf("got %d agents, %d texts of the bus and the stacks of %d, want two agents that crashed beside a bus", orphans, kept, stacks)
	}
}
