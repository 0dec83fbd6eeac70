package scenarios

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// An Env is what a scenario file may read of the world around it.
type Env struct {
	Lookup   func(string) (string, bool)  // an environment variable; nil: there are none
	ReadFile func(string) ([]byte, error) // a file, by a path below the scenario's folder; nil: there are none

	// Open opens a file that may be large, such as a recording; nil: as
	// ReadFile reads it.
	Open func(string) (io.ReadCloser, error)
}

// Process returns the environment of this process, and the files below a
// folder: neither ".." nor a symbolic link leads out of it.
func Process(folder string) Env {
	open := func(name string) (io.ReadCloser, error) {
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		name = filepath.FromSlash(name)
		if info, err := root.Stat(name); err == nil && !info.Mode().IsRegular() {
			return nil, errors.New("not a file") // a pipe would keep whoever opens it waiting
		}
		return root.Open(name)
	}
	return Env{Lookup: os.LookupEnv, Open: open, ReadFile: func(name string) ([]byte, error) {
		file, err := open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(io.LimitReader(file, maxText+1))
	}}
}

//go:embed space-duck.yaml
var embedded embed.FS

// BuiltIns names the scenarios that come with duckload.
var BuiltIns = []string{"space-duck"}

// BuiltIn loads a scenario that comes with duckload.
func BuiltIn(name string, env Env) (*Scenario, error) {
	if !slices.Contains(BuiltIns, name) {
		return nil, fmt.Errorf("no scenario called %q is built in (have %s)%s", name, strings.Join(BuiltIns, ", "), didYouMean(name, BuiltIns))
	}
	text, err := embedded.ReadFile(name + ".yaml")
	if err != nil {
		panic(err) // the file is compiled in
	}
	return Load(name+" (built in)", text, env)
}

// Bounds of what a file may be, so that a small file cannot cost much.
const (
	maxText  = 1 << 20 // bytes of a scenario, and of each file that it reads
	maxNodes = 50_000  // values, counted after aliases are followed
	maxDepth = 60
)

// Load reads a scenario and checks it. If anything is wrong, the error is
// [Mistakes]: all of them.
func Load(path string, text []byte, env Env) (*Scenario, error) {
	r := &reader{file: path, env: env, sourcesAt: map[netip.Addr]Mistake{}}
	root := r.parse(text)
	if root == nil {
		return nil, r.mistakes.sorted()
	}
	s := r.scenario(node{Node: root})
	if len(r.mistakes) > 0 {
		return nil, r.mistakes.sorted()
	}
	s.Path, s.Text, s.sourcesAt = path, text, r.sourcesAt
	s.secrets, s.short = longestFirst(r.secrets), longestFirst(r.short)
	s.identity = make(map[string]int, len(s.Identities))
	for i, id := range s.Identities {
		s.identity[id.Name] = i
	}
	return s, nil
}

func longestFirst(secrets []string) []string {
	slices.SortFunc(secrets, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(secrets)
}

// Source returns a mistake at the place that names an address to send from, for
// whoever finds out what is wrong with it; false if the file names none such.
func (s *Scenario) Source(addr netip.Addr, wrong string) (Mistake, bool) {
	m, ok := s.sourcesAt[addr]
	m.Text = wrong
	return m, ok
}

// Secrets returns what the environment and files supplied, and credentials
// that stand in the file itself, the longest first. No byte that is written
// may hold one of them.
func (s *Scenario) Secrets() []string { return slices.Clone(s.secrets) }

// ShortSecrets returns the values of identities from a file that have fewer than
// four characters, the longest first. They are secrets where they stand alone:
// in the middle of a word they are an accident.
func (s *Scenario) ShortSecrets() []string { return slices.Clone(s.short) }

// Masked returns the text of the file with every secret in it replaced.
func (s *Scenario) Masked() []byte {
	text := s.Text
	for _, secret := range s.secrets {
		text = bytes.ReplaceAll(text, []byte(secret), []byte("***"))
	}
	return text
}

// parse returns the one document of a file with its aliases followed, or nil
// if there is none that could be read further.
func (r *reader) parse(text []byte) *yaml.Node {
	if len(text) > maxText {
		r.at(place{1, 1}, "", "the file has %d bytes (at most %d)", len(text), maxText)
		return nil
	}
	r.lines = bytes.Split(text, []byte("\n"))
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err == io.EOF {
		r.at(place{1, 1}, "", "the file is empty (a scenario has at least version, target and groups)")
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		r.at(place{max(second.Line, 1), max(second.Column, 1)}, "", "a second document begins here (one scenario a file)")
	} else if err != io.EOF {
		r.syntax(err)
	}
	if len(document.Content) == 0 {
		r.at(place{1, 1}, "", "the file is empty (a scenario has at least version, target and groups)")
		return nil
	}
	budget := maxNodes
	root, ok := r.unalias(document.Content[0], maxDepth, &budget)
	if !ok {
		return nil
	}
	return root
}

// line finds the place in a message of the YAML parser, which has no column.
var line = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// fromZero are the messages of the parser proper: the library counts their
// lines from 0, those of the scanner below it from 1.
var fromZero = regexp.MustCompile(`^did not find expected (node content|key|'-' indicator|',' or|<document start>)`)

func (r *reader) syntax(err error) {
	found := line.FindStringSubmatch(err.Error())
	at, text := place{1, 1}, err.Error()
	if found != nil {
		text = text[len(found[0]):]
		if n, err := strconv.Atoi(found[1]); err == nil && n > 0 {
			at.line = n
			if fromZero.MatchString(text) {
				at.line++
			}
		}
	}
	r.at(at, "", "not YAML: %s", text)
}

// unalias returns a copy of a tree in which aliases are replaced by what they
// stand for, each at the place of the alias. A few lines of aliases of aliases
// can stand for more values than fit in memory, hence the budget.
func (r *reader) unalias(n *yaml.Node, depth int, budget *int) (*yaml.Node, bool) {
	*budget--
	if *budget < 0 {
		r.at(place{n.Line, n.Column}, "", "more than %d values, aliases followed", maxNodes)
		return nil, false
	}
	if depth == 0 {
		r.at(place{n.Line, n.Column}, "", "nested deeper than %d, or an alias stands for itself", maxDepth)
		return nil, false
	}
	if n.Kind == yaml.AliasNode {
		copied, ok := r.unalias(n.Alias, depth-1, budget)
		if ok {
			copied.Line, copied.Column = n.Line, n.Column
		}
		return copied, ok
	}
	copied := *n
	copied.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		var ok bool
		if copied.Content[i], ok = r.unalias(child, depth-1, budget); !ok {
			return nil, false
		}
	}
	return &copied, true
}
