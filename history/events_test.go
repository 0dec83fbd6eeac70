package history

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What was delivered comes back in the order of its arrival, whole or not.
func TestDeliveriesAreOnRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "record")
	w, err := Create(dir, Header{Groups: []Group{{}}, Lanes: []Lane{{}}, Phases: []Phase{{}}})
	if err != nil {
		t.Fatal(err)
	}
	var want []Event
	for i := range 2*frameEvents + 3 {
		e := Event{At: time.Duration(i), Kind: "made", ID: "é", Seq: uint64(i), Matched: i%2 == 0, Answered: 200}
		want = append(want, e)
		if err := w.AppendEvent(e); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if err := w.Append(Observation{Seq: uint64(i), Answered: Never}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.AppendEvent(Event{Lane: 5, Matched: true}); err != nil {
		t.Fatal(err)
	}
	want = append(want, Event{Lane: 5}) // there is no such lane
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // broken off, and ended
		h, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(h.Events, want) {
			t.Errorf("got %d deliveries, want the %d that were written", len(h.Events), len(want))
		}
		if all, err := h.Collect(); err != nil || len(all) != 5 {
			t.Errorf("got %d observations, %v, want 5", len(all), err)
		}
		if h.End == nil {
			if err := w.Close(End{Complete: true, Listened: time.Second}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
