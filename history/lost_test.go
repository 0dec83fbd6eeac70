package history

import (
	"os"
	"slices"
	"testing"
	"time"
)

// What is lost is known by group, from the last words of a record, or from the
// part of its agent.
func TestWhatIsLostIsKnownByGroup(t *testing.T) {
	header := Header{
		Run: "r", Groups: []Group{{Name: "a", Counter: "a"}, {Name: "b", Counter: "b"}, {Name: "c", Counter: "c"}},
		Lanes: []Lane{{Group: 0}, {Group: 1}, {Group: 2}}, Phases: []Phase{{}},
		Agents: []Agent{{Name: "A"}}, Roster: []string{"A"}, Parts: []Part{{Agent: "A", Groups: []int{0, 1}}},
	}
	dir := t.TempDir()
	w, err := Create(dir, header)
	if err != nil {
		t.Fatal(err)
	}
	for lane := range 2 { // a frame for each
		for i := range 5 {
			at := time.Duration(lane*5 + i)
			if err := w.Append(Observation{Lane: lane, Seq: uint64(i), Sent: at, Answered: at + 1, Done: at + 2, Status: 200}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(End{Complete: true}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(segmentPath(dir, 0))
	if err != nil {
		t.Fatal(err)
	}
	f := pieces(t, text)
	for name, k := range map[string]struct {
		frames [][]byte
		want   []bool
	}{
		"nothing":                    {f, nil},
		"the first frame":            {[][]byte{f[0], f[2], f[3]}, []bool{true, false, false}},
		"the second frame":           {[][]byte{f[0], f[1], f[3]}, []bool{false, true, false}},
		"a frame that came twice":    {[][]byte{f[0], f[1], f[1], f[2], f[3]}, nil},
		"the end":                    {f[:3], []bool{true, true, false}},
		"noise, and nothing with it": {[][]byte{f[0], f[1], []byte("noise"), f[2], f[3]}, []bool{false, false, false}},
	} {
		h, err := Open(folder(t, k.frames...))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(h.Lost, k.want) || (h.Lost == nil) != (k.want == nil) {
			t.Errorf("%s: lost %v, want %v: %q", name, h.Lost, k.want, h.Missing)
		}
	}
	header.Roster, header.Parts = []string{"A", "B"}, append(header.Parts, Part{Agent: "B", Groups: []int{2}})
	other := t.TempDir()
	if w, err = Create(other, header); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(End{Complete: true}); err != nil {
		t.Fatal(err)
	}
	h, err := Open(other)
	if err != nil || !slices.Equal(h.Lost, []bool{false, false, true}) {
		t.Errorf("an agent without a record: lost %v, %v; want its part, the third group", h.Lost, err)
	}
}
