package history

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"duckload/limiter"
)

// What an answer said is forgotten from a doubt on, whenever the doubt came up:
// in the order of the record and in every agent's own.
func TestDoubtfulAnswersAreNone(t *testing.T) {
	for _, agent := range []string{"", "one"} {
		dir := filepath.Join(t.TempDir(), "record")
		header := Header{Groups: []Group{{}}, Lanes: []Lane{{}, {}}, Phases: []Phase{{}}}
		if agent != "" {
			header.Agents = []Agent{{Name: agent}}
		}
		w, err := Create(dir, header)
		if err != nil {
			t.Fatal(err)
		}
		var want []Observation
		for i := range 10 {
			o := Observation{
				Lane: i % 2, Seq: uint64(i / 2), Sent: time.Duration(i), Answered: time.Duration(i) + 1, Done: time.Duration(i) + 2, Status: 200,
				BytesIn: 2, Evidence: limiter.Fields{{Name: "Retry-After", Value: "3"}},
			}
			if i == 7 {
				o.Answered, o.Status, o.Error, o.Evidence = Never, 0, "timeout", nil
			}
			if err := w.Append(o); err != nil {
				t.Fatal(err)
			}
			if o.Lane == 1 && o.Sent >= 3 && i != 7 {
				o.Answered, o.Status, o.Error, o.Evidence = Never, 0, Doubtful, nil
			}
			want = append(want, o)
		}
		for _, d := range []Doubt{{Lane: 1, From: 5}, {Lane: 1, From: 3}, {Lane: 1, From: 4}, {Lane: 2, From: 0}} { // there is no lane 2
			if err := w.AppendDoubt(d); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // broken off, and ended
			h, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			got, err := h.Collect()
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("agent %q: got %+v, %v, want %+v", agent, got, err, want)
			}
			if h.End == nil {
				if err := w.Close(End{Complete: true}); err != nil {
					t.Fatal(err)
				}
			} else if len(h.Missing) > 0 {
				t.Errorf("got %q missing, want nothing", h.Missing)
			}
		}
	}
}
