package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"duckload/emulator"
)

// atOnce is how many runs go side by side: together they send less than a
// small machine can serve.
const atOnce = 10

// attempts is how often a defect is looked for. A busy machine can make a run
// inconclusive; it can never make a check fail that should not.
const attempts = 3

// twoSeconds is part of the Space Duck table in windows of two seconds.
const twoSeconds = `
version: 1
name: two-seconds
target: http://127.0.0.1:1
defaults:
  on_reject: {status: 429, retry_after: %s, json: {error.code: E4004}}
  objectives: {p99: %s, errors: 1%%}
  errors:
    json: error.code
    codes: {E4001: {status: 401}, E4002: {status: 403}, E4003: {status: 409}, E4004: {status: 429}, E5001: {status: 500}}
identities:
  beak: {headers: {Authorization: Bearer demo}}
  by-query: {query: {beak_key: demo}}
  nobody: {}
  expired: {headers: {Authorization: Bearer expired}}
  untrusted: {headers: {Authorization: Bearer demo-t0}}
groups:
  %s
`

const perAddress = `signup:
    promise: {limit: 10/2s, burst: 5, scope: ip}
    admitted: [2xx, 409]
    requests: [{POST: /beak/signup, json: {email: "${unique.email}", password: "${unique.password}"}, effect: {again: {json: {error.code: E4003}}}}]
  support:
    promise: {limit: 5/2s, burst: 2, scope: ip}
    identity: beak
    requests: [{POST: /beak/support/contact, json: {email: "${unique.email}", message: hello}, effect: {look: {GET: "/emulator/effects?email=${unique.email}"}, count: times}}]
    expect: {nobody: E4001, expired: E4001, untrusted: E4002, by-query: admitted}`

// slowTokens come back so slowly that a reset in a second is seen to be a lie.
const slowTokens = `support:
    promise: {limit: 5/20s, burst: 2, scope: ip}
    identity: beak
    requests: [{POST: /beak/support/contact, json: {email: "${unique.email}", message: hello}}]`

const forEverybody = `status:
    promise: {limit: 60/2s, burst: 120, scope: global}
    requests: [GET /beak/system/status]`

// scenarioFor returns the scenario under which a defect shows, and the windows
// of its limits.
func scenarioFor(d emulator.Defect) (text string, window time.Duration) {
	retryAfter, p99, groups, window := "required", "10s", perAddress, 2*time.Second
	switch {
	case d.Check == "retry_after.tight":
		retryAfter = "exact"
	case d.Name == "slow":
		p99 = "200ms"
	case d.Name == "scope-ip":
		groups = forEverybody
	case d.Name == "headers-reset-wrong":
		groups, window = slowTokens, 20*time.Second
	}
	return fmt.Sprintf(twoSeconds, retryAfter, p99, groups), window
}

func TestEveryDefectIsCaughtOverSockets(t *testing.T) {
	t.Parallel() // it waits more than it works
	missed := make([]bool, len(emulator.Defects))
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, d := range emulator.Defects {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			_, caught := catch(t, d, attempts)
			missed[i] = !caught
		})
	}
	wait.Wait()
	for i, d := range emulator.Defects {
		if !missed[i] {
			continue
		}
		// Beside all others answers took too long to prove much.
		if said, caught := catch(t, d, attempts); !caught {
			t.Errorf("%s: %s did not fail in %d runs; the last one said:\n%s", d.Name, d.Check, 2*attempts, said)
		}
	}
}

// catch runs against a defect until its check fails, and returns what the last
// run said.
func catch(t *testing.T, d emulator.Defect, attempts int) (said string, caught bool) {
	text, window := scenarioFor(d)
	for range attempts {
		config := d.Apply(emulator.SpaceDuck().Scaled(window))
		if strings.HasPrefix(d.Check, "webhook.") {
			text, config.Webhooks = withMailbox(t)
		}
		exit, output := runAgainst(t, config, text)
		said = output
		if exit == exitFail && strings.Contains(output, d.Check) {
			return said, true
		}
	}
	return said, false
}

