package main

import (
	"sync"
	"testing"
	"time"

	"duckload/emulator"
	"duckload/limiter"
)

// The emulator keeps queues and limits of requests at once over real sockets,
// and duckload says so; its defects are found.
func TestTheEmulatorKeepsQueuesAndPlaces(t *testing.T) {
	t.Parallel() // it waits more than it works
	queue := limiter.Limit{Limit: 10, Window: time.Second, Burst: 5, Reading: limiter.LeakyQueue, Scope: limiter.ScopeIP}
	places := limiter.Limit{Limit: 3, Reading: limiter.Concurrency, Scope: limiter.ScopeIP}
	const (
		aQueue = "{limit: 10/s, burst: 5, reading: leaky-queue, scope: ip}"
		three  = "{limit: 3, reading: concurrency, service_time: 200ms, scope: ip}"
		coded  = "{status: 429, retry_after: required, json: {error.code: E4004}}"
	)
	cases := []struct {
		realCase
		limit   limiter.Limit
		service time.Duration
		defect  string
	}{
		{realCase{name: "a queue", promise: aQueue}, queue, 0, ""},
		{realCase{name: "a queue that is too short", promise: aQueue, fails: []string{"limit.floor"}}, queue, 0, "burst-1"},
		{realCase{name: "a queue that is too fast", promise: aQueue, fails: []string{"limit.ceiling"}}, queue, 0, "rate+10%"},
		{realCase{name: "two queues", promise: aQueue, fails: []string{"limit.ceiling"}}, queue, 0, "replicas-2"},
		{realCase{name: "three at once", promise: three}, places, 200 * time.Millisecond, ""},
		{realCase{name: "four at once", promise: three, fails: []string{"limit.ceiling"}}, places, 200 * time.Millisecond, "burst+1"},
		{realCase{name: "two at once", promise: three, fails: []string{"limit.floor"}}, places, 200 * time.Millisecond, "burst-1"},
		{realCase{name: "three at once for everybody", promise: three, fails: []string{"scope", "limit.floor"}}, places, 200 * time.Millisecond, "scope-global"},
	}
	results := make([]realResult, len(cases))
	var wait sync.WaitGroup
	for i, c := range cases {
		config := emulator.SpaceDuck()
		config.Groups[0].Limits, config.Service = []limiter.Limit{c.limit}, c.service
		if c.defect != "" {
			d, err := emulator.DefectNamed(c.defect)
			if err != nil {
				t.Fatal(err)
			}
			config = d.Apply(config)
		}
		served, err := start(t.Context(), config, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(served.close)
		c.url, c.path, c.reject, c.patience = served.url, "/beak/metrics", coded, 6*time.Second
		wait.Go(func() { results[i] = c.untilDecided(t, i, 0, realAttempts) })
	}
	wait.Wait()
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.judge(t, results[i]) })
	}
}
