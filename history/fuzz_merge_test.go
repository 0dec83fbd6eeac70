package history

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzMerge opens the records of two agents whose bytes may be anything. What
// is merged comes in order of completion, as far as each was written in it.
func FuzzMerge(f *testing.F) {
	b, _ := small(f)
	other := anotherAgent(f)
	f.Add(b, other)
	f.Add(b, b)
	f.Add(b[:len(b)-9], other[:len(other)/2])
	f.Add(other, []byte(magic))
	dir := f.TempDir()
	for _, agent := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, agent), 0o755); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		apart := 0
		for agent, text := range map[string][]byte{"a": one, "b": two} {
			if err := os.WriteFile(segmentPath(filepath.Join(dir, agent), 0), text, 0o644); err != nil {
				t.Fatal(err)
			}
			if h, err := Open(filepath.Join(dir, agent)); err == nil {
				n, _ := count(t, h)
				apart += n
			}
		}
		h, err := Open(dir)
		if err != nil {
			return
		}
		if n, broken := count(t, h); !broken && n != apart {
			t.Errorf("merged %d observations, want the %d of both", n, apart)
		}
	})
}

// anotherAgent is the record of another agent of the run of small.
func anotherAgent(t testing.TB) []byte {
	t.Helper()
	all := realistic(20)
	for i := range all {
		all[i].Done += time.Microsecond
	}
	b, err := os.ReadFile(segmentPath(record(t, all, &End{Complete: true, Offered: 20}, every(5)), 0))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