// withMailbox returns a scenario that listens on a port which was free a moment
// ago, and what an emulator must know of it.
func withMailbox(t *testing.T) (text string, hooks emulator.Webhooks) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return "", hooks
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	return fmt.Sprintf(withHooks, "2s", port), emulator.Webhooks{URL: fmt.Sprintf("http://127.0.0.1:%d/hooks", port), Secret: "a secret of the test"}
}

// What was delivered is on record: judged again, it is the same verdict.
func TestWebhooksOverSocketsAreJudgedAgain(t *testing.T) {
	t.Parallel()
	text, hooks := withMailbox(t)
	config := emulator.SpaceDuck().Scaled(2 * time.Second)
	config.Webhooks = hooks
	served, err := start(t.Context(), config, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer served.close()
	dir := t.TempDir()
	file := filepath.Join(dir, "scenario.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if exit, output := inProcess(t, "run", file, "--target", served.url, "--out", dir, "--quiet"); exit == exitFail || strings.Contains(output, "nobody listened") {
		t.Errorf("got status %d, want no failure:\n%s", exit, output)
	}
	runs, err := filepath.Glob(filepath.Join(dir, "*-hooks"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("got runs %q, %v, want one", runs, err)
	}
	first, err := os.ReadFile(filepath.Join(runs[0], "verdict.json"))
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(dir, "again.json")
	inProcess(t, "report", runs[0], "--format", "json="+again)
	second, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("got another verdict of the same record:\n%s\nwant\n%s", second, first)
	}
	for _, want := range []string{`"webhook.delivered"`, `"webhook.once"`, `"webhook.ordered"`, `"webhook.retried"`, `"webhook.signed"`} {
		if !bytes.Contains(first, []byte(want)) {
			t.Errorf("the verdict says nothing of %s", want)
		}
	}
}

func TestTheHonestEmulatorNeverFailsOverSockets(t *testing.T) {
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			text, window := scenarioFor(emulator.Defect{})
			exit, output := runAgainst(t, emulator.SpaceDuck().Scaled(window), text)
			if exit == exitFail {
				t.Errorf("an honest server failed:\n%s", output)
			}
		})
	}
	wait.Wait()
}

// runAgainst runs a scenario over real sockets against a server of its own.
func runAgainst(t *testing.T, config emulator.Config, scenario string) (exit int, output string) {
	dir, err := os.MkdirTemp(t.TempDir(), "run")
	if err != nil {
		t.Error(err)
		return exitBug, ""
	}
	served, err := start(t.Context(), config, "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return exitBug, ""
	}
	defer served.close()
	file := filepath.Join(dir, "scenario.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o644); err != nil {
		t.Error(err)
		return exitBug, ""
	}
	return inProcess(t, "run", file, "--target", served.url, "--out", filepath.Join(dir, "results"), "--quiet")
}

// unwatched is a process without a terminal and without an environment.
func unwatched(out io.Writer) process {
	return process{
		stdin: strings.NewReader(""), stdout: out, stderr: out,
		lookup: func(string) (string, bool) { return "", false },
		now:    time.Now, width: func() int { return 0 }, columns: func() int { return 0 },
	}
}

// inProcess runs a command line in this process, with plans that are shorter
// than usual.
func inProcess(t *testing.T, args ...string) (exit int, output string) {
	var out bytes.Buffer
	p := unwatched(&out)
	p.patience = 14 * time.Second
	exit = p.main(t.Context(), args)
	return exit, out.String()
}

func TestAMissingSourceIsStoodFor(t *testing.T) {
	plan := spaceDuck(t, nothing)
	if lacksSource(plan) {
		t.Errorf("this machine lacks a source of %v", plan.Lanes)
	}
	for i := range plan.Lanes {
		plan.Lanes[i].Source = notHere
	}
	if !lacksSource(plan) {
		t.Errorf("%s is not an address of this machine, and was not missed", notHere)
	}
}
