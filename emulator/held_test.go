package emulator

import (
	"slices"
	"sync"
	"testing"
	"time"

	"duckload/limiter"
)

// atOnce sends requests of a group at one moment and returns how long each
// admitted one took, in rising order.
func (c client) atOnce(group string, n int) (took []time.Duration, admitted int) {
	c.t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	began := time.Now()
	for range n {
		serial++
		unique := "n" + time.Duration(serial).String()
		all.Go(func() {
			if requests[group](c, unique).status < 300 {
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took, len(took)
}

// limited is the API with one other limit for the metrics.
func limited(l limiter.Limit, service time.Duration) Config {
	c := SpaceDuck()
	c.Groups[0].Limits = []limiter.Limit{l}
	c.Service = service
	return c
}

func TestAQueueAnswersOneAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		queue := limiter.Limit{Limit: 10, Window: time.Second, Burst: 4, Reading: limiter.LeakyQueue}
		took, _ := serving(t, limited(queue, 7*time.Millisecond)).atOnce("metrics", 6)
		want := []time.Duration{7 * time.Millisecond, 107 * time.Millisecond, 207 * time.Millisecond, 307 * time.Millisecond}
		if !slices.Equal(took, want) {
			t.Errorf("got %v, want %v", took, want)
		}
	})
}

func TestPlacesAreGivenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		three := limiter.Limit{Limit: 3, Reading: limiter.Concurrency}
		c := serving(t, limited(three, time.Second))
		for range 2 {
			if took, n := c.atOnce("metrics", 5); n != 3 || took[2] != time.Second {
				t.Errorf("%d of 5 admitted, after %v; want 3 after a second", n, took)
			}
		}
		if n, last := c.burst("metrics", 5); n != 5 {
			t.Errorf("%d of 5 admitted one after another, then %d; want all", n, last.status)
		}
	})
}

func TestARejectionSaysWhenARequestWillBeDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		config := limited(limiter.Limit{Limit: 1, Reading: limiter.Concurrency}, 1500*time.Millisecond)
		config.Tell = append(config.Tell, RateLimitFields, XRateLimit)
		c := serving(t, config)
		go c.ask("metrics")
		time.Sleep(time.Millisecond)
		got := c.ask("metrics")
		for name, want := range map[string]string{
			"Retry-After":       "2",
			"X-RateLimit-Limit": "1",
			"X-RateLimit-Reset": "2",
			"RateLimit-Policy":  `"default";q=1;qu="concurrent-requests"`,
			"RateLimit":         `"default";r=0;t=2`,
		} {
			h := got.header[name]
			if len(h) == 0 {
				h = []string{got.header.Get(name)}
			}
			if got.status != 429 || h[0] != want {
				t.Errorf("status %d, %s: got %q, want 429 and %q", got.status, name, h, want)
			}
		}
		time.Sleep(2 * time.Second)
		if got := c.ask("metrics"); got.status != 200 {
			t.Errorf("after waiting as told: %d, want 200", got.status)
		}
	})
}

// A counter with requests under way must not be forgotten.
func TestACounterInUseIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, limited(limiter.Limit{Limit: 1, Reading: limiter.Concurrency, Scope: limiter.ScopeIP}, time.Minute))
		go c.ask("metrics")
		time.Sleep(time.Second)
		counters := c.server.groups[0].counters[0]
		drop := func() (left int) {
			counters.mu.Lock()
			defer counters.mu.Unlock()
			counters.dropWhole(time.Since(c.server.began))
			return len(counters.of)
		}
		drop()
		if got := c.ask("metrics"); got.status != 429 {
			t.Errorf("while another is under way: %d, want 429", got.status)
		}
		time.Sleep(2 * time.Minute)
		if left := drop(); left != 0 {
			t.Errorf("%d counters are kept with nothing under way", left)
		}
	})
}
