package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duckload/emulator"
)

// Two connections to a target that takes 100 ms are 20 requests a second,
// whatever the plan says: the terminal and the page say what was offered and
// what left.
func TestSaturationIsToldAtTheTerminalAndOnThePage(t *testing.T) {
	t.Parallel() // it waits more than it works
	config := emulator.SpaceDuck()
	config.Service = 100 * time.Millisecond
	served, err := start(t.Context(), config, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(served.close)
	dir := t.TempDir()
	file := filepath.Join(dir, "slow.yaml")
	text := `version: 1
name: slow
target: ` + served.url + `
groups:
  metrics:
    promise: {limit: 100/min, burst: 200}
    requests: [GET /beak/metrics]
    connections: 2
    pacing: [{hold: 60/s, for: 1s}]
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	p := unwatched(&output)
	p.main(t.Context(), []string{"run", "--quiet", "--out", dir, file})
	if all := output.String(); !strings.Contains(all, "metrics: hold 60/s offered 60 requests a second and ") || !strings.Contains(all, "had to wait") {
		t.Errorf("got\n%s\nwant what was offered and what left", all)
	}
	pages, _ := filepath.Glob(filepath.Join(dir, "*", "report.html"))
	if len(pages) != 1 {
		t.Fatalf("got the pages %q, want one", pages)
	}
	page, err := os.ReadFile(pages[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"offered against achieved", "saturated: metrics: hold 60/s offered 60/s, achieved "} {
		if !strings.Contains(string(page), words) {
			t.Errorf("the page does not say %q", words)
		}
	}
}
