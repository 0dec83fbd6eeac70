package probe

import (
	"slices"
	"time"
)

// opening is the experiment that tells most families from each other, when
// little is known but the time until the first readmission: it begins with one
// request alone, uses the rest up later, and looks when something comes back,
// and how much.
func opening(key int, wait time.Duration, capacity int) experiment {
	in := func(share float64) time.Duration { return time.Duration(share * float64(wait)) }
	drain := stage{after: in(1.95), count: capacity + 2, drain: true}
	return experiment{key, []stage{
		{after: in(1.3), count: 1}, drain,
		{sweep: []time.Duration{in(2.1), in(2.36), in(2.6)}},
		{count: capacity + 2, drain: true},
	}}
}

// Silences and pauses that tell families apart, in windows.
var (
	silences = []float64{0.4, 0.75, 1.1, 1.6, 2.3}
	pauses   = []float64{0.35, 0.65}
)

// mostUsed is how many of the keys in use experiments are thought of for; long
// ones only for the first.
const mostUsed = 6

// prefixes are ways to prepare a limiter; what follows is a sweep for the
// moment at which it admits again.
func (p *planner) prefixes(particles []particle) []experiment {
	var all []experiment
	times := typical(particles)
	for i, key := range p.used[:min(len(p.used), mostUsed)] {
		all = append(all, experiment{key, nil}, experiment{key, []stage{p.drain(0)}})
		if i > 0 {
			continue
		}
		for _, w := range times {
			for _, rest := range silences {
				all = append(all, p.prefixesAfter(key, w, rest)...)
			}
		}
	}
	if len(p.fresh) > 0 {
		for _, w := range times {
			all = append(all, p.prefixesAfter(p.fresh[0], w, 0)...)
		}
	}
	return all
}

// prefixesAfter are those that begin after a silence, in windows of a length.
func (p *planner) prefixesAfter(key int, w time.Duration, rest float64) []experiment {
	in := func(share float64) time.Duration { return time.Duration((rest + share) * float64(w)) }
	one := func(share float64) stage { return stage{after: in(share), count: 1} }
	drain := func(share float64) stage { return p.drain(in(share)) }
	// Without a request too many: what is counted from the last admission
	// differs from what is counted from a refusal.
	exact := func(share float64, less int) stage { return stage{after: in(share), count: p.capacity - less} }
	all := []experiment{
		{key, []stage{drain(0)}},
		{key, []stage{one(0), drain(0.85), drain(1.05)}},
		{key, []stage{exact(0, 0), one(0.5)}},
	}
	for _, pause := range pauses {
		all = append(all, experiment{key, []stage{one(0), drain(pause)}})
	}
	if p.capacity > 1 {
		all = append(all,
			experiment{key, []stage{one(0), exact(0.85, 1), one(1.1)}},
			experiment{key, []stage{exact(0, 1), drain(1.07)}})
	}
	if p.capacity > 3 {
		all = append(all, experiment{key, []stage{{after: in(0), count: p.capacity / 2}, drain(0.6)}})
	}
	return all
}

func (p *planner) drain(after time.Duration) stage {
	return stage{after: after, count: p.capacity + 2, drain: true}
}

// typical returns a few times after which something happens, the shortest and
// the longest among the families.
func typical(particles []particle) []time.Duration {
	var all []float64
	for _, p := range particles {
		if len(p.of.parameters) < 2 {
			continue
		}
		switch p.of.parameters[1] {
		case tokens:
			all = append(all, p.at[burst]*p.at[token])
		case steps:
			all = append(all, p.at[interval])
		default:
			all = append(all, p.at[window])
			if p.of.Name == "block" {
				all[len(all)-1] = p.at[ban]
			}
		}
	}
	slices.Sort(all)
	n := len(all)
	if n == 0 {
		return nil
	}
	picked := []float64{all[n/6], all[n/2], all[n-1-n/6]}
	var times []time.Duration
	for i, v := range picked {
		if i == 0 || v > 1.3*picked[i-1] {
			times = append(times, time.Duration(v))
		}
	}
	return times
}
