package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// A Collector puts the copies of agents' folders together, as pieces come.
type Collector struct {
	dir string // a folder for each agent

	mu     sync.Mutex
	files  map[string]*copyOf // by agent/file
	done   map[string]manifest
	odd    int // pieces that could not be used
	change chan struct{}
}

// A copyOf is a file as far as it has come.
type copyOf struct {
	file  *os.File
	spans []span // that are there, in order, apart from each other
}

type span struct{ from, to int64 }

// NewCollector collects into a folder.
func NewCollector(dir string) *Collector {
	return &Collector{dir: dir, files: map[string]*copyOf{}, done: map[string]manifest{}, change: make(chan struct{}, 1)}
}

// Run collects what is kept of a run until ctx is done.
func (c *Collector) Run(ctx context.Context, bus Bus, run string) error {
	return bus.Kept(ctx, keptSubject(run, ">"), c.take)
}

// take writes a piece to its place. One that cannot be used is counted: what
// it should have been is missing at the end.
func (c *Collector) take(message []byte) error {
	p, err := decodePiece(message)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.odd++
		return nil
	}
	crash("coordinator.collecting")
	f, err := c.open(p)
	if err != nil {
		return err
	}
	if _, err := f.file.WriteAt(p.data, p.Offset); err != nil {
		return err
	}
	f.add(span{p.Offset, p.Offset + int64(len(p.data))})
	if p.File == doneFile {
		c.finished(p.Agent)
	}
	crash("coordinator.collected")
	select {
	case c.change <- struct{}{}:
	default:
	}
	return nil
}

func (c *Collector) open(p piece) (*copyOf, error) {
	key := p.Agent + "/" + p.File
	if f := c.files[key]; f != nil {
		return f, nil
	}
	folder := filepath.Join(c.dir, p.Agent)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(folder, p.File), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	c.files[key] = &copyOf{file: file}
	return c.files[key], nil
}

// finished reads the manifest of an agent, once it is whole.
func (c *Collector) finished(agent string) {
	text, err := os.ReadFile(filepath.Join(c.dir, agent, doneFile))
	var m manifest
	if err == nil && json.Unmarshal(text, &m) == nil {
		c.done[agent] = m
	}
}

// add notes a span that has come.
func (f *copyOf) add(s span) {
	at, _ := slices.BinarySearchFunc(f.spans, s.from, func(has span, from int64) int { return int(min(max(has.to-from, -1), 1)) })
	end := at
	for end < len(f.spans) && f.spans[end].from <= s.to {
		s = span{min(s.from, f.spans[end].from), max(s.to, f.spans[end].to)}
		end++
	}
	f.spans = slices.Replace(f.spans, at, end, s)
}

// lacks returns what is missing of the first size bytes.
func (f *copyOf) lacks(size int64) []span {
	var missing []span
	at := int64(0)
	for _, has := range f.spans {
		if has.from > at {
			missing = append(missing, span{at, min(has.from, size)})
		}
		at = has.to
	}
	if at < size {
		missing = append(missing, span{at, size})
	}
	return missing
}

// Done reports whether all that an agent has recorded is here.
func (c *Collector) Done(agent string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ended := c.done[agent]
	return ended && len(c.holes(agent, m)) == 0
}

// Broken returns what went wrong at an agent, as its last words say; empty if
// nothing did, or if they have not come.
func (c *Collector) Broken(agent string) (why string, kind Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.done[agent]
	return m.Failed, m.Kind
}

// Missing says what is not here of an agent's folder, a sentence each.
func (c *Collector) Missing(agent string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.missing(agent)
}

func (c *Collector) missing(agent string) []string {
	m, ended := c.done[agent]
	if !ended {
		return []string{fmt.Sprintf("agent %s: it never said that it had handed in everything", agent)}
	}
	all := c.holes(agent, m)
	if m.BrokeOff {
		all = append(all, fmt.Sprintf("agent %s: it broke off before its plan had ended", agent))
	}
	return all
}

// holes says which bytes of the files in a manifest are not here.
func (c *Collector) holes(agent string, m manifest) []string {
	var all []string
	for _, f := range m.Files {
		has := c.files[agent+"/"+f.Name]
		if has == nil {
			has = &copyOf{}
		}
		for _, s := range has.lacks(f.Size) {
			all = append(all, fmt.Sprintf("agent %s: %s: bytes %d to %d never came", agent, f.Name, s.from, s.to-1))
		}
	}
	return all
}

// Close brings everything to the disk.
func (c *Collector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var wrong []error
	for _, f := range c.files {
		wrong = append(wrong, f.file.Sync(), f.file.Close())
	}
	clear(c.files)
	return errors.Join(wrong...)
}
