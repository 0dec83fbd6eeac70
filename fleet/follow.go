package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// stopAgain is how often agents are told to stop, until they have.
const stopAgain = 200 * time.Millisecond

// stoppedWithin is how long agents that were told to stop may take to hand in
// what they have.
const stoppedWithin = 8 * time.Second

// lostWithin is how long a record may still be on its way when the process
// that made it has ended.
const lostWithin = 2 * time.Second

// Follow waits until the records of all agents are here, and returns what is
// missing, a sentence each. When ctx ends first, every agent is told to stop;
// so are they when one of them stopped by itself. An agent that is not heard of
// is waited for until its plan must be over, and then for as long as Wait says.
// gone names agents whose processes have ended; nil: nobody knows.
func (c *Coordinator) Follow(ctx context.Context, into *Collector, about time.Duration, gone <-chan string) (missing []string, err error) {
	w := watchers{Coordinator: c, into: into, reason: func() string { return reasonOf(ctx) }}
	w.late = c.epoch.Add(c.start.At + about + c.Wait)
	collecting, enough := context.WithCancel(context.WithoutCancel(ctx))
	collected := make(chan error, 1)
	go func() { collected <- into.Run(collecting, c.Bus, c.Run) }()
	err = w.wait(ctx, gone, collected)
	enough()
	if err == nil {
		if wrong := <-collected; !errors.Is(wrong, context.Canceled) {
			err = wrong
		}
	}
	crash("coordinator.done")
	for _, name := range c.Names() {
		missing = append(missing, into.Missing(name)...)
	}
	return missing, errors.Join(err, into.Close())
}

func reasonOf(ctx context.Context) string {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause.Error()
	}
	return "interrupted"
}

// watchers wait for agents to end.
type watchers struct {
	*Coordinator
	into   *Collector
	reason func() string
	late   time.Time            // when nobody is waited for any more
	gone   map[string]time.Time // when what a dead process left must have come
	stops  bool                 // agents are told to stop
}

func (w *watchers) wait(ctx context.Context, gone <-chan string, collected <-chan error) error {
	w.gone = map[string]time.Time{}
	tick := time.NewTicker(stopAgain)
	defer tick.Stop()
	interrupted := ctx.Done()
	for !w.over() {
		select {
		case err := <-collected:
			return fmt.Errorf("collecting: %w", err)
		case <-w.into.change:
		case name := <-gone:
			w.gone[name] = time.Now().Add(lostWithin)
		case <-interrupted:
			interrupted = nil
			w.halt(w.reason())
		case <-tick.C:
			w.look()
		}
	}
	return nil
}

// over reports whether nothing more is waited for.
func (w *watchers) over() bool {
	now := time.Now()
	return now.After(w.late) || !slices.ContainsFunc(w.Names(), func(name string) bool {
		dead, gone := w.gone[name]
		return !w.into.Done(name) && (!gone || now.Before(dead))
	})
}

// look tells agents to stop if one of them was stopped by a rule of its own,
// and again if it was told before.
func (w *watchers) look() {
	if w.stops {
		w.Stop(w.reason())
		return
	}
	w.mu.Lock()
	var why string
	for name, n := range w.ended {
		if n.Reason != "" || n.Failed != "" {
			why = fmt.Sprintf("agent %s: %s", name, cmp.Or(n.Reason, n.Failed))
		}
	}
	w.mu.Unlock()
	if why != "" {
		w.reason = func() string { return why }
		w.halt(why)
	}
}

func (w *watchers) halt(why string) {
	w.stops = true
	w.Stop(why)
	if by := time.Now().Add(stoppedWithin); by.Before(w.late) {
		w.late = by
	}
}
