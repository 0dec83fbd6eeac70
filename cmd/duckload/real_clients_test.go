package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Clients that nobody here wrote, judged for real. docs/clients.md says what
// each of them does; what it says is what these want.

// A realClient is one client, with one script.
type realClient struct {
	name   string
	argv   []string
	many   int // at once; 0: one
	script string

	passes, fails, open []string // checks; all others pass, too, or do not apply
}

// realClients are the programs of examples/clients.
func realClients(t *testing.T) []realClient {
	dir := installClients(t)
	node, curl := tool(t, "node", "nodejs"), tool(t, "curl", "curl")
	python := "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import requests").Run(); err != nil {
		t.Fatalf("requests is not installed, and is to be judged (.ci/tools installs Debian's package python3-requests): %v", err)
	}
	var all []realClient
	add := func(name string, argv ...string) func(script string, passes, fails, open []string) {
		return func(script string, passes, fails, open []string) {
			all = append(all, realClient{name: name, argv: argv, script: script, passes: passes, fails: fails, open: open})
		}
	}
	type checks = []string
	told, backs, leaves := checks{"client.retry_after", "client.comes_through"}, checks{"client.backoff", "client.hammer", "client.gives_up"}, checks{"client.never_retries"}
	for _, c := range []struct {
		name string
		argv []string
	}{
		{"curl --retry", []string{curl, "--silent", "--fail", "--retry", "4", "{url}/beak/metrics"}},
		{"go-retryablehttp", []string{filepath.Join(dir, "retryablehttp")}},
		{"axios-retry, exponentialDelay", []string{node, filepath.Join(dir, "axios.js"), "exponential"}},
		{"got, limit 4", []string{node, filepath.Join(dir, "got.mjs"), "more"}},
		{"requests with Retry", []string{python, filepath.Join(dir, "requests_retry.py"), "backoff"}},
	} {
		judged := add(c.name, c.argv...)
		judged("limited", told, nil, nil)
		judged("limited-date", told, nil, nil)
		judged("outage", backs, nil, nil)
		judged("bad-key", leaves, nil, nil)
	}
	plain := add("axios-retry as it is", node, filepath.Join(dir, "axios.js"), "default")
	plain("limited", told, nil, nil)
	plain("limited-date", told, nil, nil)
	plain("outage", nil, checks{"client.hammer", "client.backoff"}, nil)
	add("got as it is", node, filepath.Join(dir, "got.mjs"), "default")("outage", checks{"client.hammer"}, nil, checks{"client.backoff"})
	add("requests as it is", python, filepath.Join(dir, "requests_retry.py"), "default")("limited", checks{"client.retry_after"}, checks{"client.comes_through"}, nil)

	all = append(all,
		realClient{name: "20 of curl", argv: []string{curl, "--silent", "--retry", "3", "{url}/beak/metrics"}, many: 20, script: "outage", fails: checks{"client.storm"}},
		realClient{name: "10 of go-retryablehttp", argv: []string{filepath.Join(dir, "retryablehttp")}, many: 10, script: "outage", fails: checks{"client.storm"}},
		realClient{name: "10 of got, limit 4", argv: []string{node, filepath.Join(dir, "got.mjs"), "more"}, many: 10, script: "outage", fails: checks{"client.storm"}},
		realClient{name: "10 of requests with Retry", argv: []string{python, filepath.Join(dir, "requests_retry.py"), "backoff"}, many: 10, script: "outage", fails: checks{"client.storm"}},
		realClient{name: "10 of axios-retry, exponentialDelay", argv: []string{node, filepath.Join(dir, "axios.js"), "exponential"}, many: 10, script: "outage", passes: checks{"client.storm", "client.backoff"}},
	)
	return all
}

// installClients puts the clients, with what they need, into a folder that is
// removed again.
func installClients(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/clients")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "retryablehttp")); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "retryablehttp"), "../../examples/clients/retryablehttp")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	installLocked(t, dir)
	return dir
}

func TestRealClients(t *testing.T) {
	t.Parallel() // it waits more than it works
	cases := realClients(t)
	room := make(chan struct{}, 8)
	answers := make([]string, len(cases))
	var wait sync.WaitGroup
	for i, c := range cases {
		room <- struct{}{}
		wait.Go(func() {
			answers[i] = c.judged(t)
			<-room
		})
	}
	wait.Wait()
	// What is right never fails. What the noise of all the others hid is found
	// in one of some attempts alone: a client that does not wait at all seems to
	// wait where a machine is busy.
	for i, c := range cases {
		for range 10 {
			if !strings.HasPrefix(answers[i], "undecided") {
				break
			}
			answers[i] = c.judged(t)
		}
	}
	for i, c := range cases {
		t.Run(c.name+": "+c.script, func(t *testing.T) {
			if answers[i] != "" {
				t.Error(answers[i])
			}
		})
	}
}

// judged runs a client once, and says what is not as it should be. What
// another attempt may mend begins with "undecided".
func (c realClient) judged(t *testing.T) string {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err.Error()
	}
	file := filepath.Join(dir, "client.json")
	args := []string{"client-check", "--quiet", "--script", c.script, "--clients", strconv.Itoa(max(1, c.many)), "--format", "text,json=" + file, "--"}
	var output bytes.Buffer
	unwatched(&output).main(t.Context(), append(args, c.argv...))
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, output.String())
	}
	var document struct {
		Scripts []struct{ Checks []realCheck }
	}
	if err := json.Unmarshal(text, &document); err != nil || len(document.Scripts) != 1 {
		return fmt.Sprintf("%s: %v", text, err)
	}
	got := map[string]string{}
	for _, check := range document.Scripts[0].Checks {
		got[check.ID] = check.Outcome
	}
	wrong := ""
	want := map[string]string{}
	for outcome, ids := range map[string][]string{"pass": c.passes, "fail": c.fails, "inconclusive": c.open} {
		for _, id := range ids {
			want[id] = outcome
		}
	}
	for id, outcome := range got {
		switch wanted := want[id]; {
		case outcome == "fail" && wanted != "fail" && (wanted != "" || len(c.fails) == 0):
			return fmt.Sprintf("%s fails:\n%s", id, output.String())
		case wanted != "" && outcome != wanted:
			wrong = fmt.Sprintf("undecided: %s: got %s, want %s:\n%s", id, outcome, wanted, output.String())
		}
	}
	for id := range want {
		if got[id] == "" {
			return fmt.Sprintf("%s was not asked:\n%s", id, output.String())
		}
	}
	return wrong
}
