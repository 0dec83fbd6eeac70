package report

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func pageBytes(t *testing.T, r Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// With REPORT_PAGES=DIR the pages of the samples are kept there, to be looked at.
func TestSamplePagesCanBeKept(t *testing.T) {
	dir := os.Getenv("REPORT_PAGES")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, s := range samples {
		doc := pageBytes(t, s.report())
		if len(doc) > 1_500_000 {
			t.Errorf("%s: got %d bytes, want at most 1.5 MB", s.name, len(doc))
		}
		if err := os.WriteFile(filepath.Join(dir, s.name+".html"), doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
