package attack

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// A fast is a lean HTTP/1.1 client for load: fasthttp's requests and answers
// over the lane's own connections. fasthttp's client is not used, because it
// sends again by itself; here a request is written once, and what became of it
// is what is recorded.
type fast struct {
	*lane
	same []func() (words, error) // of each request of the group that never changes; nil: it does

	mu    sync.Mutex
	idle  []*line // the last used is the first to be used again
	all   map[*line]struct{}
	ended bool
	unset func() bool
}

func newFast(l *lane) *fast {
	f := &fast{lane: l, same: l.constants(), all: map[*line]struct{}{}}
	f.unset = context.AfterFunc(l.hurry, f.end)
	return f
}

// send writes a request, reads its answer and fills in its observation.
func (f *fast) send(o *history.Observation, begin *start, timeout time.Duration) (s sending) {
	deadline := time.Now().Add(timeout)
	o.Sent = max(f.clock.now(), o.Intended) // unless a connection was got, which is later
	to, err := f.take(deadline)
	if err == nil {
		err = f.over(to, o, begin, deadline, &s)
		f.put(to, err)
	}
	if o.Done == 0 {
		o.Done = max(f.clock.now(), o.Sent)
	}
	if errors.Is(err, errLeftOver) {
		err = nil
	}
	if err != nil && o.Answered == history.Never && !s.refused && f.shows() {
		f.tell(o, nil, nil, err)
	}
	s.err, s.class = err, class(err, f.hurry)
	return s
}

// over makes the exchange over a connection that is ready.
func (f *fast) over(to *line, o *history.Observation, begin *start, deadline time.Time, s *sending) error {
	if err := f.prepare(to, o); err != nil {
		return err
	}
	if err := to.SetDeadline(deadline); err != nil {
		return err
	}
	if len(to.words.text) > fits {
		begin.wait()
		begin = nil
	}
	var err error
	begin.by(func() { err = f.fire(to, o, s) })
	if err != nil {
		return err
	}
	// The others first: meanwhile the answer may come, and one that is there
	// needs no look in vain and nobody to wake up for it.
	runtime.Gosched()
	answered, err := to.read(&f.clock)
	if err != nil {
		return err
	}
	o.Answered, o.Status = answered, to.answer.StatusCode()
	paths, shown := f.wants(o.Status), f.shows()
	kept, n, err := to.body(len(paths) > 0 || shown)
	o.BytesIn, o.Done = n, f.clock.now()
	if shown {
		f.tell(o, to, kept, err)
	}
	o.Evidence = to.evidence(worth(kept, paths), paths)
	return err
}

// tell shows an exchange. from is where its answer came from; nil: none came.
func (f *fast) tell(o *history.Observation, from *line, body []byte, err error) {
	request, _, wrong := f.lane.request(f.hurry, o)
	if wrong != nil {
		return // it could not be sent either
	}
	var response *http.Response
	if from != nil {
		response = &http.Response{StatusCode: o.Status, Header: http.Header{}}
		for name, value := range from.answer.All() {
			response.Header.Add(string(name), string(value))
		}
	}
	if errors.Is(err, errLeftOver) {
		err = nil
	}
	f.show(request, response, body, err)
}

// fits is how long a request may be that others wait for: longer ones may not
// find room in the connection at once.
const fits = 16 << 10

// fire writes what is ready. The run may be over by now.
func (f *fast) fire(to *line, o *history.Observation, s *sending) error {
	if !to.usable() { // any more: the request had to wait for its moment
		return errEarly
	}
	at := f.clock.now()
	if !f.going() { // it was counted before the connection was asked for
		s.refused = true
		return errNotSent
	}
	o.Sent = at
	s.tries = to.once(at)
	if to.leaves(at) {
		f.order.reused.Store(true)
	}
	return to.write()
}

// adopt makes the connections that were dialled beforehand ready for use, in
// the place of those that have been idle.
func (f *fast) adopt() {
	var ready []*line
	for c := f.pool.spare(); c != nil; c = f.pool.spare() {
		to := newLine(c)
		to.since = time.Now()
		ready = append(ready, to)
	}
	f.mu.Lock()
	before := f.idle
	f.idle = ready
	for _, to := range ready {
		f.all[to] = struct{}{}
		if f.ended {
			to.Close()
		}
	}
	f.mu.Unlock()
	for _, to := range before {
		f.drop(to)
	}
}

// prepare puts the request of a number in the lane into words.
func (f *fast) prepare(to *line, o *history.Observation) (err error) {
	o.Request = f.group.Pick(o.Seq)
	if same := f.same[o.Request]; same != nil && o.Look == limiter.LookNone {
		to.words, err = same()
	} else {
		m := f.message(o)
		o.Request = m.Request
		to.words, err = f.words(m, &to.buffer)
	}
	o.BytesOut = int64(to.payload)
	return err
}

// take returns a connection that is ready: one that is idle, one that was
// dialled beforehand, or a new one.
func (f *fast) take(deadline time.Time) (*line, error) {
	for {
		to := f.last()
		if to == nil {
			break
		}
		old := time.Since(to.since) >= idle
		if !old && to.usable() {
			return to, nil
		}
		if !old {
			f.suspect(to)
		}
		f.drop(to)
	}
	ctx, cancel := context.WithDeadline(f.hurry, deadline)
	defer cancel()
	c, err := f.pool.take(ctx, "tcp", f.pool.address)
	if err != nil {
		return nil, err
	}
	to := newLine(c)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		c.Close()
		return nil, context.Canceled
	}
	to.since = time.Now()
	f.all[to] = struct{}{}
	return to, nil
}

func (f *fast) last() *line {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.idle)
	if n == 0 {
		return nil
	}
	to := f.idle[n-1]
	f.idle = f.idle[:n-1]
	return to
}

// put keeps a connection for the next request, if that can use it.
func (f *fast) put(to *line, err error) {
	if err != nil || f.group.Transport.OneShot || !to.clean() {
		if errors.Is(err, errEarly) || err == nil && to.unread() {
			f.suspect(to)
		}
		f.drop(to)
		return
	}
	to.rest()
	to.since = time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, to)
}

// suspect looks at what a connection holds that is given up.
func (f *fast) suspect(to *line) {
	if to.uses >= 2 && to.leftOver() {
		f.order.doubt(to.second)
	}
}

// inspect looks at all connections, which are not used any more.
func (f *fast) inspect() {
	for to := f.last(); to != nil; to = f.last() {
		if !canLook || !to.quiet() {
			f.suspect(to)
		}
		f.drop(to)
	}
}

func (f *fast) drop(to *line) {
	to.Close()
	to.rest()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, to)
}

// end cuts every connection, and with it the requests under way.
func (f *fast) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended, f.idle = true, nil
	for to := range f.all {
		to.Close()
	}
}

func (f *fast) close() {
	f.unset()
	f.end()
}
