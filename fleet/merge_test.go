package fleet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A crew writes records of one run into dir/NAME.
func crew(t *testing.T, dir, run string, names ...string) (dirs []string) {
	t.Helper()
	for i, name := range names {
		at := filepath.Join(dir, name)
		h := history.Header{
			Run: run, Started: time.Unix(100, 0), Agents: []history.Agent{{Name: name}}, Roster: names, Planned: 60,
			Groups: []history.Group{{Name: "g", Counter: "g", Promise: limiter.Promise{Limits: []limiter.Limit{{Limit: 1, Window: time.Second, Burst: 1, Reading: limiter.TokenBucket}}}}},
			Lanes:  []history.Lane{{}, {Identity: "b"}}, Phases: []history.Phase{{Pace: "hold"}},
		}
		w, err := history.Create(at, h)
		if err != nil {
			t.Fatal(err)
		}
		for k := range 60 {
			sent := time.Duration(k)*time.Second + time.Duration(i)*time.Millisecond
			o := history.Observation{Lane: k % 2, Seq: uint64(k), Sent: sent, Answered: sent + 1, Done: sent + 2, Status: 200}
			if err := w.Append(o); err != nil {
				t.Fatal(err)
			}
			if k%5 == 4 { // twelve frames
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(history.End{At: time.Minute, Complete: true, Offered: 60}); err != nil {
			t.Fatal(err)
		}
		var clock bytes.Buffer
		for at := -time.Second; at < 2*time.Minute; at += time.Second {
			_ = history.AppendProbe(&clock, history.Probe{Sent: at, Theirs: at + time.Millisecond, Received: at + 2*time.Millisecond})
		}
		if err := os.WriteFile(filepath.Join(at, history.ClockFile), clock.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, at)
	}
	return dirs
}

// merged merges and reads what came of it.
func merged(t *testing.T, dirs ...string) (*history.History, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if notes, err := Merge(out, dirs); err != nil || len(notes) > 0 {
		t.Fatalf("%v %q", err, notes)
	}
	h, err := history.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := h.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h, digest
}

func observed(t *testing.T, h *history.History) int {
	all, err := h.Collect()
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestTheDigestDoesNotDependOnTheWay(t *testing.T) {
	dir := t.TempDir()
	dirs := crew(t, dir, "r", "a", "b", "c")
	whole, want := merged(t, dirs...)
	if n := observed(t, whole); n != 180 || len(whole.Missing) > 0 || whole.End == nil || !whole.End.Complete || whole.End.Offered != 180 {
		t.Fatalf("got %d observations, missing %q, end %+v", n, whole.Missing, whole.End)
	}
	for _, ways := range [][]string{{dirs[2], dirs[0], dirs[1]}, {dir}, {dir, dirs[1]}, {dirs[0], dir, dirs[0]}} {
		if h, got := merged(t, ways...); got != want || observed(t, h) != 180 {
			t.Errorf("%q: got digest %s of %d, want %s", ways, got, observed(t, h), want)
		}
	}
	// What was merged can be merged again.
	again := filepath.Join(t.TempDir(), "again")
	if _, err := Merge(again, []string{dir}); err != nil {
		t.Fatal(err)
	}
	if _, got := merged(t, again); got != want {
		t.Errorf("merged twice: got %s, want %s", got, want)
	}
}

// Every frame that is whole somewhere counts: copies that were damaged at
// random places make the whole together, or what is missing is said.
func TestDamagedCopiesMakeTheWholeTogether(t *testing.T) {
	dir := t.TempDir()
	dirs := crew(t, dir, "r", "a", "b")
	_, want := merged(t, dirs...)
	r := rand.New(rand.NewPCG(1, 2))
	mended, lost := 0, 0
	for range 60 {
		copies := slices.Clone(dirs[:1])
		for i := range 1 + r.IntN(3) {
			copies = append(copies, damagedCopy(t, r, dirs[1], i))
		}
		r.Shuffle(len(copies), func(i, k int) { copies[i], copies[k] = copies[k], copies[i] })
		out := filepath.Join(t.TempDir(), "out")
		if _, err := Merge(out, copies); err != nil {
			t.Fatal(err)
		}
		h, err := history.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := h.Digest()
		if err != nil {
			t.Fatal(err)
		}
		switch n := observed(t, h); {
		case digest == want && n == 120:
			mended++
		case len(h.Missing) > 0 && n < 120:
			lost++
		default:
			t.Fatalf("%d of 120 observations, digest %s (want %s), missing %q", n, digest, want, h.Missing)
		}
	}
	if mended == 0 || lost == 0 {
		t.Errorf("%d mended, %d with losses: the test shows nothing", mended, lost)
	}
	t.Logf("%d mended, %d with losses that are said", mended, lost)
}

// damagedCopy copies a record and tears, flips or blanks a part of it.
func damagedCopy(t *testing.T, r *rand.Rand, from string, i int) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), fmt.Sprint("copy", i))
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(to, "seg-000000.dlh")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 900 // whose record it is must be readable
	at := header + r.IntN(len(b)-header)
	switch r.IntN(3) {
	case 0:
		b = b[:at]
	case 1:
		b[at] ^= 0x40
	default:
		clear(b[at:min(len(b), at+300)])
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestAnAgentWithoutARecordIsMissed(t *testing.T) {
	dirs := crew(t, t.TempDir(), "r", "a", "b", "c")
	h, _ := merged(t, dirs[0], dirs[2])
	if h.End != nil || !slices.ContainsFunc(h.Missing, func(m string) bool { return strings.HasPrefix(m, "b: no record") }) {
		t.Errorf("got end %+v, missing %q", h.End, h.Missing)
	}
}

func TestWhatCannotBeOneRunIsRefused(t *testing.T) {
	dir := t.TempDir()
	one := crew(t, filepath.Join(dir, "1"), "r1", "a", "b")
	two := crew(t, filepath.Join(dir, "2"), "r2", "a", "b")
	again := crew(t, filepath.Join(dir, "3"), "r1", "a", "b")
	alone := filepath.Join(dir, "alone")
	if w, err := history.Create(alone, history.Header{Run: "r1"}); err != nil || w.Close(history.End{}) != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	w, err := history.Create(other, history.Header{Run: "r1", Started: time.Unix(100, 0), Agents: []history.Agent{{Name: "c"}}})
	if err != nil || w.Close(history.End{}) != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		dirs []string
		want string
	}{
		{[]string{one[0], two[1]}, `of run "r2", beside one of run "r1"`},
		{[]string{one[0], again[0]}, "another record of agent a"},
		{[]string{one[0], alone}, "there is nothing to merge it with"},
		{[]string{one[0], other}, "the agents did not have the same plan"},
		{[]string{t.TempDir()}, "no agent's record in"},
		{[]string{filepath.Join(dir, "nowhere")}, "no such file"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		if _, err := Merge(out, k.dirs); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%q: got %v, want %q", k.dirs, err, k.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: something was written", k.dirs)
		}
	}
}

