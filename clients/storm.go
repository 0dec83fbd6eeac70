package clients

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// leastJitter is how wide waits must be spread, as a part of their median.
const leastJitter = 0.1

// noisy is the median, in seconds, below which a tenth of it is no more than a
// busy machine may add.
const noisy = 0.2

// fewest is how many clients the question of jitter needs.
const fewest = 3

var storm = Check{
	ID:       "client.storm",
	Question: "do many clients that fail together come back at different moments?",
	Doc: `With --clients N, the first requests of all clients are held until all are there, and fail in the same moment, as in an outage.
Then, for each retry, the waits of all clients are compared. They must be spread over a tenth of their median at least.

It fails if so many waits so close together would come of waits that spread evenly over a tenth less than once in 1,000 runs:
all of them, or four in five of them. Each measured wait is the client's own and what network and machine add, which spreads
them further: so a client that fails has no jitter to speak of. It passes if four in five waits of all retries,
each as a part of the median of its retry, spread wider than a tenth; waits below 0.2 s are left out, which a busy machine
could spread alone.

Typical causes of failure: exponential backoff without jitter, the default of many libraries; a random number generator that is
seeded alike everywhere; retries at whole seconds of the clock.`,
	Applies: func(r Run) bool {
		return len(r.Processes) >= 2 && called(r) && anyTurn(r, temporary)
	},
	Judge: judgeStorm,
}

// A wave is one retry of every client.
type wave struct {
	ordinal int // from 1
	pairs   []pair
	median  float64
	cluster cluster
}

// waves takes the first call of each client.
func (r Run) waves() []wave {
	var all []wave
	seen := map[int]bool{}
	for _, w := range r.rows() {
		client := w.pairs[0].first.Client
		if seen[client] {
			continue
		}
		seen[client] = true
		for i, p := range w.pairs {
			if i == len(all) {
				all = append(all, wave{ordinal: i + 1})
			}
			all[i].pairs = append(all[i].pairs, p)
		}
	}
	for i := range all {
		waits := all[i].waits()
		all[i].median = slices.Sorted(slices.Values(waits))[len(waits)/2]
		all[i].cluster = clustered(waits, leastJitter*all[i].median)
	}
	return slices.DeleteFunc(all, func(w wave) bool { return len(w.pairs) < fewest })
}

func (w wave) waits() []float64 {
	var all []float64
	for _, p := range w.pairs {
		all = append(all, max(p.wait, time.Millisecond).Seconds())
	}
	return all
}

// spread is the narrowest stretch that four in five of all waits lie in, each
// as a part of the median of its wave. Waves that are too short to tell jitter
// from the noise of a machine are left out.
func spread(waves []wave) (part float64, waits int) {
	var all []float64
	for _, w := range waves {
		if w.median < noisy {
			continue
		}
		for _, wait := range w.waits() {
			all = append(all, wait/w.median)
		}
	}
	slices.Sort(all)
	m := (4*len(all) + 4) / 5
	part = math.Inf(1)
	for i := 0; i+m <= len(all); i++ {
		part = min(part, all[i+m-1]-all[i])
	}
	return part, len(all)
}

func judgeStorm(r Run) Finding {
	waves := r.waves()
	if len(waves) == 0 {
		return open("fewer than %d clients retried (--clients 10 would tell)", fewest)
	}
	worst := waves[0]
	for _, w := range waves {
		if w.cluster.chance < worst.cluster.chance {
			worst = w
		}
	}
	if p := worst.cluster.chance * float64(len(waves)); p < failLevel {
		c := worst.cluster
		w := Witness{Sentence: fmt.Sprintf("before retry %d, %d of %d clients waited between %.3f and %.3f s; waits that spread evenly over a tenth would lie so close less than once in %.3g runs",
			worst.ordinal, c.members, len(worst.pairs), c.from, c.to, 1/p)}
		for _, x := range worst.pairs {
			if wait := x.wait.Seconds(); wait >= c.from && wait <= c.to {
				w.Requests = append(w.Requests, x.next.Number)
			}
		}
		slices.Sort(w.Requests)
		return fail(w, "%d of %d clients waited %.3g s to within %.0f ms: too little jitter, if any", c.members, len(worst.pairs), worst.median, 1000*(c.to-c.from))
	}
	part, n := spread(waves)
	switch {
	case n == 0:
		return open("every wait was shorter than %g s: too short to tell jitter from the noise of a machine", noisy)
	case part < leastJitter:
		return open("four in five of %d waits lie within %.1f %% of the median of their retry: too little to be sure of jitter (more clients would tell)", n, 100*part)
	}
	return pass("four in five of %d waits spread over %.0f %% of the median of their retry", n, 100*part)
}
