package fleet

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"duckload/history"
)

// keptFile marks an agent's folder whose copy has arrived.
const keptFile = "kept"

// leftBehind lists the runs below a folder of which an agent's record has not
// arrived.
func leftBehind(dir, agent string) ([]string, error) {
	runs, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var left []string
	for _, r := range runs {
		folder := filepath.Join(dir, r.Name(), agent)
		files, err := recordFiles(folder)
		if err != nil || len(files) == 0 || !plainName.MatchString(r.Name()) {
			continue // not a run of this agent
		}
		if _, err := os.Stat(filepath.Join(folder, keptFile)); errors.Is(err, fs.ErrNotExist) {
			left = append(left, r.Name())
		}
	}
	return left, nil
}

func markKept(dir string) error {
	return os.WriteFile(filepath.Join(dir, keptFile), nil, 0o644)
}

// closeBooks writes the last words of a run that died before it could.
func closeBooks(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, doneFile)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ended, err := history.Ended(dir)
	if err != nil {
		ended = false // damaged: what can be read of it says the rest
	}
	return writeManifest(dir, manifest{BrokeOff: !ended})
}

// writeManifest says what a folder holds, once nothing more will come into it.
func writeManifest(dir string, m manifest) error {
	names, err := recordFiles(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if name != doneFile {
			m.Files = append(m.Files, fileSize{name, info.Size()})
		}
	}
	return writeWhole(filepath.Join(dir, doneFile), encode(m))
}

// writeWhole makes a file that is there with all of its text, or not at all.
func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
