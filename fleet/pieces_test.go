package fleet

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Pieces of two agents' files may come twice, in any order, and overlap as
// those of an agent that was started again do: the copies are the same.
func TestPiecesMayComeTwiceAndInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "fleet")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var sent []piece
		files := map[string][]byte{}
		for _, agent := range []string{"A", "B"} {
			var m manifest
			for _, name := range []string{"seg-000000.dlh", "clock.jsonl"} {
				data := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, name)
				files[agent+"/"+name] = data
				m.Files = append(m.Files, fileSize{name, int64(len(data))})
				sent = append(sent, cut(t, agent, name, data)...)
				sent = append(sent, cut(t, agent, name, data)...) // with other cuts
			}
			sent = append(sent, piece{Agent: agent, File: doneFile, data: encode(m)})
		}
		c := NewCollector(dir)
		for _, p := range rapid.Permutation(sent).Draw(t, "order") {
			if err := c.take(p.encode()); err != nil {
				t.Fatal(err)
			}
		}
		for _, agent := range []string{"A", "B"} {
			if !c.Done(agent) || len(c.Missing(agent)) != 0 {
				t.Errorf("agent %s: done %v, missing %q; want everything", agent, c.Done(agent), c.Missing(agent))
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		for name, want := range files {
			got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: got %d bytes, %v; want the %d that were sent", name, len(got), err, len(want))
			}
		}
	})
}

// cut parts a file as a shipper may have done.
func cut(t *rapid.T, agent, name string, data []byte) []piece {
	var all []piece
	for at := 0; at < len(data); {
		n := rapid.IntRange(1, len(data)-at).Draw(t, "cut")
		all = append(all, piece{Agent: agent, File: name, Offset: int64(at), data: data[at : at+n]})
		at += n
	}
	return all
}

// What does not come is named to the byte.
func TestWhatIsMissingIsNamedExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "fleet")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		data := rapid.SliceOfN(rapid.Byte(), 10, 300).Draw(t, "data")
		there := make([]bool, len(data))
		c := NewCollector(dir)
		defer c.Close()
		for _, p := range cut(t, "A", "seg-000000.dlh", data) {
			if rapid.Bool().Draw(t, "comes") {
				for i := range p.data {
					there[int(p.Offset)+i] = true
				}
				_ = c.take(p.encode())
			}
		}
		_ = c.take(piece{Agent: "A", File: doneFile, data: encode(manifest{Files: []fileSize{{"seg-000000.dlh", int64(len(data))}}})}.encode())
		c.mu.Lock()
		f := c.files["A/seg-000000.dlh"]
		c.mu.Unlock()
		if f == nil {
			f = &copyOf{}
		}
		got := make([]bool, len(data))
		for i := range got {
			got[i] = true
		}
		for _, s := range f.lacks(int64(len(data))) {
			for i := s.from; i < s.to; i++ {
				got[i] = false
			}
		}
		if !slices.Equal(got, there) {
			t.Errorf("there are %v, want %v", got, there)
		}
		if whole := !slices.Contains(there, false); c.Done("A") != whole || (len(c.Missing("A")) == 0) != whole {
			t.Errorf("done %v with %q missing, want %v", c.Done("A"), c.Missing("A"), whole)
		}
	})
}

func TestPiecesThatAreNoneAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	good := piece{Agent: "A", File: "seg-000000.dlh", data: []byte("hello")}
	for name, message := range map[string][]byte{
		"no head":          []byte("hello"),
		"no JSON":          []byte("{\nhello"),
		"a way out":        piece{Agent: "..", File: "seg-000000.dlh", data: []byte("x")}.encode(),
		"another file":     piece{Agent: "A", File: "../../x", data: []byte("x")}.encode(),
		"a hidden file":    piece{Agent: "A", File: ".bashrc", data: []byte("x")}.encode(),
		"far behind":       piece{Agent: "A", File: "seg-000000.dlh", Offset: 1 << 50, data: []byte("x")}.encode(),
		"before the start": piece{Agent: "A", File: "seg-000000.dlh", Offset: -1, data: []byte("x")}.encode(),
		"changed":          bytes.Replace(good.encode(), []byte("hello"), []byte("hallo"), 1),
		"torn":             good.encode()[:len(good.encode())-2],
	} {
		c := NewCollector(dir)
		if err := c.take(message); err != nil {
			t.Errorf("%s: got %v, want it left out", name, err)
		}
		if c.odd != 1 || len(c.files) != 0 {
			t.Errorf("%s: got %d files and %d odd pieces, want none and one", name, len(c.files), c.odd)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("something was written: %v", left)
	}
}

func FuzzPieces(f *testing.F) {
	f.Add(piece{Agent: "A", File: "seg-000000.dlh", data: []byte("hello")}.encode())
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, message []byte) {
		p, err := decodePiece(message)
		if err != nil {
			return
		}
		again, err := decodePiece(p.encode())
		if err != nil || again.File != p.File || again.Offset != p.Offset || !bytes.Equal(again.data, p.data) {
			t.Errorf("%+v reads back as %+v, %v", p, again, err)
		}
		if strings.ContainsAny(p.Agent+p.File, `/\`) {
			t.Errorf("a path came through: %q of %q", p.File, p.Agent)
		}
	})
}

// A manifest is read by others (merge): its keys stay.
func TestTheLastWordsKeepTheirKeys(t *testing.T) {
	text, err := json.Marshal(manifest{Files: []fileSize{{"seg-000000.dlh", 7}}, BrokeOff: true})
	want := `{"files":[{"name":"seg-000000.dlh","size":7}],"broke_off":true}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v; want %s", text, err, want)
	}
}
