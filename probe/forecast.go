package probe

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A forecast is what particles make of an experiment.
type forecast struct {
	experiment
	gain     float64 // the share of pairs of points that it tells apart
	worn     float64 // by what it is divided, because the like was made already
	told     []uint8 // for each pair of points how surely it tells them apart
	requests float64
	takes    time.Duration
}

// sweeps is how many requests look for a moment at most, and farther how much
// longer the wait for one may be than for the one before.
const (
	sweeps  = 5
	farther = 2
)

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
	for i := len(chosen) - 1; i > 0; i-- {
		before, after := chosen[i-1]-latest, chosen[i]-latest
		for wait := after / farther; wait > before*5/4 && wait > 10*margin; wait /= farther {
			chosen = slices.Insert(chosen, i, latest+wait)
		}
	}
	return slices.DeleteFunc(slices.Compact(chosen), func(at time.Duration) bool { return at <= latest || at >= p.most })
}

// judge works out what the outcome of an experiment would tell: how likely it
// is that two points of different answers would show it; and, where there is
// one answer alone, two points of the same.
func (p *planner) judge(particles []particle, runs []playing, e experiment) forecast {
	f := forecast{experiment: e}
	f.worn = float64(1+p.made[e.shape()]) * math.Sqrt(float64(1+p.made[e.kind()]))
	for i := range runs {
		f.requests += float64(runs[i].requests) / float64(len(runs))
		f.takes += (runs[i].at - runs[i].began) / time.Duration(len(runs))
		for j := range i {
			if p.alive == 1 || !same(particles[i].of, particles[j].of) {
				f.told = append(f.told, differ(runs[i].outcome, runs[j].outcome, p.alive == 1))
			}
		}
	}
	f.gain = f.beyond(make([]uint8, len(f.told)))
	return f
}

// beyond returns what a forecast tells of what others have not told.
func (f forecast) beyond(told []uint8) float64 {
	sum := 0
	for i, t := range f.told {
		if t > told[i] {
			sum += int(t - told[i])
		}
	}
	return float64(sum) / surely / float64(max(1, len(f.told))) / f.worn
}

// join returns what a forecast and others tell together.
func (f forecast) join(told []uint8) []uint8 {
	all := slices.Clone(f.told)
	for i := range told {
		all[i] = max(all[i], told[i])
	}
	return all
}

// shape describes an experiment roughly, so that one that told nothing is not
// repeated for ever.
func (e experiment) shape() string {
	var text strings.Builder
	for _, s := range e.steps {
		text.WriteString(s.kind() + strconv.Itoa(int(4*math.Log2(1+s.after.Seconds()))) + " ")
	}
	return text.String()
}

// kind describes it more roughly: what is done, not when.
func (e experiment) kind() string {
	var text strings.Builder
	for _, s := range e.steps {
		text.WriteString(s.kind() + " ")
	}
	return text.String()
}

func (s stage) kind() string {
	switch {
	case s.drain:
		return "drain"
	case len(s.sweep) > 0:
		return "sweep"
	case s.count == 1:
		return "one"
	}
	return "burst"
}

// An outcome is what came of each stage: how many were admitted, or which of a
// sweep was.
type outcome []result

type result struct {
	n     int
	exact bool
}

// How surely two outcomes differ by more than chance makes them.
const (
	alike   = 0
	perhaps = 1
	surely  = 2
)

// few is up to how many requests one more is seldom chance.
const few = 5

// differ returns how surely two outcomes of one experiment differ. Where one
// answer is left, and a whole number of it is to be told from the next, one
// more counts however many there are.
func differ(a, b outcome, finely bool) uint8 {
	verdict := uint8(alike)
	for i := range min(len(a), len(b)) {
		x, y := a[i].n, b[i].n
		switch off := math.Abs(float64(x - y)); {
		case a[i].exact && x != y, off > max(1, 0.2*float64(max(x, y))):
			return surely
		case off == 1 && (finely || max(x, y) <= few):
			verdict = perhaps
		}
	}
	return verdict
}
