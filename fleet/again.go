package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ErrNothing says that the bus keeps nothing of a run.
var ErrNothing = errors.New("nothing is kept of it")

// Forget removes what the bus keeps of a run.
func Forget(ctx context.Context, bus Bus, run string) error {
	return bus.Forget(ctx, keptSubject(run, ">"))
}

// CollectAgain collects a run whose coordinator is gone, until everything that
// its agents recorded is here, or nothing has come for a while. It returns what
// is missing, a sentence each.
func CollectAgain(ctx context.Context, bus Bus, run, dir string, quiet time.Duration) (missing []string, err error) {
	into := NewCollector(dir)
	collecting, enough := context.WithCancel(ctx)
	collected := make(chan error, 1)
	go func() { collected <- into.Run(collecting, bus, run) }()
	err = untilQuiet(into, quiet, collected)
	enough()
	if err == nil {
		if wrong := <-collected; !errors.Is(wrong, context.Canceled) {
			err = wrong
		}
	}
	roster := into.roster()
	for _, name := range roster {
		missing = append(missing, into.Missing(name)...)
	}
	if len(roster) == 0 && err == nil {
		err = ErrNothing
	}
	return missing, errors.Join(err, into.Close())
}

func untilQuiet(into *Collector, quiet time.Duration, collected <-chan error) error {
	last := time.NewTimer(quiet)
	defer last.Stop()
	for {
		select {
		case err := <-collected:
			return fmt.Errorf("collecting: %w", err)
		case <-last.C:
			return nil
		case <-into.change:
			last.Reset(quiet)
			if all := into.roster(); len(all) > 0 && !slices.ContainsFunc(all, func(name string) bool { return !into.Done(name) }) {
				return nil
			}
		}
	}
}

// roster names the agents of the run, as any of them says.
func (c *Collector) roster() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names, err := os.ReadDir(c.dir)
	if err != nil {
		return nil
	}
	for _, n := range names {
		text, err := os.ReadFile(filepath.Join(c.dir, n.Name(), infoFile))
		var i Info
		if err == nil && json.Unmarshal(text, &i) == nil && len(i.Agents) > 0 {
			return i.Agents
		}
	}
	var all []string // who we are is not here: those who sent anything
	for _, n := range names {
		all = append(all, n.Name())
	}
	return all
}
