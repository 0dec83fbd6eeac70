package bench

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Rounds are measurements of several contestants, one of each a round.
type rounds struct {
	names  []string
	values map[string][]float64
	taken  []float64 // share of a processor that others took, before each round
}

// A contestant is measured once a round.
type contestant struct {
	name    string
	measure func() float64
}

// compete measures each contestant in each round, in turns: what disturbs the
// machine for a while disturbs all of them.
func compete(n int, all ...contestant) rounds {
	r := rounds{values: map[string][]float64{}}
	for range n {
		r.taken = append(r.taken, takenByOthers())
		for _, c := range all {
			if r.values[c.name] == nil {
				r.names = append(r.names, c.name)
			}
			r.values[c.name] = append(r.values[c.name], c.measure())
		}
	}
	return r
}

func (r rounds) median(name string) float64 { return median(r.values[name]) }

// A ratio is what one contestant reached against another in the same round:
// the median of all rounds, and between which values half of them are.
type ratio struct{ mid, low, high float64 }

func (r rounds) ratio(name, to string) ratio {
	var all []float64
	for i, v := range r.values[name] {
		all = append(all, v/r.values[to][i])
	}
	return ratio{median(all), quantile(all, 0.25), quantile(all, 0.75)}
}

func (r ratio) String() string { return fmt.Sprintf("%.2f (%.2f to %.2f)", r.mid, r.low, r.high) }

// atMost and atLeast say how a ratio stands beside what was aimed at.
func (r ratio) atMost(aim float64) string  { return r.against("≤", aim, r.mid <= aim) }
func (r ratio) atLeast(aim float64) string { return r.against("≥", aim, r.mid >= aim) }

func (r ratio) against(word string, aim float64, met bool) string {
	if met {
		return fmt.Sprintf("%v, aim %s %g: met", r, word, aim)
	}
	return fmt.Sprintf("%v, aim %s %g: not met", r, word, aim)
}

// noisy is from which share on that others take of a processor the numbers are
// to be doubted.
const noisy = 0.02

// quiet says whether the machine was left to the measurement.
func (r rounds) quiet() string {
	mid, most := median(r.taken), slices.Max(r.taken)
	text := fmt.Sprintf("%d rounds; ratios are medians of rounds, with quartiles. Between rounds others took %.1f %% of a processor, at most %.1f %%", len(r.taken), 100*mid, 100*most)
	if mid > noisy {
		return text + ": NOISY, do not trust a ratio near its aim."
	}
	return text + "."
}

// takenByOthers spins for a moment, when nothing of ours runs, and returns the
// share of the time for which it was not let run.
func takenByOthers() float64 {
	const long, step = 60 * time.Millisecond, 20 * time.Microsecond // a look at the clock takes less than a step
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var lost time.Duration
	began := time.Now()
	last := began
	for last.Sub(began) < long {
		now := time.Now()
		if gap := now.Sub(last); gap > step {
			lost += gap
		}
		last = now
	}
	return float64(lost) / float64(last.Sub(began))
}
