package fleet

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"duckload/history"
)

// An asking is what an agent has asked of the coordinator's clock. Both clocks
// are monotonic and count from moments of their own: nothing in a fleet rests
// on what time of day a machine believes it is.
type asking struct {
	bus   Bus
	run   string
	epoch time.Time // what the agent's clock counts from

	mu     sync.Mutex
	theirs string // which clock answers; another coordinator's is another clock
	goes   bool   // every agent has confirmed the start
	asked  []history.Probe
	file   *os.File // takes what is asked, once moment 0 is known
	ours0  time.Duration
	their0 time.Duration
}

// How often the clock is asked: often enough at both ends that one answer
// comes quickly, and seldom in between.
const (
	probesAtEnds = 20
	probesAmid   = 5
	probeApart   = 5 * time.Millisecond
	probeEvery   = 5 * time.Second
	probeWaiting = 500 * time.Millisecond // while waiting for the start
	probeWithin  = 2 * time.Second
)

func newAsking(bus Bus, run string) *asking {
	return &asking{bus: bus, run: run, epoch: time.Now()}
}

func (a *asking) now() time.Duration { return time.Since(a.epoch) }

// several asks n times. It gives up when nobody answers.
func (a *asking) several(ctx context.Context, n int) error {
	for range n {
		if err := a.once(ctx); err != nil {
			return err
		}
		crash("agent.probing")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(probeApart):
		}
	}
	return nil
}

// patiently asks n times, and again if nobody answered for a while: a machine
// that is busy is there.
func (a *asking) patiently(ctx context.Context, n int) (err error) {
	const tries = 3
	for range tries {
		if err = a.several(ctx, n); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (a *asking) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	p := history.Probe{Sent: a.now()}
	answer, err := a.bus.Ask(ctx, clockSubject(a.run), []byte("{}"))
	if err != nil {
		return err
	}
	p.Received = a.now()
	r, err := decode[reading](answer)
	if err != nil {
		return err
	}
	p.Theirs = r.At
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.theirs == "" {
		a.theirs = r.Clock
	}
	if r.Clock != a.theirs {
		return errors.New("another coordinator answers: its clock is not the one of the start")
	}
	a.goes = a.goes || r.Go
	if a.file != nil {
		return history.AppendProbe(a.file, a.based(p))
	}
	a.asked = append(a.asked, p)
	return nil
}

// confirmed asks until everybody has confirmed the start, and reports whether
// that was heard before a moment of the coordinator's clock.
func (a *asking) confirmed(ctx context.Context, until time.Duration) bool {
	low, high := a.offset()
	ctx, cancel := context.WithTimeout(ctx, until-(low+high)/2-a.now())
	defer cancel()
	for ctx.Err() == nil {
		_ = a.once(ctx)
		a.mu.Lock()
		goes := a.goes
		a.mu.Unlock()
		if goes {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(probeApart):
		}
	}
	return false
}

// based counts a probe from the start.
func (a *asking) based(p history.Probe) history.Probe {
	return history.Probe{Sent: p.Sent - a.ours0, Received: p.Received - a.ours0, Theirs: p.Theirs - a.their0}
}

// offset is what the coordinator's clock is ahead of ours: somewhere between
// the two, as all the answers together say. Drift is left out: this is for the
// minute before the start.
func (a *asking) offset() (low, high time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	low, high = math.MinInt64/4, math.MaxInt64/4
	for _, p := range a.asked {
		low, high = max(low, p.Theirs-p.Received), min(high, p.Theirs-p.Sent)
	}
	return low, high
}

// bound is half of how far apart the ends of the offset are.
func (a *asking) bound() time.Duration {
	low, high := a.offset()
	return max(high-low, low-high) / 2
}

// begin converts the moment of the start to our clock, and begins to write
// down what was asked.
func (a *asking) begin(their0 time.Duration, dir string) (ours0 time.Duration, err error) {
	low, high := a.offset()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.their0, a.ours0 = their0, their0-(low+high)/2
	file, err := os.OpenFile(filepath.Join(dir, clockFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	var lines bytes.Buffer
	for _, p := range a.asked {
		if err := history.AppendProbe(&lines, a.based(p)); err != nil {
			return 0, errors.Join(err, file.Close())
		}
	}
	a.file = file
	if _, err := file.Write(lines.Bytes()); err != nil {
		return 0, err
	}
	return a.ours0, nil
}

// every asks from time to time until ctx is done. Nobody who answers is
// needed: what is not known widens what the record claims.
func (a *asking) every(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = a.several(ctx, probesAmid)
		}
	}
}

// until asks while the start is waited for, and returns when ctx is done or
// nobody has answered for a while: the coordinator is gone.
func (a *asking) until(ctx context.Context, silence time.Duration) {
	tick := time.NewTicker(probeWaiting)
	defer tick.Stop()
	last := time.Now()
	for time.Since(last) < silence {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if a.once(ctx) == nil {
				last = time.Now()
			}
		}
	}
}

func (a *asking) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	err := errors.Join(a.file.Sync(), a.file.Close())
	a.file = nil
	return err
}
