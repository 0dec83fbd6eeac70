package sizing

import "math/bits"

// weights says how often bursts of which size were found: exactly up to 64,
// above it in 32 steps for each power of two.
type weights struct {
	found []int // requests that found so much work, their own included
	peaks []int // busy periods that rose so far
}

const fine = 32

// step returns where a burst is counted; from returns the least burst there.
func step(burst int64) int {
	if burst < 2*fine {
		return int(burst)
	}
	power := bits.Len64(uint64(burst)) - bits.Len64(2*fine) + 1
	return fine*power + int(burst>>power)
}

func from(step int) int64 {
	if step < 2*fine {
		return int64(step)
	}
	power := step/fine - 1
	return int64(step-fine*power) << power
}

// weigh counts the bursts of some queues.
func (e engine) weigh(all []*queue) error {
	return e.batches(len(all), 16, func(first, last int) error {
		queues := all[first:last]
		n := len(queues)
		type state struct{ work, peak int64 }
		states := make([]state, n*e.keys())
		moments := make([]int64, e.keys())
		counts := make([]weights, n)
		for i := range counts {
			counts[i] = weights{make([]int, step(1<<62)+1), make([]int, step(1<<62)+1)}
		}
		p := e.spool.Pass()
		for p.Next() {
			key := e.counter(p)
			gap := p.At - moments[key]
			moments[key] = p.At
			own := states[key*n : key*n+n : key*n+n]
			for i := range own {
				r, s, c := queues[i].rate, &own[i], &counts[i]
				if s.work > 0 {
					if s.work = r.fallen(s.work, gap); s.work == 0 {
						c.peaks[step(s.peak)]++
						s.peak = 0
					}
				}
				s.work = min(s.work+r.cost, most)
				burst := (s.work + r.cost - 1) / r.cost
				c.found[step(burst)]++
				s.peak = max(s.peak, burst)
			}
		}
		for k, s := range states {
			if s.peak > 0 {
				counts[k%n].peaks[step(s.peak)]++
			}
		}
		for i, q := range queues {
			q.weights = &counts[i]
		}
		return p.Err()
	})
}

// bounds returns a burst that rejects more than wanted, or 0, and one that does
// not. A bucket that rejects never holds more work than a queue that does not,
// so it rejects at most the requests that find more than its burst there. And
// in a busy period of the queue that rises to some burst, a smaller bucket
// rejects at least the difference, for what it lets in alone must fit.
func (q *queue) bounds(want int) (few, enough int64) {
	enough = q.burst()
	if want == 0 {
		return enough - 1, enough
	}
	above := 0
	for i := len(q.weights.found) - 1; i >= 0; i-- {
		above += q.weights.found[i]
		if above > want {
			enough = min(enough, from(i+1)-1)
			break
		}
	}
	over, missing := 0, 0 // periods that rise above the step, and by how much in all
	for i := len(q.weights.peaks) - 1; i > 0; i-- {
		// Every period that is counted here rose at least to the step's least.
		over += q.weights.peaks[i]
		if missing += over * int(from(i)-from(i-1)); missing > want {
			return min(from(i-1), enough-1), enough
		}
	}
	return 0, enough
}
