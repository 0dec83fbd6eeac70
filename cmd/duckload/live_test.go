package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duckload/emulator"
)

// endless is a scenario that nobody waits for.
const endless = `
version: 1
target: http://127.0.0.1:1
groups:
  status: {promise: {limit: 60/2s, burst: 120}, requests: [GET /beak/system/status], pacing: [{hold: 20/s, for: 10m}]}
`

// Events can be followed while the run goes on. An interrupted one ends with
// its verdict like any other.
func TestEventsComeWhileTheRunGoesOn(t *testing.T) {
	served, err := start(t.Context(), emulator.SpaceDuck().Scaled(2*time.Second), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer served.close()
	dir := t.TempDir()
	file, events := filepath.Join(dir, "endless.yaml"), filepath.Join(dir, "events.ndjson")
	if err := os.WriteFile(file, []byte(endless), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var out bytes.Buffer
	p := process{
		stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now,
		lookup: func(string) (string, bool) { return "", false },
		width:  func() int { return 0 }, columns: func() int { return 0 },
	}
	exit := make(chan int)
	go func() {
		exit <- p.main(ctx, []string{"run", file, "--target", served.url, "--out", filepath.Join(dir, "out"), "--quiet", "--format", "ndjson=" + events})
	}()
	for n := 0; ; n++ {
		text, err := os.ReadFile(events)
		if err == nil && bytes.Count(text, []byte(`"event":"request"`)) >= 10 {
			if bytes.Contains(text, []byte(`"event":"verdict"`)) {
				t.Error("there is a verdict, and the run goes on")
			}
			break
		}
		if n > 1200 {
			t.Fatalf("no events came: %v\n%s", err, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
	cancel(failure{status: exitInterrupted, err: errors.New("interrupted")})
	if got := <-exit; got != exitInterrupted {
		t.Errorf("exit status %d, want %d:\n%s", got, exitInterrupted, out.String())
	}
	lines := bytes.Split(bytes.TrimSpace(read(t, events)), []byte("\n"))
	if last := lines[len(lines)-1]; !bytes.Contains(last, []byte(`"event":"verdict"`)) || !bytes.Contains(last, []byte(`"reason":"interrupted"`)) {
		t.Errorf("the last event is %s, want the verdict of an interrupted run", last)
	}
}
