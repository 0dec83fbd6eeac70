package scenarios

import (
	"fmt"
	"net/netip"
	"strings"

	"gopkg.in/yaml.v3"
)

// A reader walks the tree of a file and collects what is wrong with it. It
// goes on after a mistake, so that all are found at once.
type reader struct {
	file      string
	env       Env
	lines     [][]byte // of the file
	mistakes  Mistakes
	secrets   []string
	sourcesAt map[netip.Addr]Mistake // where each address to send from is named first
	short     []string               // secrets that are too short to be masked in the middle of a word
	crowds    []crowd                // what the names of identities stand for
	uses      []use                  // what was referred to since somebody looked
}

// A node is a value of the file and the path that leads to it.
type node struct {
	*yaml.Node
	path string
}

func (n node) place() place { return place{max(n.Line, 1), max(n.Column, 1)} }

func (n node) child(name string, value *yaml.Node) node {
	if n.path == "" {
		return node{value, name}
	}
	return node{value, n.path + "." + name}
}

func (n node) item(i int) node {
	return node{n.Content[i], fmt.Sprintf("%s[%d]", n.path, i)}
}

// at notes a mistake.
func (r *reader) at(p place, path, format string, args ...any) {
	r.mistakes = append(r.mistakes, mistake(r.file, p, path, fmt.Sprintf(format, args...)))
}

// bad notes a mistake about a value.
func (r *reader) bad(n node, format string, args ...any) {
	r.at(n.place(), n.path, format, args...)
}

// A key is one key that a map may have, and what to do with its value.
type key struct {
	name string
	read func(node)
}

// mapping reads a map. The keys are read in the order of the list, not of the
// file, so that what others refer to can come first. It returns the keys that
// were there.
func (r *reader) mapping(n node, keys []key) map[string]bool {
	values, ok := r.entries(n)
	if !ok {
		return nil
	}
	names := make([]string, len(keys))
	known, found := map[string]bool{}, map[string]bool{}
	for i, k := range keys {
		names[i], known[k.name] = k.name, true
	}
	for _, e := range values {
		if !known[e.name] {
			r.at(e.at, n.child(e.name, nil).path, "unknown key%s (have %s)", didYouMean(e.name, names), strings.Join(names, ", "))
		}
	}
	for _, k := range keys {
		for _, e := range values {
			if e.name == k.name {
				found[k.name] = true
				k.read(e.value)
			}
		}
	}
	return found
}

// An entry is a key and a value of a map in the file.
type entry struct {
	name  string
	at    place
	value node
}

// entries returns the entries of a map in the order of the file, without those
// whose key is not text or comes twice.
func (r *reader) entries(n node) ([]entry, bool) {
	if n.Kind != yaml.MappingNode {
		r.bad(n, "must be a map, got %s", n.kind())
		return nil, false
	}
	var all []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := node{n.Content[i], n.path}
		if name.Kind != yaml.ScalarNode || name.Value == "" {
			r.bad(name, "a key must be text, got %s", name.kind())
			continue
		}
		if name.Tag == "!!merge" {
			r.bad(name, "merge keys are not read; write the keys out")
			continue
		}
		if before, twice := seen[name.Value]; twice {
			r.at(name.place(), n.child(name.Value, nil).path, "comes twice (first in line %d)", before)
			continue
		}
		seen[name.Value] = name.Line
		all = append(all, entry{name.Value, name.place(), n.child(name.Value, n.Content[i+1])})
	}
	return all, true
}

// items returns the values of a list.
func (r *reader) items(n node) []node {
	if n.Kind != yaml.SequenceNode {
		r.bad(n, "must be a list, got %s", n.kind())
		return nil
	}
	all := make([]node, len(n.Content))
	for i := range n.Content {
		all[i] = n.item(i)
	}
	return all
}

// oneOrMore returns the values of a list, or a single value as a list of one.
func (r *reader) oneOrMore(n node) []node {
	if n.Kind == yaml.SequenceNode {
		return r.items(n)
	}
	return []node{n}
}

func (n node) kind() string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return fmt.Sprintf("%q", shortened(n.Value))
}

func shortened(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}

// text returns a value that is not a map, a list or nothing, as it was
// written.
func (r *reader) text(n node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Tag == "!!binary" {
		r.bad(n, "must be text, got %s", n.kind())
		return "", false
	}
	return n.Value, true
}

func (r *reader) boolean(n node) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Value != "true" && n.Value != "false" {
		r.bad(n, "must be true or false, got %s", n.kind())
		return false
	}
	return n.Value == "true"
}

// oneOf returns a value that is one of a few words.
func (r *reader) oneOf(n node, words ...string) string {
	for _, w := range words {
		if n.Kind == yaml.ScalarNode && n.Value == w {
			return w
		}
	}
	r.bad(n, "unknown value %s%s (have %s)", n.kind(), didYouMean(n.Value, words), strings.Join(words, ", "))
	return ""
}

// later notes that a documented key is not built yet, which is not the same
// as an unknown one.
func (r *reader) later(name string) key {
	return key{name, func(n node) { r.bad(n, "not supported yet") }}
}
