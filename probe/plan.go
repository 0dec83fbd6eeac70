package probe

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"duckload/limiter"
)

// An experiment is steps on one key, one after the other.
type experiment struct {
	key   int
	steps []stage
}

// A stage is one step of an experiment, at a time after its beginning.
type stage struct {
	after time.Duration
	count int  // requests at most
	drain bool // ask more and more until one is rejected; else all at once

	// sweep: one request each at these times after the beginning, until one is
	// admitted.
	sweep []time.Duration
}

// A forecast is what particles make of an experiment.
type forecast struct {
	experiment
	gain     float64 // bits about which family it is, and some for how much of it
	requests float64
	takes    time.Duration
}

// A planner chooses experiments.
type planner struct {
	rng        *rand.Rand
	capacity   int           // the most that was admitted at once
	trip       time.Duration // from sending to answer
	fresh      int           // a key that was never used; negative: there is none
	exhausted  int           // the key in use
	perRequest time.Duration // how much time is worth one request
	most       time.Duration // the longest that an experiment may take
	precise    float64

	rounds int
	made   map[string]int // how often an experiment of a shape was chosen
}

// leastGain is the least chance to tell two points apart that is worth a try.
const leastGain = 0.01

// next returns the experiment that promises most for what it costs.
func (p *planner) next(b *belief, now time.Duration) (experiment, bool) {
	particles := b.particles(p.rng)
	if p.rounds++; p.rounds%3 == 0 {
		if particles = b.doubted(particles); b.answers() == 0 {
			return experiment{}, false
		}
	}
	var all []forecast
	most := 0.0
	for _, prefix := range p.prefixes(particles) {
		for _, f := range p.foretell(particles, prefix, now) {
			if f.gain >= leastGain && f.takes <= p.most {
				all, most = append(all, f), max(most, f.gain)
			}
		}
	}
	best, worth := forecast{}, 0.0
	for _, f := range all {
		// Cheap ones that tell next to nothing would be made for ever.
		w := f.gain / (5 + f.requests + float64(f.takes)/float64(p.perRequest))
		if f.gain >= decisive*most && w > worth {
			best, worth = f, w
		}
	}
	if worth == 0 {
		return experiment{}, false
	}
	p.made[best.shape()]++
	return best.experiment, true
}

// decisive is how near to the most that can be told an experiment must come.
const decisive = 0.6

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

