package history

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"duckload/limiter"
)

// FuzzReadRecord opens whatever bytes stand in a segment. What it yields must
// stay within the header's lanes and phases, or a consumer would fall over.
func FuzzReadRecord(f *testing.F) {
	b, _ := small(f)
	frames := pieces(f, b)
	f.Add(b)
	f.Add(b[:len(b)-7])
	f.Add(join(frames[0], frames[2], frames[1], frames[1], frames[5]))
	f.Add(join(frames[0], []byte(magic), frames[3]))
	f.Add(bytes.Repeat([]byte(magic), 40))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(segmentPath(dir, 0), b, 0o644); err != nil {
			t.Fatal(err)
		}
		h, err := Open(dir)
		if err != nil {
			return
		}
		first, broken := count(t, h)
		if again, brokenAgain := count(t, h); first != again || broken != brokenAgain {
			t.Errorf("read twice: got %d observations and then %d", first, again)
		}
	})
}

func count(t *testing.T, h *History) (n int, broken bool) {
	for o, err := range h.All() {
		if err != nil {
			return n, true
		}
		_ = h.Header.Groups[h.Header.Phases[o.Phase].Group]
		h.Outcome(o)
		n++
	}
	return n, false
}

// FuzzReadColumns decodes a payload that is right as far as checksums go. What
// can be decoded at all must come back the same when it is written again.
func FuzzReadColumns(f *testing.F) {
	b, all := small(f)
	f.Add(uint32(5), unpack(f, pieces(f, b)[1]))
	odd := newBlock(3, 2)
	for _, o := range []Observation{{}, {Answered: Never, Resent: true, Error: "reset"}, {Seq: 7, Look: limiter.LookAgain, Of: 3}, all[0], all[0]} {
		odd.add(&o)
	}
	f.Add(uint32(odd.count), odd.appendTo(nil))
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		f.Fatal(err)
	}
	d, err := newDecoder(Version, 3, 2)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, n uint32, raw []byte) {
		if n > mostCount || len(raw) > mostRaw {
			return
		}
		got, err := d.decode(head{count: n, raw: uint32(len(raw))}, z.EncodeAll(raw, nil))
		if err != nil {
			return
		}
		got = slices.Clone(got)
		again := newBlock(3, 2)
		for _, o := range got {
			if err := again.check(&o); err != nil {
				t.Fatalf("decoded %+v, which nobody could have written: %v", o, err)
			}
			again.add(&o)
		}
		packed := again.appendTo(nil)
		back, err := d.decode(head{count: n, raw: uint32(len(packed))}, z.EncodeAll(packed, nil))
		if err != nil {
			t.Fatal(err)
		}
		same(t, back, got)
	})
}

// FuzzReadHead takes the bytes before a payload. A head that is accepted is
// one that this package writes, to the last byte.
func FuzzReadHead(f *testing.F) {
	b, _ := small(f)
	for _, p := range pieces(f, b) {
		f.Add(p[:headSize])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parseHead(b)
		if !ok {
			return
		}
		if got := h.append(nil); !bytes.Equal(got, b[:headSize]) {
			t.Errorf("got %x back, want %x", got, b[:headSize])
		}
	})
}

// FuzzReadHeader takes a header whose checksums are right. One that is
// accepted leads everywhere it points.
func FuzzReadHeader(f *testing.F) {
	b, _ := small(f)
	f.Add(pieces(f, b)[0][headSize:])
	f.Add([]byte(`{"header":{"version":1,"groups":[{}],"lanes":[{"group":0}],"phases":null}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeader(b)
		if err != nil {
			return
		}
		for _, l := range h.Lanes {
			_ = h.Groups[l.Group]
		}
		for _, p := range h.Phases {
			_ = h.Groups[p.Group]
		}
		if h.Version < 1 || h.Version > Version {
			t.Errorf("got version %d, want 1 to %d", h.Version, Version)
		}
	})
}
