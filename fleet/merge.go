package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"duckload/history"
)

// Merge unites what agents recorded of one run, from any number of folders:
// each a run's, one with the folders of several agents, or one agent's. The
// same record may be there several times, in parts, or torn: every frame that
// is whole somewhere counts once, and the order of the folders does not
// matter. Each agent's record is written into a folder of its name below out,
// as [history.Open] reads them.
//
// Folders whose records cannot be read are named in the notes. Records of
// different runs, of different plans, or of runs without agents are an error.
func Merge(out string, dirs []string) (notes []string, err error) {
	origins, notes, err := originsIn(dirs)
	if err != nil {
		return nil, err
	}
	if len(origins) == 0 {
		return nil, errors.Join(append([]error{fmt.Errorf("no agent's record in %s", strings.Join(dirs, ", "))}, asErrors(notes)...)...)
	}
	if err := oneRun(origins); err != nil {
		return nil, err
	}
	agents := map[string][]history.Origin{}
	for _, o := range origins {
		agents[o.Agent()] = append(agents[o.Agent()], o)
	}
	for _, name := range slices.Sorted(maps.Keys(agents)) {
		if err := history.Unite(filepath.Join(out, name), agents[name]); err != nil {
			return nil, fmt.Errorf("agent %s: %w", name, err)
		}
	}
	return notes, nil
}

func asErrors(notes []string) []error {
	var all []error
	for _, n := range notes {
		all = append(all, errors.New(n))
	}
	return all
}

// depth is how far below a named folder records are looked for: a run's folder
// holds observations, which hold agents.
const depth = 3

// originsIn finds the records in some folders and below them.
func originsIn(dirs []string) (all []history.Origin, notes []string, err error) {
	seen := map[string]bool{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() || !strings.HasSuffix(path, ".dlh"):
				if rel, err := filepath.Rel(dir, path); err == nil && e.IsDir() && strings.Count(filepath.ToSlash(rel), "/") >= depth {
					return fs.SkipDir
				}
				return nil
			}
			folder, err := filepath.Abs(filepath.Dir(path))
			if err != nil || seen[folder] {
				return err
			}
			seen[folder] = true
			o, err := history.Peek(filepath.Dir(path))
			if err != nil {
				notes = append(notes, err.Error()+"; left out")
				return nil
			}
			all = append(all, o)
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return all, notes, nil
}

// oneRun reports everything that keeps records from being one run's.
func oneRun(all []history.Origin) error {
	var wrong []error
	first := all[0]
	records := map[string]history.Origin{}
	for _, o := range all {
		name := o.Agent()
		had, known := records[name]
		switch {
		case name == "":
			wrong = append(wrong, fmt.Errorf("%s: the record of a run on one machine: there is nothing to merge it with", o.Dir))
		case CheckName(name) != nil: // it names a folder
			wrong = append(wrong, fmt.Errorf("%s: %q cannot be the name of an agent", o.Dir, name))
		case o.Header.Run != first.Header.Run:
			wrong = append(wrong, fmt.Errorf("%s: of run %q, beside one of run %q in %s: merge one run at a time", o.Dir, o.Header.Run, first.Header.Run, first.Dir))
		case known && had.Record != o.Record:
			wrong = append(wrong, fmt.Errorf("%s: another record of agent %s than %s, not a copy of it: leave out the one that does not belong to the run", o.Dir, name, had.Dir))
		default:
			records[name] = o
			if err := history.SameRun(first.Header, o.Header); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", o.Dir, err))
			}
		}
	}
	return errors.Join(wrong...)
}
