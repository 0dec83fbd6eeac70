package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A licence is known by words that no other one has. To allow another, list it.
var licences = []struct{ name, words string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"Apache-2.0", "Apache License, Version 2.0"},
	{"CC-BY-4.0", "Creative Commons Attribution 4.0 International Public License"},
	{"MPL-2.0", "Mozilla Public License Version 2.0"},
	{"MPL-2.0", "Mozilla Public License, version 2.0"},
	{"OFL-1.1", "SIL OPEN FONT LICENSE Version 1.1"},
	{"FTL or GPL-2.0", "use of the Freetype-Go software is subject to your choice of exactly one of the following two licenses"},
	{"CC0-1.0", "CC0 1.0 Universal"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"BSD-3-Clause", "Neither the name of"},
	{"BSD-3-Clause", "may not be used to endorse or promote products"},
	{"BSD-3-Clause", "The names of its contributors may not be used"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce the above copyright notice"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
}

// licencesPage lists what is built into the command, and what only the tests
// and the tools of this repository use, from the module cache.
func licencesPage(t *testing.T) string {
	linked := modules(t, "./cmd/duckload")
	others := map[string]string{}
	for _, arg := range [][]string{{"-test", "./..."}, {"tool"}} {
		for name, dir := range modules(t, arg...) {
			if linked[name] == "" {
				others[name] = dir
			}
		}
	}
	if len(linked) < 10 || len(others) < 5 {
		t.Fatalf("got %d modules that are linked and %d others: did go list work?", len(linked), len(others))
	}
	var b strings.Builder
	b.WriteString("\n## Built into the command\n\n")
	table(t, &b, linked)
	b.WriteString("\n## Used by tests and tools alone\n\n")
	table(t, &b, others)
	b.WriteString("\n")
	return b.String()
}

func table(t *testing.T, b *strings.Builder, modules map[string]string) {
	b.WriteString("| module | version | licence |\n|---|---|---|\n")
	var names []string
	for name := range modules {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	for _, name := range names {
		path, version, _ := strings.Cut(name, " ")
		fmt.Fprintf(b, "| %s | %s | %s |\n", path, version, licenceOf(t, name, modules[name]))
	}
}

// modules returns the folders of the modules that packages need, by name and
// version, on every platform that is supported.
func modules(t *testing.T, packages ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
		list.Dir, list.Env = filepath.Join("..", ".."), append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		var said bytes.Buffer
		list.Stderr = &said
		text, err := list.Output()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, &said)
		}
		for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
			var p struct {
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if p.Module != nil && !p.Module.Main {
				all[p.Module.Path+" "+p.Module.Version] = p.Module.Dir
			}
		}
	}
	return all
}

// licenceOf reads the licence of a module. One that is not known, or missing,
// is an error: somebody must look before it is depended on.
func licenceOf(t *testing.T, name, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var found []string
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(upper, "LICENSE") && !strings.HasPrefix(upper, "LICENCE") && !strings.HasPrefix(upper, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		flat := strings.Join(strings.Fields(string(text)), " ")
		for _, l := range licences {
			three := l.name == "BSD-2-Clause" && slices.Contains(found, "BSD-3-Clause") // which has the same words
			if strings.Contains(strings.ToLower(flat), strings.ToLower(l.words)) && !three && !slices.Contains(found, l.name) {
				found = append(found, l.name)
			}
		}
	}
	if found == nil {
		t.Errorf("%s has no licence that is known (look into %s, and list it in licences_test.go if it may be used)", name, dir)
		return "?"
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}