// prefixes are ways to prepare a limiter; what follows is a sweep for the
// moment at which it admits again.
func (p *planner) prefixes(particles []particle) []experiment {
	drain := func(after time.Duration) stage { return stage{after: after, count: p.capacity + 2, drain: true} }
	all := []experiment{{p.exhausted, nil}, {p.exhausted, []stage{drain(0)}}}
	for _, w := range typical(particles) {
		in := func(share float64) time.Duration { return time.Duration(share * float64(w)) }
		keys := []int{p.exhausted}
		if p.fresh >= 0 {
			keys = append(keys, p.fresh)
		}
		for _, key := range keys {
			rests := silences
			if key == p.fresh {
				rests = []float64{0}
			}
			for _, rest := range rests {
				all = append(all, experiment{key, []stage{drain(in(rest))}})
				for _, pause := range pauses {
					all = append(all, experiment{key, []stage{{after: in(rest), count: 1}, drain(in(rest + pause))}})
				}
				if p.capacity > 3 {
					all = append(all, experiment{key, []stage{{after: in(rest), count: p.capacity / 2}, drain(in(rest + 0.6))}})
				}
				all = append(all, experiment{key, []stage{{after: in(rest), count: 1}, drain(in(rest + 0.85)), drain(in(rest + 1.05))}})
			}
		}
	}
	return all
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

// sweeps is how many requests look for a moment.
const sweeps = 5

// foretell completes a prefix, with and without asking for more at the end,
// and says what each is worth.
func (p *planner) foretell(particles []particle, prefix experiment, now time.Duration) []forecast {
	runs := make([]playing, len(particles))
	for i := range particles {
		runs[i] = particles[i].play(prefix, now, p.trip)
	}
	all := []forecast{p.judge(particles, runs, prefix)}
	sweep := p.sweep(likely(particles, runs), now)
	if len(sweep) == 0 {
		return all
	}
	full := experiment{prefix.key, append(slices.Clone(prefix.steps), stage{sweep: sweep})}
	for i := range particles {
		runs[i] = runs[i].goOn(full.steps[len(full.steps)-1:], now, p.trip)
	}
	all = append(all, p.judge(particles, runs, full))
	again := stage{count: p.capacity + 2, drain: true}
	full.steps = append(slices.Clone(full.steps), again)
	for i := range particles {
		runs[i] = runs[i].goOn([]stage{again}, now, p.trip)
	}
	return append(all, p.judge(particles, runs, full))
}

// likely returns the runs of the particles that come closest to what was seen:
// a moment is worth looking for where they expect it.
func likely(particles []particle, runs []playing) []playing {
	fewest := particles[0].misses
	for _, p := range particles {
		fewest = min(fewest, p.misses)
	}
	var all []playing
	for i, p := range particles {
		if p.misses == fewest {
			all = append(all, runs[i])
		}
	}
	return all
}

// sweep returns moments, after now, that lie between those at which particles
// would admit again.
func (p *planner) sweep(runs []playing, now time.Duration) []time.Duration {
	var instants []time.Duration
	latest := time.Duration(0)
	for _, r := range runs {
		instants = append(instants, r.admits()-now)
		latest = max(latest, r.at-now)
	}
	slices.Sort(instants)
	first, last := instants[0], instants[len(instants)-1]
	var between []time.Duration
	for i := 1; i < len(instants); i++ {
		if instants[i]-instants[i-1] > max(p.trip, time.Duration(p.precise/4*float64(instants[i]-latest))) {
			between = append(between, instants[i-1]+(instants[i]-instants[i-1])/2)
		}
	}
	margin := max(2*p.trip, (first-latest)/50)
	chosen := []time.Duration{first - margin}
	for i := range min(sweeps-2, len(between)) {
		chosen = append(chosen, between[i*len(between)/min(sweeps-2, len(between))])
	}
	chosen = append(chosen, last+margin+p.trip)
	return slices.DeleteFunc(slices.Compact(chosen), func(at time.Duration) bool { return at <= latest || at >= p.most })
}

// judge works out what the outcome of an experiment would tell: how likely it
// is that two points of different answers would show it, clearly; and, where
// there is one answer alone, two points of the same.
func (p *planner) judge(particles []particle, runs []playing, e experiment) forecast {
	f := forecast{experiment: e}
	pairs, told, alike, apart := 0, 0, 0, 0
	for i := range runs {
		f.requests += float64(runs[i].requests) / float64(len(runs))
		f.takes += (runs[i].at - runs[i].began) / time.Duration(len(runs))
		for j := range i {
			different := 0
			if clearly(runs[i].outcome, runs[j].outcome) {
				different = 1
			}
			if same(particles[i].of, particles[j].of) {
				alike, apart = alike+1, apart+different
			} else {
				pairs, told = pairs+1, told+different
			}
		}
	}
	if pairs > 0 {
		f.gain = float64(told) / float64(pairs)
	} else if alike > 0 {
		f.gain = float64(apart) / float64(alike)
	}
	f.gain /= 1 + float64(p.made[e.shape()])
	return f
}

// shape describes an experiment roughly, so that one that told nothing is not
// repeated for ever.
func (e experiment) shape() string {
	text := ""
	for _, s := range e.steps {
		kind := "burst"
		if s.drain {
			kind = "drain"
		} else if len(s.sweep) > 0 {
			kind = "sweep"
		}
		text += kind + strconv.Itoa(int(4*math.Log2(1+s.after.Seconds()))) + " "
	}
	return text
}

// An outcome is what came of each stage: how many were admitted, or which of a
// sweep was.
type outcome []result

type result struct {
	n     int
	exact bool
}

// clearly reports whether two outcomes of one experiment differ by more than
// chance makes them.
func clearly(a, b outcome) bool {
	for i := range min(len(a), len(b)) {
		x, y := a[i].n, b[i].n
		if a[i].exact && x != y || math.Abs(float64(x-y)) > max(1, 0.2*float64(max(x, y))) {
			return true
		}
	}
	return false
}

// A playing is a particle amid an experiment.
type playing struct {
	state     particleState
	began, at time.Duration
	outcome   outcome
	requests  int
}

func (p particle) play(e experiment, now, trip time.Duration) playing {
	state, used := p.states[e.key]
	if !used {
		first := now
		if len(e.steps) > 0 {
			first += e.steps[0].after
		}
		state = p.fresh(first)
	}
	return playing{state: state, began: now, at: now}.goOn(e.steps, now, trip)
}

// goOn plays stages.
func (r playing) goOn(stages []stage, now, trip time.Duration) playing {
	for _, s := range stages {
		switch {
		case len(s.sweep) > 0:
			hit := len(s.sweep)
			for i, at := range s.sweep {
				r.at = max(r.at, now+at)
				if r.take() {
					hit = i
					break
				}
			}
			r.outcome = append(r.outcome[:len(r.outcome):len(r.outcome)], result{hit, true})
		case s.drain:
			r.at = max(r.at, now+s.after)
			n := 0
			for n < s.count && r.take() {
				n++
				if n&(n-1) == 0 {
					r.at += trip
				}
			}
			r.outcome = append(r.outcome[:len(r.outcome):len(r.outcome)], result{n, s.count == 1})
		default:
			r.at = max(r.at, now+s.after)
			n := 0
			for range s.count {
				if r.take() {
					n++
				}
			}
			r.outcome = append(r.outcome[:len(r.outcome):len(r.outcome)], result{n, s.count == 1})
		}
		r.at += trip
	}
	return r
}

func (r *playing) take() bool {
	var d limiter.Decision
	d, r.state.limiter = r.state.limiter.Take(r.at + r.state.behind)
	r.requests++
	return d.OK
}

// admits returns the moment at which the limiter would admit again.
func (r playing) admits() time.Duration {
	d, _ := r.state.limiter.Take(r.at + r.state.behind)
	if d.OK {
		return r.at
	}
	return r.at + d.Wait
}
