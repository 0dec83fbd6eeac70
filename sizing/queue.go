package sizing

import (
	"math"
	"sync"
	"time"

	"duckload/trace"
)

// An engine makes passes over a recording.
type engine struct {
	spool  *trace.Spool
	scope  Scope
	window time.Duration
	days   int
}

// keys returns how many counters there are.
func (e engine) keys() int {
	if e.scope == All {
		return 1
	}
	return e.spool.Keys()
}

// counter returns which counter the request of a pass belongs to.
func (e engine) counter(p *trace.Pass) int {
	if e.scope == All {
		return 0
	}
	return int(p.Key)
}

// rate is a limit in whole numbers: work falls by limit in a nanosecond, and a
// request is cost of it. Growth divides the gaps between requests, which is the
// same as a request that costs more.
type rate struct {
	limit, cost int64
	far         int64 // after so long no work is left, however much there was
}

// most bounds the work of a queue, so that one more request fits.
const most = math.MaxInt64 / 4

func rateOf(limit int64, window time.Duration, growth float64) rate {
	cost := int64(math.Round(float64(window) * growth))
	a, b := limit, cost
	for b != 0 {
		a, b = b, a%b
	}
	return rate{limit: limit / a, cost: cost / a, far: most / (limit / a)}
}

// fallen returns what is left of some work after a time.
func (r rate) fallen(work, gap int64) int64 {
	if gap > r.far {
		return 0
	}
	return max(0, work-gap*r.limit)
}

// A queue is the work that waits at a rate if nothing is ever rejected.
type queue struct {
	rate  rate
	daily bool

	most  int64 // the greatest that any had
	byDay []int64

	weights *weights // nil: not weighed
}

func (e engine) queue(limit int64, growth float64) *queue {
	return &queue{rate: rateOf(limit, e.window, growth)}
}

// burst returns the least burst that rejects nothing.
func (q *queue) burst() int64 { return (q.most + q.rate.cost - 1) / q.rate.cost }

// days returns the same for each day; work that is left at midnight counts for
// both.
func (q *queue) days() []int64 {
	all := make([]int64, len(q.byDay))
	for i, work := range q.byDay {
		all[i] = (work + q.rate.cost - 1) / q.rate.cost
	}
	return all
}

// room is how much memory the states of one pass may take.
const room = 256 << 20

// batches splits work on n things, each with a state for every counter, so that
// the states of those that run side by side fit.
func (e engine) batches(n, bytesOfState int, run func(from, to int) error) error {
	size := max(1, min(n, room/2/max(1, e.keys()*bytesOfState)))
	if size == n && n > 1 {
		size = (n + 1) / 2 // one for each of two threads
	}
	slots := make(chan struct{}, 2)
	results := make(chan error, (n+size-1)/size)
	var all sync.WaitGroup
	for from := 0; from < n; from += size {
		slots <- struct{}{}
		all.Go(func() {
			results <- run(from, min(n, from+size))
			<-slots
		})
	}
	all.Wait()
	close(results)
	for err := range results {
		if err != nil {
			return err
		}
	}
	return nil
}

// queues lets some queues take every request.
func (e engine) queues(all []*queue) error {
	return e.batches(len(all), 8, func(from, to int) error { return e.pass(all[from:to]) })
}

func (e engine) pass(queues []*queue) error {
	n := len(queues)
	work := make([]int64, n*e.keys())
	last := make([]int64, e.keys())
	rates := make([]rate, n)
	peaks := make([]int64, n)
	var daily []*queue
	at := make([]int, 0, n)
	for i, q := range queues {
		rates[i] = q.rate
		if q.daily {
			daily, at = append(daily, q), append(at, i)
		}
	}
	day := int64(math.MinInt64)
	p := e.spool.Pass()
	for p.Next() {
		key := e.counter(p)
		gap := p.At - last[key]
		last[key] = p.At
		own := work[key*n : key*n+n : key*n+n]
		for i := range own {
			r := &rates[i]
			w := min(r.fallen(own[i], gap)+r.cost, most)
			own[i] = w
			peaks[i] = max(peaks[i], w)
		}
		if len(daily) > 0 {
			if d := p.At / 86400e9; d != day {
				day = d
				for _, q := range daily {
					q.byDay = append(q.byDay, 0)
				}
			}
			for j, q := range daily {
				q.byDay[len(q.byDay)-1] = max(q.byDay[len(q.byDay)-1], own[at[j]])
			}
		}
	}
	for i, q := range queues {
		q.most = peaks[i]
	}
	return p.Err()
}
