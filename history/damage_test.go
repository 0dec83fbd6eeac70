package history

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// isPart fails unless got is what is left of want after leaving some out.
func isPart(t testing.TB, got, want []Observation) {
	t.Helper()
	i := 0
	for at, o := range got {
		for i < len(want) && !reflect.DeepEqual(o, want[i]) {
			i++
		}
		if i == len(want) {
			t.Fatalf("observation %d of what was read: got %+v, which was never written there", at, o)
		}
		i++
	}
}

// small is a record of four frames of five observations, and an end, as bytes
// and as what was written.
func small(t testing.TB) ([]byte, []Observation) {
	all := realistic(20)
	dir := record(t, all, &End{Complete: true}, every(5))
	b, err := os.ReadFile(segmentPath(dir, 0))
	if err != nil {
		t.Fatal(err)
	}
	return b, all
}

// pieces cuts a segment into its frames; the first is the header.
func pieces(t testing.TB, segment []byte) [][]byte {
	s := scanner{file: bytes.NewReader(segment), size: int64(len(segment))}
	var cut [][]byte
	for s.at < s.size {
		p, err := s.next()
		if err != nil || p.state != whole {
			t.Fatalf("frame at %d: %v, state %d", p.from, err, p.state)
		}
		cut = append(cut, segment[p.from:p.to])
	}
	return cut
}

