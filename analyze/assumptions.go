package analyze

import (
	"fmt"
	"slices"

	"duckload/history"
	"duckload/limiter"
)

// Assumptions are what every verdict about limits rests on, a sentence each.
var Assumptions = []string{
	"A1: each key is counted by one limiter that decides one request at a time",
	fmt.Sprintf("A2: its clock runs within ±%.2g %% of ours, in steps of at most the granularity of the limit (%s unless the scenario says otherwise)", 100*clockDrift, limiter.DefaultGranularity),
	"A3: for requests that were wrongly rejected, nobody else uses the keys during the run, and a key is only taken for full after it had time to fill",
	"A4: one request is one event for the limiter, and the answer to it is its own",
}

// assumptions are those of one run.
func assumptions(h *history.Header) []string {
	all := slices.Clone(Assumptions)
	if len(h.Agents) > 1 {
		all = append(all, fmt.Sprintf("A5: the clocks of two agents drift apart by no more than %g parts per million, and the target sees each agent by the address that the record names; what several agents sent to one counter is judged by intervals that the bounds of their clocks widen", 1e6*history.ClockDrift))
	}
	for _, g := range h.Groups {
		if !g.Exclusive {
			all = append(all, fmt.Sprintf("%s: others share its keys, so nothing is said about wrongly rejected requests", g.Name))
		}
		if g.DecidedWithin > 0 {
			all = append(all, fmt.Sprintf("%s: a request without an answer is decided within %s or never", g.Name, g.DecidedWithin))
		}
		for _, l := range g.Promise.Limits {
			switch {
			case l.Reading == limiter.LeakyQueue && g.DecidedWithin > 0:
				all = append(all, fmt.Sprintf("%s: every request is queued or rejected within %s of its sending", g.Name, g.DecidedWithin))
			case l.Reading == limiter.Concurrency && l.ServiceTime > 0:
				all = append(all, fmt.Sprintf("%s: each admitted request takes the server at least %s, and holds its place for as long", g.Name, l.ServiceTime))
			}
		}
	}
	return all
}