// A record may say that its agent is called anything.
func TestNoNameOfAnAgentLeadsOut(t *testing.T) {
	for _, name := range []string{"..", ".", "../x", "a/../../x", "/tmp/x", `..\x`, `C:\x`, "C:x", "a\x00b", "a b", "\x1b[2J", strings.Repeat("a", 65)} {
		above := t.TempDir()
		dir := crew(t, filepath.Join(above, "in"), "r", "A")[0]
		rename(t, dir, name)
		out := filepath.Join(above, "out")
		if _, err := Merge(out, []string{dir}); err == nil || !strings.Contains(err.Error(), "cannot be the name of an agent") {
			t.Errorf("agent %q: got %v, want that it cannot be a name", name, err)
		}
		if left, _ := os.ReadDir(above); len(left) != 1 {
			t.Errorf("agent %q: got %v beside what was merged, want nothing written", name, left)
		}
	}
}

// rename writes the record in a folder again, as that of another agent.
func rename(t *testing.T, dir, name string) {
	t.Helper()
	h, err := history.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := h.Collect()
	if err != nil {
		t.Fatal(err)
	}
	h.Header.Agents, h.Header.Roster = []history.Agent{{Name: name}}, []string{name}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	w, err := history.Create(dir, h.Header)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if err := w.Append(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(*h.End); err != nil {
		t.Fatal(err)
	}
}