func folder(t testing.TB, segments ...[]byte) string {
	dir := t.TempDir()
	for i, b := range segments {
		if err := os.WriteFile(segmentPath(dir, i), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func TestEveryTruncationKeepsTheFramesBeforeIt(t *testing.T) {
	b, all := small(t)
	frames := pieces(t, b)
	dir := folder(t, b)
	for size := len(b) - 1; size >= 0; size-- {
		if err := os.Truncate(segmentPath(dir, 0), int64(size)); err != nil {
			t.Fatal(err)
		}
		if size < len(frames[0]) {
			if _, err := Open(dir); err == nil {
				t.Fatalf("%d bytes, less than a header: no error", size)
			}
			continue
		}
		kept, at := 0, len(frames[0])
		for _, f := range frames[1:] {
			if at += len(f); at <= size {
				kept += 5
			}
		}
		h := open(t, dir)
		same(t, read(t, h), all[:kept])
		if h.End != nil || len(h.Missing) == 0 {
			t.Fatalf("%d bytes: got end %v and missing %q, want no end and a reason", size, h.End, h.Missing)
		}
	}
}

func TestATornFrameSaysWhatIsLost(t *testing.T) {
	b, _ := small(t)
	frames := pieces(t, b)
	at := len(frames[0]) + len(frames[1])
	for _, more := range []int{1, 30, headSize, headSize + 20} {
		h := open(t, folder(t, b[:at+more]))
		want := fmt.Sprintf("segment 0: torn frame at byte %d: 1 frame lost at most", at)
		if len(h.Missing) != 2 || h.Missing[0] != want {
			t.Errorf("%d bytes of a frame: got %q, want %q first", more, h.Missing, want)
		}
	}
}

func TestNoFlippedBitGoesUnnoticed(t *testing.T) {
	b, all := small(t)
	dir := folder(t, b)
	header := len(pieces(t, b)[0])
	for i := range b {
		broken := slices.Clone(b)
		broken[i] ^= 1 << (i % 8)
		if err := os.WriteFile(segmentPath(dir, 0), broken, 0o644); err != nil {
			t.Fatal(err)
		}
		h, err := Open(dir)
		if err != nil {
			if i >= header {
				t.Fatalf("byte %d: %v; the header is whole, so want what is left", i, err)
			}
			continue
		}
		if i < header {
			t.Fatalf("byte %d of the only header: no error", i)
		}
		if len(h.Missing) == 0 {
			t.Fatalf("byte %d: nothing missing", i)
		}
		got := read(t, h)
		isPart(t, got, all)
		if len(got) < len(all)-5 {
			t.Fatalf("byte %d: %d observations left, want at least %d: one frame is lost at most", i, len(got), len(all)-5)
		}
	}
}

func TestFramesInTheWrongPlaceAreNotBelieved(t *testing.T) {
	b, all := small(t)
	f := pieces(t, b) // header, four frames, end
	other, _ := small(t)
	foreign := pieces(t, other)
	fives := func(which ...int) []Observation {
		var some []Observation
		for _, i := range which {
			some = append(some, all[5*i:5*i+5]...)
		}
		return some
	}
	cases := []struct {
		name    string
		bytes   []byte
		want    []Observation
		missing string // in one of Missing; empty: nothing is
		note    string
	}{
		{"as written", b, all, "", ""},
		{"a frame twice", join(f[0], f[1], f[2], f[2], f[3], f[4], f[5]), all, "", "segment 0: frame 1 came again and is left out"},
		{"a frame again later", join(f[0], f[1], f[2], f[3], f[4], f[1], f[5]), all, "", "segment 0: frame 0 came again and is left out"},
		{"everything twice", join(b, b), all, "", "frame 4 came again"},
		{"a frame lost", join(f[0], f[1], f[3], f[4], f[5]), fives(0, 2, 3), "segment 0: frame 1 is missing", ""},
		{"frames lost", join(f[0], f[1], f[4], f[5]), fives(0, 3), "frames 1 to 2 are missing", ""},
		{"the last frame lost", join(f[0], f[1], f[2], f[3], f[5]), fives(0, 1, 2), "frame 3 is missing", ""},
		{"two frames exchanged", join(f[0], f[2], f[1], f[3], f[4], f[5]), fives(1, 2, 3), "frame 0 at byte", ""},
		{"a frame behind the end", join(f[0], f[1], f[2], f[3], f[5], f[4]), fives(0, 1, 2), "frame 3 at byte", ""},
		{"a frame of another record", join(f[0], f[1], foreign[2], f[2], f[3], f[4], f[5]), all, "is of another record and is left out", ""},
		{"rubbish between frames", join(f[0], f[1], []byte("\xd1DLHrubbish"), f[2], f[3], f[4], f[5]), all, "cannot be read", ""},
		{"rubbish in front", join([]byte("rubbish"), b), all, "segment 0: bytes 0 to 7 cannot be read", ""},
		{"rubbish behind", join(b, bytes.Repeat([]byte{0}, 100)), all, "cannot be read", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, folder(t, c.bytes))
			same(t, read(t, h), c.want)
			if got := strings.Join(h.Missing, "\n"); !strings.Contains(got, c.missing) || (c.missing == "") != (got == "") {
				t.Errorf("missing: got %q, want %q", got, c.missing)
			}
			if got := strings.Join(h.Notes, "\n"); !strings.Contains(got, c.note) || (c.note == "") != (got == "") {
				t.Errorf("notes: got %q, want %q", got, c.note)
			}
		})
	}
}

func TestTheSameNumberWithOtherContentIsMissing(t *testing.T) {
	b, all := small(t)
	f := pieces(t, b)
	h, _ := parseHead(f[2])
	h.number = 0
	forged := appendFrame(nil, h, f[2][headSize:])
	got := open(t, folder(t, join(f[0], f[1], forged, f[2], f[3], f[4], f[5])))
	same(t, read(t, got), all)
	if want := "segment 0: frame 0 came again with other content: the first is kept"; !slices.Contains(got.Missing, want) {
		t.Errorf("got missing %q, want %q", got.Missing, want)
	}
}

func TestAHeaderOfAnotherSegmentStandsIn(t *testing.T) {
	b, all := small(t)
	f := pieces(t, b)
	h, _ := parseHead(f[0])
	h.number = 2
	second := join(appendFrame(nil, h, f[0][headSize:]), f[3], f[4], f[5])
	first := join(f[0], f[1], f[2])
	first[headSize+10] ^= 1
	got := open(t, folder(t, first, second))
	same(t, read(t, got), all)
	if len(got.Missing) != 0 || len(got.Notes) != 1 || got.End == nil {
		t.Errorf("got missing %q, notes %q, end %v, want one note", got.Missing, got.Notes, got.End)
	}
}

func TestSegmentsOfTwoRecordsAreRefused(t *testing.T) {
	a, _ := small(t)
	b, _ := small(t)
	_, err := Open(folder(t, a, b))
	contains(t, err, "keep one record in a folder")
}

func TestWhatIsNoRecordIsSaid(t *testing.T) {
	empty := t.TempDir()
	_, err := Open(empty)
	contains(t, err, "no record here: it should hold seg-000000.dlh")
	_, err = Open(filepath.Join(empty, "nowhere"))
	contains(t, err, "nowhere")
	_, err = Open(folder(t, []byte("hello")))
	contains(t, err, "no readable header")
	_, err = Open(folder(t, nil))
	contains(t, err, "no readable header")
}

func TestAnotherVersionIsNamed(t *testing.T) {
	b, _ := small(t)
	payload := bytes.Replace(pieces(t, b)[0][headSize:], []byte(`"version":2`), []byte(`"version":7`), 1)
	_, err := Open(folder(t, appendFrame(nil, head{kind: kindHeader}, payload)))
	contains(t, err, `record version 7; this duckload reads versions 1 to 2: use the one that wrote it ("test")`)
}

func TestAHeaderThatLeadsNowhereIsRefused(t *testing.T) {
	for _, header := range []string{
		`{"header":{"version":1,"lanes":[{"group":0}]}}`,
		`{"header":{"version":1,"phases":[{"group":-1}]}}`,
		`{"header":{"version":1,"lanes":3}}`,
		`rubbish`,
	} {
		_, err := Open(folder(t, appendFrame(nil, head{kind: kindHeader}, []byte(header))))
		contains(t, err, "header: ")
	}
}

// A frame with right checksums and senseless content is a mistake of its
// writer. Nothing of it may be believed.
func TestAFrameThatContradictsItselfIsAnError(t *testing.T) {
	b, all := small(t)
	f := pieces(t, b)
	h, _ := parseHead(f[2])
	raw := unpack(t, f[2])
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		count uint32
		raw   []byte
		want  string
	}{
		"one observation more":    {h.count + 1, raw, "do not fit together"},
		"one observation less":    {h.count - 1, raw, "do not fit together"},
		"a byte too many":         {h.count, append(slices.Clone(raw), 0), "do not fit together"},
		"nothing":                 {h.count, nil, "do not fit together"},
		"a column without end":    {h.count, append([]byte{0xff, 0xff, 0xff, 0x7f}, raw[1:]...), "do not fit together"},
		"a length of ten bytes":   {h.count, bytes.Repeat([]byte{0xff}, 200), "do not fit together"},
		"lanes that do not exist": {h.count, lanesTo(raw, 9), "do not fit together"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h.count, h.raw = c.count, uint32(len(c.raw))
			bad := appendFrame(nil, h, z.EncodeAll(c.raw, nil))
			got := open(t, folder(t, join(f[0], f[1], bad, f[3])))
			n := 0
			var stopped error
			for o, err := range got.All() {
				if err != nil {
					stopped = err
					break
				}
				if !reflect.DeepEqual(o, all[n]) {
					t.Fatalf("observation %d: got %+v, want %+v", n, o, all[n])
				}
				n++
			}
			if n != 5 {
				t.Errorf("got %d observations, want the 5 before the bad frame", n)
			}
			contains(t, stopped, "segment 0: frame 1 at byte")
			contains(t, stopped, c.want)
		})
	}
}

