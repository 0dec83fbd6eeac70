package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"duckload/history"
)

// replaceFile writes beside a file and renames, so that nobody ever reads half
// of it. A pipe or a device is written to: a file in its place would break all
// who use it.
func replaceFile(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		to, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(to), to.Close())
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if err := errors.Join(write(temp), temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

func exportFile(path string, h *history.History, to string) error {
	return replaceFile(path, func(w io.Writer) error { return exportRun(w, h, to) })
}
