package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"duckload/history"
)

// What is written while a run goes on is what its record gives later.
func TestLiveEventsAreThoseOfTheRecord(t *testing.T) {
	r := failing()
	var live bytes.Buffer
	e := NewEvents(&live, r.Header)
	for o := range r.Observations {
		if err := e.Observed(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Judged(r.Findings); err != nil {
		t.Fatal(err)
	}
	if later := written(t, func(w io.Writer) error { return writeEvents(w, r) }); !bytes.Equal(live.Bytes(), later) {
		t.Errorf("live\n%s\nlater\n%s", live.Bytes(), later)
	}
}

// The last event says that nothing comes after it.
func TestEventsBeginWithTheRunAndEndWithTheVerdict(t *testing.T) {
	for _, s := range samples {
		var kinds []string
		lines := bufio.NewScanner(bytes.NewReader(written(t, func(w io.Writer) error { return writeEvents(w, s.report()) })))
		for lines.Scan() {
			var line struct{ Event string }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, line.Event)
		}
		if kinds[0] != "run" || kinds[len(kinds)-1] != "verdict" {
			t.Errorf("%s: got %q first and %q last, want run and verdict", s.name, kinds[0], kinds[len(kinds)-1])
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestEventsSayWhenTheDiskIsFull(t *testing.T) {
	if err := writeEvents(fullDisk{}, failing()); err == nil {
		t.Error("got no error")
	}
	r := failing()
	r.Observations = func(yield func(history.Observation, error) bool) {
		yield(history.Observation{}, errors.New("a frame is damaged"))
	}
	if err := writeEvents(io.Discard, r); err == nil {
		t.Error("a record that cannot be read: got no error")
	}
}

// What an event costs: a run that asks for events pays it for each request.
func BenchmarkEvents(b *testing.B) {
	r := failing()
	var all []history.Observation
	for o := range r.Observations {
		all = append(all, o)
	}
	e := NewEvents(io.Discard, r.Header)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := e.Observed(all[i%len(all)]); err != nil {
			b.Fatal(err)
		}
	}
}
