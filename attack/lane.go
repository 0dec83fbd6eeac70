package attack

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"duckload/scenarios"
)

// A lane is one sender: a vegeta attacker, and the client under it. It is the
// vegeta.Pacer of that attacker, which one goroutine alone asks, and its
// http.RoundTripper.
type lane struct {
	*run
	index int
	group scenarios.Group
	room
	wanted
	events []scenarios.Match // that its requests cause
	turned bool              // it is documented to be turned away

	captured map[string]string // by the setup of its identity

	once     sync.Once // begins the attack, when the first shot is handed out
	jobs     chan job
	finished bool        // jobs is closed; the conductor's
	starts   chan *start // of requests that are made ready, in the order of their moments

	transport http.RoundTripper
	pool      *pool // nil: the transport is not ours
	fast      *fast // nil: net/http
	h2        *h2   // nil: HTTP/1.1, or a connection for each request

	// vegeta numbers its hits when a worker takes them, so the number of a
	// request is known only when it arrives here, in the header X-Vegeta-Seq.
	mu     sync.Mutex
	due    map[uint64]job
	flying atomic.Int64

	order    suspicion
	stranger atomic.Pointer[string] // a source that the target saw instead of ours; nil: none
}

func (r *run) newLane(i int, room room) *lane {
	of := r.plan.Lanes[i]
	group := r.plan.Scenario.Groups[of.Group]
	l := &lane{run: r, index: i, group: group, room: room, wanted: wantedBy(group.Promise), turned: group.Promise.Turned(of.Identity), events: r.plan.Scenario.Webhooks.Matches(group.Name)}
	l.order.init()
	l.jobs = make(chan job, min(queue, room.shots, 1+allQueues/len(r.plan.Lanes)))
	if r.options.Transport != nil {
		l.transport = r.options.Transport(of)
		return l
	}
	l.pool = newPool(r.options, r.target, l.group.Transport, of.Source, l.workers)
	if by := l.group.Transport; by.HTTP != 2 && !by.Fast {
		l.pool.account(&l.order)
	}
	if r.crowded() {
		l.pool.transport.ReadBufferSize, l.pool.transport.WriteBufferSize = crowdedBuffer, crowdedBuffer
	}
	l.transport = l.pool.transport
	switch by := l.group.Transport; {
	case by.Fast:
		l.fast = newFast(l)
	case by.HTTP == 2 && by.OneShot:
		l.transport = &single{transport: l.pool.transport, target: r.target}
	case by.HTTP == 2:
		l.h2 = newH2(l.pool, r.target, r.hurry)
		l.transport = l.h2
	}
	return l
}

// timeout is when a request of the lane is given up.
func (l *lane) timeout() time.Duration {
	return cmp.Or(l.group.Transport.Timeout, l.options.Timeout, defaultTimeout)
}

// attack runs until the lane's jobs are closed, or the run is stopped. An
// attacker serves once, so there is a new one for each run. Its workers are all
// there from the start, because vegeta would otherwise open a connection for
// each that it adds.
func (l *lane) attack() {
	l.starts, l.due = make(chan *start, l.workers), map[uint64]job{}
	attacker := vegeta.NewAttacker(
		vegeta.Workers(uint64(l.workers)),
		vegeta.MaxWorkers(uint64(l.workers)),
		vegeta.MaxBody(0),
		vegeta.Client(&http.Client{Transport: l, CheckRedirect: stay}),
	)
	// The recorder makes the request; vegeta only needs one that is valid, and
	// the shorter it is, the less of it is parsed each time.
	targeter := func(t *vegeta.Target) error {
		t.Method, t.URL = http.MethodGet, "/"
		return nil
	}
	var watching sync.WaitGroup
	if !l.alone() {
		watching.Go(l.watch)
	}
	for range attacker.Attack(targeter, l, 0, "") {
		// What vegeta measured is wider than what was recorded.
	}
	close(l.starts)
	watching.Wait()
	for j := range l.jobs {
		l.leave(j)
	}
	l.linger()
	l.confess()
	l.close()
}

// finish says that no more shots will come. What the lane holds is given back
// when those that it has are over.
func (l *lane) finish() {
	if !l.finished {
		l.finished = true
		close(l.jobs)
	}
}

// stay makes a redirect an answer like any other.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Pace waits for the next shot and its moment. vegeta itself must not wait: it
// sleeps without watching for a stop.
func (l *lane) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	j, ok := l.next()
	if !ok {
		return 0, true
	}
	if !l.arm(&j) {
		l.leave(j)
		return 0, true
	}
	l.mu.Lock()
	l.due[hits] = j
	l.mu.Unlock()
	if l.flying.Add(1) > int64(l.workers) {
		l.waited.Add(1)
	}
	return 0, false
}

// arm waits until a request is to be made ready, or, where the transport is
// not ours, until its moment. It reports whether the run goes on.
func (l *lane) arm(j *job) bool {
	if l.pool == nil {
		return l.clock.until(l.stopped, j.shot.At)
	}
	switch now := l.clock.now(); {
	case j.shot.At <= now: // late already: it is sent when it is made
		return l.stopped.Err() == nil
	case !l.clock.rest(l.stopped, j.shot.At-j.lead):
		return false
	}
	if l.alone() {
		j.start = &start{at: j.shot.At, watch: func() { l.clock.until(l.stopped, j.shot.At) }}
		return true
	}
	j.start = newStart(j.shot.At)
	l.starts <- j.start
	return true
}

// alone reports whether a request of the lane never has another one beside it:
// it watches the clock itself.
func (l *lane) alone() bool { return l.workers == 1 }

// Rate is part of vegeta.Pacer; an attack never calls it.
func (l *lane) Rate(time.Duration) float64 { return 0 }

func (l *lane) next() (job, bool) {
	j, ok := <-l.jobs // closed when the conductors have ended, as they do at a stop
	return j, ok
}

// take returns the job of a vegeta hit. Hit n is the n-th that the pacer let
// go, whichever worker makes it.
func (l *lane) take(hit *http.Request) (job, uint64, bool) {
	seq, err := strconv.ParseUint(hit.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return job{}, 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	j, ok := l.due[seq]
	delete(l.due, seq)
	return j, seq, ok
}

// leave gives up a shot that will not be sent. One that was not due yet is
// none that the plan came to.
func (l *lane) leave(j job) {
	if j.shot.At <= l.clock.now() {
		l.left.Add(1)
	} else {
		l.offered.Add(-1)
	}
	j.from.over(nil)
}

// warm dials the connections of n requests beforehand.
func (l *lane) warm(ctx context.Context, n int) {
	switch {
	case l.h2 != nil:
		l.h2.warm(ctx)
	case l.pool != nil:
		l.pool.warm(ctx, min(n, l.workers))
	}
	if l.fast != nil {
		l.fast.adopt()
	}
}

func (l *lane) close() {
	l.order.over.Store(true)
	if l.fast != nil {
		l.fast.close()
	}
	if l.h2 != nil {
		l.h2.close()
	}
	if l.pool != nil {
		l.pool.close()
	}
}
