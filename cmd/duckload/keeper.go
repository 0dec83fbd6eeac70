package main

import (
	"sync"
	"time"

	"duckload/history"
)

// flushInterval is how much of a run a crash may cost.
const flushInterval = 250 * time.Millisecond

// A keeper writes observations and brings them to the disk from time to time.
type keeper struct {
	mu     sync.Mutex
	record *history.Writer
	live   *liveEvents
	first  firstAnswers
	failed error
}

func (k *keeper) add(o history.Observation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed != nil {
		return k.failed
	}
	k.first.look(o)
	k.live.observed(o)
	return k.record.Append(o)
}

// every flushes until the function that it returns is called.
func (k *keeper) every(interval time.Duration) (stop func()) {
	ended := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				k.mu.Lock()
				if k.failed == nil {
					k.failed = k.record.Flush()
				}
				k.live.flush()
				k.mu.Unlock()
			}
		}
	})
	return func() { close(ended); wait.Wait() }
}
