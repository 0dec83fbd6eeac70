package probe

import (
	"math/rand/v2"
	"time"
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

// A planner chooses experiments.
type planner struct {
	rng        *rand.Rand
	capacity   int           // the most that was admitted at once
	trip       time.Duration // from sending to answer
	fresh      []int         // keys that were never used
	used       []int         // keys that were, the one in use first
	perRequest time.Duration // how much time is worth one request
	most       time.Duration // the longest that an experiment may take
	precise    float64

	rounds int
	alive  int            // how many answers were left
	made   map[string]int // how often an experiment of a shape or a kind was chosen since then
}

// leastGain is the least chance to tell two points apart that is worth a try.
const leastGain = 0.01

// mostAlike is how often an experiment of one shape may be in vain.
const mostAlike = 3

// decisive is how near to the most that can be told an experiment must come.
// Cheap ones that tell next to nothing would be made for ever.
const decisive = 0.6

// next returns the experiments that promise most for what they cost, to be made
// side by side, each on a key of its own; none: nothing is worth a try.
func (p *planner) next(all beliefs, now time.Duration) []experiment {
	particles := all.particles(p.rng)
	if p.rounds++; p.rounds%3 == 0 {
		particles = all.doubted(particles)
	}
	if n := all.answers(); n != p.alive {
		p.alive, p.made = n, map[string]int{} // something was learned: what was in vain may not be now
	}
	if p.alive == 0 {
		return nil
	}
	var forecasts []forecast
	most := 0.0
	for _, prefix := range p.prefixes(particles) {
		for _, f := range p.foretell(particles, prefix, now) {
			if f.gain >= leastGain && f.takes <= p.most && p.made[f.shape()] < mostAlike {
				forecasts, most = append(forecasts, f), max(most, f.gain)
			}
		}
	}
	return p.choose(forecasts, decisive*most)
}

// sideBySide is how many experiments are made at once at most.
const sideBySide = 8

// choose takes the forecast that is worth most, then others that tell what it
// leaves open, as long as doing them later would cost more time than they cost
// in requests.
func (p *planner) choose(all []forecast, least float64) []experiment {
	var chosen []experiment
	var told []uint8
	var longest time.Duration
	taken, fresh := map[int]bool{}, p.fresh
	for len(chosen) < sideBySide {
		best, worth := -1, 0.0
		for i, f := range all {
			unused := len(p.fresh) > 0 && f.key == p.fresh[0]
			if taken[f.key] && !unused || unused && len(fresh) == 0 {
				continue
			}
			gain := f.gain
			if told != nil {
				gain = f.beyond(told)
				if gain < leastGain || 5+f.requests > gain/f.gain*float64(f.takes)/float64(p.perRequest) {
					continue
				}
			} else if gain < least {
				continue
			}
			if w := gain / (5 + f.requests + float64(max(0, f.takes-longest))/float64(p.perRequest)); w > worth {
				best, worth = i, w
			}
		}
		if best < 0 {
			break
		}
		f := all[best]
		told = f.join(told)
		longest = max(longest, f.takes)
		p.made[f.shape()]++
		p.made[f.kind()]++
		if len(fresh) > 0 && f.key == p.fresh[0] {
			f.key, fresh = fresh[0], fresh[1:]
		}
		taken[f.key] = true
		chosen = append(chosen, f.experiment)
	}
	return chosen
}
