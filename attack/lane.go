package attack

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"duckload/scenarios"
)

// A lane is one sender: a vegeta attacker, and the client under it. It is a
// vegeta.Pacer, which is asked by one goroutine alone, and the RoundTripper of
// that attacker.
type lane struct {
	*run
	index   int
	lane    scenarios.Lane
	group   scenarios.Group
	workers int

	jobs chan job

	transport http.RoundTripper
	pool      *pool // nil: the transport is not ours

	// vegeta numbers its hits when a worker takes them, so the number of a
	// request is known only when it arrives here, in the header X-Vegeta-Seq.
	mu  sync.Mutex
	due map[uint64]job
}

// queue is how many shots a lane holds that are not due yet.
const queue = 256

// Workers of a lane: as many as its plan could have under way at once. They
// are all there from the start, because vegeta would otherwise open a
// connection for each that it adds, and lose hits in silence at the bound.
const (
	leastWorkers = 16
	mostWorkers  = 512
)

func (r *run) newLane(i int) (*lane, error) {
	l := &lane{run: r, index: i, lane: r.plan.Lanes[i], jobs: make(chan job, queue), due: map[uint64]job{}}
	l.group = r.plan.Scenario.Groups[l.lane.Group]
	l.workers = workersFor(r.plan, i)
	if r.options.Transport != nil {
		l.transport = r.options.Transport(l.lane)
		return l, nil
	}
	l.pool = newPool(r.options, r.target, l.lane.Source, l.workers)
	l.transport = l.pool.transport
	return l, nil
}

func workersFor(plan scenarios.Plan, lane int) int {
	most := leastWorkers
	for _, t := range plan.Tracks {
		for _, p := range t.Phases {
			for _, of := range p.Lanes {
				if of == lane {
					most = max(most, p.Count, int(max(p.Rate, p.To)))
				}
			}
		}
	}
	return min(most, mostWorkers)
}

// attack runs until the lane's jobs are closed, or the run is stopped. An
// attacker serves once.
func (l *lane) attack() {
	attacker := vegeta.NewAttacker(
		vegeta.Workers(uint64(l.workers)),
		vegeta.MaxWorkers(uint64(l.workers)),
		vegeta.MaxBody(0),
		vegeta.Client(&http.Client{
			Transport:     l,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	)
	// The recorder makes the request; vegeta only needs one that is valid.
	targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: l.target.String()})
	for range attacker.Attack(targeter, l, 0, "") {
		// What vegeta measured is wider than what the recorder did.
	}
	for j := range l.jobs {
		l.leave(j)
	}
}

// Pace waits for the next shot and its moment. vegeta itself must not wait: it
// sleeps without watching for a stop.
func (l *lane) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	var j job
	var ok bool
	select {
	case j, ok = <-l.jobs:
	case <-l.stopped.Done():
	}
	if !ok {
		return 0, true
	}
	if !l.clock.until(l.stopped, j.shot.At) {
		l.leave(j)
		return 0, true
	}
	l.mu.Lock()
	l.due[hits] = j
	l.mu.Unlock()
	return 0, false
}

// Rate is part of vegeta.Pacer and never called by an attack.
func (l *lane) Rate(time.Duration) float64 { return 0 }

// String names the lane.
func (l *lane) String() string { return fmt.Sprintf("lane %d", l.index) }

// leave gives up a shot that will not be sent.
func (l *lane) leave(j job) {
	l.left.Add(1)
	j.from.over(nil)
}

// take returns the job of a vegeta hit.
func (l *lane) take(r *http.Request) (job, uint64, bool) {
	seq, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return job{}, 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	j, ok := l.due[seq]
	delete(l.due, seq)
	return j, seq, ok
}

func (l *lane) warm(ctx context.Context, n int) {
	if l.pool != nil {
		l.pool.warm(ctx, min(n, l.workers))
	}
}

func (l *lane) close() {
	if l.pool != nil {
		l.pool.close()
	}
}
