package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// honestRecord writes what a server answered that was asked five times, in a
// frame each, and returns the bytes. It promises a burst of 3 and rejects the
// third request, so there is a verdict, and it is a failure.
func honestRecord(t *testing.T, dir string, change func(i int, o *history.Observation)) []byte {
	t.Helper()
	header := history.Header{
		Run: "01TEST", Scenario: "s", Target: "http://127.0.0.1", Started: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
		Groups: []history.Group{{Name: "g", Counter: "g", Exclusive: true, Fresh: true, Promise: limiter.Promise{
			Limits:   []limiter.Limit{{Limit: 10, Window: time.Minute, Burst: 3, Scope: limiter.ScopeGlobal, Reading: limiter.TokenBucket}},
			Reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterNone},
			Admitted: []limiter.Statuses{{From: 200, To: 299}},
		}}},
		Lanes: []history.Lane{{}}, Phases: []history.Phase{{Pace: "burst", Label: "burst 5"}},
	}
	w, err := history.Create(filepath.Join(dir, observationsDir), header)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		at := time.Duration(i) * 10 * time.Millisecond
		o := history.Observation{Seq: uint64(i), Intended: at, Sent: at, Answered: at + time.Millisecond, Done: at + time.Millisecond, Status: 200}
		if i >= 2 {
			o.Status = 429
		}
		if change != nil {
			change(i, &o)
		}
		if err := w.Append(o); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(history.End{At: time.Second, Complete: true, Offered: 5}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, observationsDir, "seg-000000.dlh"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// frames cuts a segment where its frames begin.
func frames(t *testing.T, segment []byte) [][]byte {
	t.Helper()
	magic := segment[:4]
	var all [][]byte
	for _, part := range bytes.Split(segment, magic)[1:] {
		all = append(all, append(bytes.Clone(magic), part...))
	}
	if len(all) != 7 { // a header, five observations, an end
		t.Fatalf("got %d frames, want 7", len(all))
	}
	return all
}

// Whatever has become of a record, there is no verdict on wrong data: "duckload
// analyze" says what is wrong with it and ends with 2, or judges what is whole
// and says what is missing, which proves nothing about what was rejected.
func TestNoVerdictOnADamagedRecord(t *testing.T) {
	other := frames(t, honestRecord(t, t.TempDir(), nil))
	for _, c := range []struct {
		name   string
		damage func([][]byte) [][]byte
		status int
		says   string // on either stream
	}{
		{"as it was written", func(f [][]byte) [][]byte { return f }, exitFail, "limit.floor"},
		{"cut off", func(f [][]byte) [][]byte { return append(f[:4], f[4][:len(f[4])/2]) }, exitStopped, "the record breaks off"},
		{"cut off in its header", func(f [][]byte) [][]byte { return [][]byte{f[0][:20]} }, exitUsage, "no readable header"},
		{"a frame lost", func(f [][]byte) [][]byte { return append(f[:2:2], f[3:]...) }, exitStopped, "frame 1 is missing"},
		{"two frames exchanged", func(f [][]byte) [][]byte { f[2], f[3] = f[3], f[2]; return f }, exitStopped, "frame 1 at byte"},
		{"a frame twice", func(f [][]byte) [][]byte { return append(f[:3:3], f[2:]...) }, exitFail, "came again and is left out"},
		{"a frame of another record", func(f [][]byte) [][]byte { return append(f[:3:3], append([][]byte{other[1]}, f[3:]...)...) }, exitStopped, "is of another record and is left out"},
		{"a flipped bit", func(f [][]byte) [][]byte { f[3][len(f[3])-1] ^= 1; return f }, exitStopped, "frame 2"},
		{"another file", func([][]byte) [][]byte { return [][]byte{[]byte("sent,answered,status\n0,1,200\n")} }, exitUsage, "no readable header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			damaged := c.damage(frames(t, honestRecord(t, dir, nil)))
			if err := os.WriteFile(filepath.Join(dir, observationsDir, "seg-000000.dlh"), bytes.Join(damaged, nil), 0o644); err != nil {
				t.Fatal(err)
			}
			analyzed(t, dir, c.status, c.says)
		})
	}
}

// What cannot have happened is no record, however whole its frames are.
func TestNoVerdictOnAnImpossibleRecord(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(i int, o *history.Observation)
		says   string
	}{
		{"answered before it was sent", func(i int, o *history.Observation) {
			if i == 2 {
				o.Answered = o.Sent - 1
			}
		}, "the record is damaged: observation 2 was sent at"},
		{"sent before the run", func(i int, o *history.Observation) {
			if i == 1 {
				o.Sent = -time.Second
			}
		}, "the record is damaged: observation 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			honestRecord(t, dir, c.change)
			analyzed(t, dir, exitUsage, c.says)
		})
	}
}

// Records that do not belong together.
func TestNoVerdictOnRecordsOfTwoRuns(t *testing.T) {
	t.Run("a segment of another record", func(t *testing.T) {
		dir := t.TempDir()
		honestRecord(t, dir, nil)
		foreign := honestRecord(t, t.TempDir(), nil)
		if err := os.WriteFile(filepath.Join(dir, observationsDir, "seg-000001.dlh"), foreign, 0o644); err != nil {
			t.Fatal(err)
		}
		analyzed(t, dir, exitUsage, "keep one record in a folder")
	})
	t.Run("a copy beside the original", func(t *testing.T) {
		dir := t.TempDir()
		b := honestRecord(t, dir, nil)
		copied := filepath.Join(dir, observationsDir, "copy")
		if err := os.MkdirAll(copied, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, "seg-000000.dlh"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		analyzed(t, dir, exitUsage, "is the same record as")
	})
}

// analyzed fails the test unless "duckload analyze" ends with a status and says
// some words.
func analyzed(t *testing.T, dir string, status int, says string) {
	t.Helper()
	var out bytes.Buffer
	p := process{
		stdin: strings.NewReader(""), stdout: &out, stderr: &out,
		lookup: func(string) (string, bool) { return "", false },
		now:    time.Now,
		width:  func() int { return 0 }, columns: func() int { return 0 },
	}
	got := p.main(t.Context(), []string{"analyze", dir})
	if got != status || !strings.Contains(out.String(), says) {
		t.Errorf("got status %d, want %d and %q:\n%s", got, status, says, &out)
	}
	if text := out.String(); status != exitFail && (strings.Contains(text, "PASS") || strings.Contains(text, "FAIL")) {
		t.Errorf("got a verdict, want none:\n%s", text)
	}
}
