package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var twice = flag.Bool("twice", false, "build the command twice, each time from nothing, and compare")

// The same source gives the same bytes, wherever it lies: whoever doubts a
// binary can build it again. Nothing is shared between the two builds but the
// toolchain and the module cache, so they take minutes.
func TestTheBuildIsReproducible(t *testing.T) {
	if !*twice {
		t.Skip("make test-long builds the command twice")
	}
	var sums [2][sha256.Size]byte
	for i := range sums {
		dir := filepath.Join(t.TempDir(), "src", "some", "where"[:i+3])
		copySource(t, dir)
		build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", "duckload", "./cmd/duckload")
		build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+t.TempDir())
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "duckload"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(dir)) {
			t.Errorf("the binary says where it was built: %s", dir)
		}
		sums[i] = sha256.Sum256(text)
	}
	if sums[0] != sums[1] {
		t.Errorf("built twice: %x and %x", sums[0], sums[1])
	}
}

// copySource copies what a build reads: everything but results and what begins
// with a dot.
func copySource(t *testing.T, dir string) {
	t.Helper()
	root := filepath.Join("..", "..")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		from, to := filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())
		switch {
		case e.Name()[0] == '.' || e.Name() == "results":
			continue
		case e.IsDir():
			err = os.CopyFS(to, os.DirFS(from))
		case filepath.Ext(e.Name()) == ".mod" || filepath.Ext(e.Name()) == ".sum":
			var text []byte
			if text, err = os.ReadFile(from); err == nil {
				if err = os.MkdirAll(dir, 0o755); err == nil {
					err = os.WriteFile(to, text, 0o644)
				}
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