func unpack(t testing.TB, frame []byte) []byte {
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	raw, err := z.DecodeAll(frame[headSize:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// lanesTo overwrites the column of lanes.
func lanesTo(raw []byte, lane byte) []byte {
	raw = slices.Clone(raw)
	cols, _ := split(raw, columns)
	for i := range cols[colLane].b {
		cols[colLane].b[i] = lane
	}
	return raw
}

// Each of these announces far more than it holds.
func TestAnnouncedSizesAreNotBelieved(t *testing.T) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := z.EncodeAll(make([]byte, 512<<20), nil)
	b, _ := small(t)
	f := pieces(t, b)
	h, _ := parseHead(f[1])
	for name, frame := range map[string][]byte{
		"a bomb in a small frame": appendFrame(nil, h, bomb),
		"a bomb in a large frame": appendFrame(nil, head{kind: kindObservations, record: h.record, count: mostCount, raw: mostRaw}, bomb),
		"a frame beyond limits":   appendFrame(nil, head{kind: kindObservations, record: h.record, count: 1 << 31, raw: 1 << 31}, nil),
		"a number beyond limits":  appendFrame(nil, head{kind: kindObservations, record: h.record, number: 1<<64 - 1}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, join(f[0], frame))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			h := open(t, dir)
			n := 0
			var stopped error
			for _, err := range h.All() {
				if err != nil {
					stopped = err
					break
				}
				n++
			}
			runtime.ReadMemStats(&after)
			if n != 0 || (stopped == nil && len(h.Missing) < 2) {
				t.Errorf("got %d observations, %v, missing %q; want none and a reason", n, stopped, h.Missing)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 3*mostRaw {
				t.Errorf("allocated %d bytes, want at most %d", got, 3*mostRaw)
			}
		})
	}
}

func TestABrokenRecordDoesNotTalkForEver(t *testing.T) {
	b, _ := small(t)
	f := pieces(t, b)
	h, _ := parseHead(f[1])
	many := f[0]
	for i := range 1000 {
		h.number = uint64(2 * i)
		many = appendFrame(many, h, f[1][headSize:])
	}
	got := open(t, folder(t, many))
	if len(got.Missing) > mostRemarks+1 || !strings.Contains(got.Missing[len(got.Missing)-1], "more like these") {
		t.Errorf("got %d sentences, the last %q; want at most %d", len(got.Missing), got.Missing[len(got.Missing)-1], mostRemarks+1)
	}
}

// Frames are cut, flipped, repeated, moved, swapped for those of another
// record. What is read then was written, in that order; and whatever is not
// read is announced.
func TestWhateverHappensToARecordIsAnnounced(t *testing.T) {
	b, all := small(t)
	other, _ := small(t)
	foreign := pieces(t, other)
	dir := folder(t, b)
	rapid.Check(t, func(r *rapid.T) {
		f := pieces(t, b)
		for range rapid.IntRange(1, 5).Draw(r, "mishaps") {
			i := rapid.IntRange(0, len(f)-1).Draw(r, "frame")
			j := rapid.IntRange(0, len(f)).Draw(r, "place")
			switch rapid.SampledFrom([]string{"cut", "flip", "repeat", "move", "lose", "foreign"}).Draw(r, "mishap") {
			case "cut":
				f[i] = f[i][:rapid.IntRange(0, len(f[i])).Draw(r, "length")]
			case "flip":
				if len(f[i]) > 0 {
					f[i] = slices.Clone(f[i])
					f[i][rapid.IntRange(0, len(f[i])-1).Draw(r, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
				}
			case "repeat":
				f = slices.Insert(f, j, f[i])
			case "move":
				frame := f[i]
				f = slices.Insert(slices.Delete(f, i, i+1), min(j, len(f)-1), frame)
			case "lose":
				f[i] = nil
			case "foreign":
				f = slices.Insert(f, j, foreign[rapid.IntRange(0, len(foreign)-1).Draw(r, "foreign frame")])
			}
		}
		if err := os.WriteFile(segmentPath(dir, 0), join(f...), 0o644); err != nil {
			r.Fatal(err)
		}
		h, err := Open(dir)
		if err != nil {
			return // said clearly
		}
		var got []Observation
		for o, err := range h.All() {
			if err != nil {
				r.Fatal(err)
			}
			got = append(got, o)
		}
		isPart(t, got, all)
		if len(h.Missing) == 0 && (len(got) != len(all) || h.End == nil) {
			r.Fatalf("got %d of %d observations, end %v, and nothing missing", len(got), len(all), h.End)
		}
	})
}
