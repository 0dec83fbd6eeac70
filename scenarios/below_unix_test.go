//go:build unix

package scenarios

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe is no file: whoever reads it would wait for somebody to write.
func TestPipesAreNotRead(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Skip(err)
	}
	for what, spot := range spots {
		if err := loadBelow(dir, spot, "pipe"); err == nil || !strings.Contains(err.Error(), "not a file") {
			t.Errorf("%s: got %v, want that a pipe is not a file", what, err)
		}
	}
}
