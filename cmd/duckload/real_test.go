package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Limiters that nobody here wrote, run for real on loopback: documented
// truthfully they pass, documented wrongly they fail for the right reason.

// A realCase is what somebody could write about a real limiter.
type realCase struct {
	name     string
	url      string // base URL of the server
	path     string // of the request
	scenario string // a whole file instead of what follows; $URL, $SOURCES and $NAME stand for the case's own

	promise  string        // YAML
	reject   string        // YAML of on_reject
	patience time.Duration // how long the plan should take

	fails []string // what must fail: one of these checks; none: everything passes
	open  bool     // nobody can know, and duckload has to say why
	says  []string // words that the failure, or the open question, must contain
}

func TestRealLimiters(t *testing.T) {
	cases := slices.Concat(
		nginxCases(t),
		nginxExampleCases(t),
		haproxyCases(t),
		throttledCases(t),
		ululeCases(t),
		expressCases(t),
		nginxHeldCases(t),
	)
	// They run side by side, because most of their time is rest; not all at
	// once, because two cores cannot send thirty bursts in the same moment.
	room := make(chan struct{}, 20)
	results := make([]realResult, len(cases))
	var wait sync.WaitGroup
	for i, c := range cases {
		room <- struct{}{}
		wait.Go(func() {
			results[i] = c.untilDecided(t, i, 0, realAttempts)
			<-room
		})
	}
	wait.Wait()
	for i, c := range cases {
		if c.undecided(results[i]) { // once more, when nobody else is sending
			results[i] = c.untilDecided(t, i, realAttempts, realAttempts+lastAttempts)
		}
		t.Run(c.name, func(t *testing.T) { c.judge(t, results[i]) })
	}
}

// A realResult is what duckload had to say about one case.
type realResult struct {
	exit   int
	output string
	took   time.Duration
	checks []realCheck
}

type realCheck struct {
	ID, Outcome, Message string
	Witness              *struct{ Sentence string }
}

// realAttempts is how often a question is asked that noise leaves open. On a
// busy machine answers take so long that they prove little. A promise that is
// kept must not fail even once; one that is broken by 2 % must be found out in
// one of them. (How often a calm run finds it is measured in analyze.)
const (
	realAttempts = 3
	lastAttempts = 2 // beyond those, for a case that is alone on the machine
)

// untilDecided asks in some attempts, as long as the answer is open.
func (c realCase) untilDecided(t *testing.T, number, first, end int) realResult {
	var r realResult
	for attempt := first; attempt < end; attempt++ {
		if r = c.run(t, number, attempt); !c.undecided(r) {
			break
		}
	}
	return r
}

// undecided reports whether noise left a question open.
func (c realCase) undecided(r realResult) bool {
	if len(c.fails) > 0 {
		return !slices.ContainsFunc(r.checks, func(x realCheck) bool { return x.Outcome == "fail" && slices.Contains(c.fails, x.ID) })
	}
	return r.exit == exitInconclusive && !c.open
}

// run is "duckload run" in this process, from source addresses that nothing
// else has, so that cases may share a server.
func (c realCase) run(t *testing.T, number, attempt int) realResult {
	dir := filepath.Join(t.TempDir(), fmt.Sprint(number))
	file := filepath.Join(dir, "scenario.yaml")
	var output bytes.Buffer
	p := unwatched(&output)
	p.patience = c.patience * time.Duration(attempt+1)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return realResult{output: err.Error(), exit: exitBug}
	}
	if err := os.WriteFile(file, []byte(c.text(number, attempt)), 0o644); err != nil {
		return realResult{output: err.Error(), exit: exitBug}
	}
	began := time.Now()
	r := realResult{exit: p.main(t.Context(), []string{"run", "--quiet", "--out", dir, file})}
	r.took, r.output = time.Since(began), output.String()
	r.checks = checksIn(dir)
	return r
}

// text is the scenario of a case.
func (c realCase) text(number, attempt int) string {
	scenario := c.scenario
	if scenario == "" {
		scenario = fmt.Sprintf(`version: 1
name: $NAME
target: $URL
defaults: {on_reject: %s, admitted: [2xx]}
groups:
  api:
    promise: %s
    requests: [GET %s]
    sources: $SOURCES
    fresh: true
`, c.reject, c.promise, c.path)
	}
	return strings.NewReplacer(
		"$NAME", fmt.Sprintf("real-%d", number),
		"$URL", c.url,
		"$SOURCES", fmt.Sprintf("[127.%d.%d.2, 127.%d.%d.3]", attempt, 100+number, attempt, 100+number),
	).Replace(scenario)
}

// checksIn reads the verdict of the only run in a folder.
func checksIn(dir string) []realCheck {
	files, _ := filepath.Glob(filepath.Join(dir, "*", "verdict.json"))
	if len(files) != 1 {
		return nil
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return nil
	}
	var verdict struct {
		Groups []struct{ Checks []realCheck }
	}
	if err := json.Unmarshal(text, &verdict); err != nil || len(verdict.Groups) != 1 {
		return nil
	}
	return verdict.Groups[0].Checks
}

// judge compares what duckload said with what is true.
func (c realCase) judge(t *testing.T, r realResult) {
	t.Logf("%s in %.1f s", c.promise, r.took.Seconds())
	want, outcome := exitPass, ""
	switch {
	case len(c.fails) > 0:
		want, outcome = exitFail, "fail"
	case c.open:
		want, outcome = exitInconclusive, "inconclusive"
	}
	if r.exit != want {
		t.Fatalf("exit status: got %d, want %d:\n%s", r.exit, want, r.output)
	}
	var said []string
	for _, check := range r.checks {
		if check.Outcome != outcome {
			continue
		}
		if check.Witness != nil {
			check.Message += "\n" + check.Witness.Sentence
		} else if outcome == "fail" {
			t.Errorf("%s fails without a witness: %s", check.ID, check.Message)
		}
		if c.open || slices.Contains(c.fails, check.ID) {
			said = append(said, check.Message)
		}
	}
	if len(c.fails) > 0 && len(said) == 0 {
		t.Fatalf("none of %s fails:\n%s", strings.Join(c.fails, ", "), r.output)
	}
	all := strings.Join(said, "\n")
	for _, words := range c.says {
		if !strings.Contains(all, words) {
			t.Errorf("nothing says %q:\n%s", words, all)
		}
	}
}
