package history

import (
	"os"
	"path/filepath"
	"testing"
)

// Whoever copies a record while it is written gets whole frames, and in the end
// all of them.
func TestWholeFramesAreToldFromOnesOnTheirWay(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, Header{Run: "r", Groups: []Group{{Name: "g"}}, Lanes: []Lane{{}}, Phases: []Phase{{}}})
	if err != nil {
		t.Fatal(err)
	}
	ended := func(want bool) {
		t.Helper()
		if got, err := Ended(dir); got != want || err != nil {
			t.Errorf("ended %v, %v; want %v", got, err, want)
		}
	}
	ended(false)
	var ends []int64 // of frames
	for i := range 3 {
		if err := w.Append(Observation{Seq: uint64(i), Answered: 1, Done: 1}); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(segmentPath(dir, 0))
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	if err := w.Close(End{Complete: true}); err != nil {
		t.Fatal(err)
	}
	ended(true)
	text, err := os.ReadFile(segmentPath(dir, 0))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "seg-000000.dlh")
	for size := range len(text) + 1 {
		if err := os.WriteFile(path, text[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Whole(f, ends[0])
		f.Close()
		want := ends[0]
		for _, end := range append(ends, int64(len(text))) {
			if int64(size) >= end {
				want = max(want, end)
			}
		}
		if got != want || err != nil {
			t.Fatalf("of %d bytes: whole to %d, %v; want %d", size, got, err, want)
		}
	}
	if !SegmentFile("seg-000000.dlh") || SegmentFile("seg.dlh") || SegmentFile("done.json") {
		t.Error("segments are not told from other files")
	}
}
