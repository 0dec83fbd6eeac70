package analyze

import (
	"fmt"
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A Rate sets the rate at which a phase was to send beside the one at which it
// sent. A sender whose target is slower than its connections allow falls
// behind; latency from then on is latency of the queue before it.
type Rate struct {
	Group, Phase string // names; the phase's label
	N            int    // requests
	Offered      float64
	Achieved     float64       // per second, as Offered
	Behind       time.Duration // how long after the moment of the last one the last one left
}

// Held reports whether the rate was held.
func (r Rate) Held() bool { return r.Achieved >= r.Offered*heldShare || r.Behind <= heldSlack }

// A rate counts as held when it is 5 % short at most, or ends a quarter of a
// second late at most: what a pause of the sender costs is no saturation.
const (
	heldShare = 0.95
	heldSlack = 250 * time.Millisecond
)

// rated are the paces that send at a rate.
var rated = []string{"hold", "ramp", "sine", "replay"}

// rates collects the rate of each phase, in memory that does not grow with the
// run.
type rates []struct {
	n                     int
	due, last, first, end time.Duration // planned moments of the first and the last request, and when those left
}

// Observe takes the next observation. An attempt that the transport sent again
// is no request of its own.
func (s rates) Observe(o *history.Observation, _ limiter.Outcome) {
	p := &s[o.Phase]
	if o.Resent {
		return
	}
	if p.n == 0 {
		p.due, p.last, p.first, p.end = o.Intended, o.Intended, o.Sent, o.Sent
	}
	p.n++
	p.due, p.last = min(p.due, o.Intended), max(p.last, o.Intended)
	p.first, p.end = min(p.first, o.Sent), max(p.end, o.Sent)
}

// summary returns the phases that send at a rate, in the order of the plan.
func (s rates) summary(h *history.Header) []Rate {
	var all []Rate
	for i, p := range s {
		of := h.Phases[i]
		if p.n < 2 || p.last <= p.due || !slices.Contains(rated, of.Pace) {
			continue
		}
		gaps, group := float64(p.n-1), ""
		if of.Group >= 0 && of.Group < len(h.Groups) {
			group = h.Groups[of.Group].Name
		}
		all = append(all, Rate{
			Group: group, Phase: of.Label, N: p.n,
			Offered: gaps / (p.last - p.due).Seconds(), Achieved: gaps / max(p.end-p.first, 1).Seconds(),
			Behind: max(0, p.end-p.last),
		})
	}
	return all
}

// saturated says which rates were not held.
func saturated(all []Rate) []string {
	var short []string
	for _, r := range all {
		if !r.Held() {
			short = append(short, fmt.Sprintf("%s: %s offered %.4g requests a second and %.4g left, the last %s after its moment: the target, or this machine, was slower than that",
				r.Group, r.Phase, r.Offered, r.Achieved, secs(r.Behind)))
		}
	}
	return short
}
