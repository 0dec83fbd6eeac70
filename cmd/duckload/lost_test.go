package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/emulator"
	"duckload/fleet"
	"duckload/history"
	"duckload/scenarios"
)

// judged merges what agents recorded, and judges it.
func judged(t *testing.T, dirs []string) (analyze.Findings, *history.History) {
	t.Helper()
	merged := filepath.Join(t.TempDir(), "merged")
	if _, err := fleet.Merge(merged, dirs); err != nil {
		t.Fatal(err)
	}
	h, err := history.Open(merged)
	if err != nil {
		t.Fatal(err)
	}
	f, err := analyze.Judge(h)
	if err != nil {
		t.Fatal(err)
	}
	return f, h
}

// damage spoils an agent's segment as a lost machine, a torn copy, or pieces
// that never came do. It reports false if nothing is left of it.
func damage(t *testing.T, dir string, r *rand.Rand) (left bool) {
	t.Helper()
	path := filepath.Join(dir, "seg-000000.dlh")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := 4 + bytes.Index(text[4:], text[:4]) // its header, without which it is no record
	from := head + r.IntN(len(text)-head)
	to := min(len(text), from+1+r.IntN(3000))
	switch r.IntN(5) {
	case 0:
		return false
	case 1:
		text = text[:from]
	case 2:
		clear(text[from:to])
	case 3:
		text = slices.Delete(text, from, to)
	case 4:
		text[from] ^= 1 << r.IntN(8)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return true
}

// What is lost leaves open what it can have contained, and nothing else: each
// verdict is that of the whole record, or inconclusive, and groups that lost
// nothing keep their verdicts and their numbers.
func TestALossLeavesOpenWhatItContains(t *testing.T) {
	for _, defect := range []string{"", "rate-10%"} {
		config := emulator.SpaceDuck()
		if defect != "" {
			d, err := emulator.DefectNamed(defect)
			if err != nil {
				t.Fatal(err)
			}
			config = d.Apply(config)
		}
		s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true, Agents: 8, Patience: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		dirs := recordedInVirtualTime(t, plan, config, 8, r)
		want, whole := judged(t, dirs)
		if whole.Lost != nil || len(whole.Missing) > 0 {
			t.Fatalf("a whole record has lost something: %q", whole.Missing)
		}
		spared, lost, settled := 0, 0, 0
		for range 8 {
			var some []string
			var hurt []int // groups that the agents whose records are damaged have a part in
			for i, dir := range dirs {
				copied := filepath.Join(t.TempDir(), filepath.Base(dir))
				if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
					t.Fatal(err)
				}
				if r.IntN(5) == 0 {
					hurt = append(hurt, whole.Header.Parts[i].Groups...)
					if !damage(t, copied, r) {
						continue
					}
				}
				some = append(some, copied)
			}
			if len(some) == 0 {
				continue
			}
			got, h := judged(t, some)
			for i, g := range want.Groups {
				lacks := len(h.Missing) > 0 && (h.Lost == nil || h.Lost[i])
				if lacks {
					lost++
				} else {
					spared++
				}
				if lacks && !slices.Contains(hurt, i) {
					t.Errorf("%s: it lost nothing, and is said to: %q", g.Name, h.Missing)
				}
				if x := got.Groups[i]; !lacks && (x.Sent != g.Sent || x.Admitted != g.Admitted || x.Rejected != g.Rejected) {
					t.Errorf("%s: %d sent, %d admitted and %d rejected; the whole record has %d, %d, %d: %q", g.Name, x.Sent, x.Admitted, x.Rejected, g.Sent, g.Admitted, g.Rejected, h.Missing)
				}
				for k, f := range g.Findings {
					x := got.Groups[i].Findings[k]
					switch {
					case x.Check != f.Check:
						t.Fatalf("%s: %s in place of %s", g.Name, x.Check, f.Check)
					case x.Outcome == f.Outcome:
						settled++
					case x.Outcome != analyze.Inconclusive || !lacks:
						t.Errorf("%s: %s: %s (%s), of the whole record: %s (%s)\n%q", g.Name, x.Check, x.Outcome, x.Message, f.Outcome, f.Message, h.Missing)
					case lacks && x.Outcome == analyze.Pass:
						t.Errorf("%s: %s passes on a part of the record: %s", g.Name, x.Check, x.Message)
					}
				}
			}
		}
		t.Logf("%q: %d groups lost something, %d did not; %d verdicts stand", defect, lost, spared, settled)
		if spared == 0 || lost == 0 {
			t.Errorf("%d groups lost something and %d did not: want some of both", lost, spared)
		}
	}
}
