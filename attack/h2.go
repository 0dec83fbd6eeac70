package attack

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

// An h2 sends the requests of a lane over one HTTP/2 connection, and over the
// next when that has ended. net/http's pool would dial one for each request of
// a burst, and send again what a server refused that had not yet said how many
// requests it takes at once.
type h2 struct {
	transport *http.Transport
	target    *url.URL
	alive     context.Context // of the run

	places sync.Mutex // one at a time takes one

	mu      sync.Mutex
	conn    *http.ClientConn
	dialled *dialling // the last one; nil: none
	past    []*http.ClientConn

	changes sync.Mutex
	changed chan struct{} // closed when a connection can take more than before
}

// A dialling is a connection that several requests wait for.
type dialling struct {
	done chan struct{}
	err  error
}

func newH2(p *pool, target *url.URL, alive context.Context) *h2 {
	return &h2{transport: p.transport, target: target, alive: alive, changed: make(chan struct{})}
}

// RoundTrip sends a request once. The connection is there, and has a place for
// it, when GotConn is told; GotConn may end the request's context, and nothing
// is sent then.
func (h *h2) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	conn, err := h.reserve(ctx)
	if err != nil {
		return nil, err
	}
	if t := httptrace.ContextClientTrace(ctx); t != nil && t.GotConn != nil {
		t.GotConn(httptrace.GotConnInfo{})
	}
	if err := ctx.Err(); err != nil {
		conn.Release()
		return nil, err
	}
	return conn.RoundTrip(r)
}

// reserve returns a connection with a place for one request.
func (h *h2) reserve(ctx context.Context) (*http.ClientConn, error) {
	for {
		changed := h.change()
		conn, err := h.current(ctx)
		if err != nil {
			return nil, err
		}
		got, ended := h.place(conn)
		switch {
		case got:
			return conn, nil
		case ended:
			h.leave(conn)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// place takes a place for one request on a connection, or says that it will
// never have one again: it takes nothing, and nothing is under way on it.
func (h *h2) place(conn *http.ClientConn) (got, ended bool) {
	h.places.Lock() // from here on there can only be less under way
	defer h.places.Unlock()
	if conn.Reserve() == nil {
		return true, false
	}
	if conn.Err() == nil && conn.InFlight() > 0 {
		return false, false
	}
	got = conn.Reserve() == nil // all of it may have ended just now
	return got, !got
}

// current returns the connection in use. Those who need one at the same time
// share it, or the error.
func (h *h2) current(ctx context.Context) (*http.ClientConn, error) {
	h.mu.Lock()
	if h.conn != nil {
		defer h.mu.Unlock()
		return h.conn, nil
	}
	d := h.dialled
	if d == nil {
		d = &dialling{done: make(chan struct{})}
		h.dialled = d
		go h.dial(d)
	}
	h.mu.Unlock()
	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.err != nil {
		return nil, d.err
	}
	return h.current(ctx)
}

func (h *h2) dial(d *dialling) {
	defer close(d.done)
	conn, err := h.transport.NewClientConn(h.alive, h.target.Scheme, addressOf(h.target))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn, h.dialled, d.err = conn, nil, err
	if err == nil {
		conn.SetStateHook(func(*http.ClientConn) { h.tell() })
	}
}

// leave gives up a connection that takes no more. What is under way on it goes
// on.
func (h *h2) leave(conn *http.ClientConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn == conn {
		h.conn = nil
		h.past = append(h.past, conn)
	}
}

func (h *h2) change() <-chan struct{} {
	h.changes.Lock()
	defer h.changes.Unlock()
	return h.changed
}

func (h *h2) tell() {
	h.changes.Lock()
	defer h.changes.Unlock()
	close(h.changed)
	h.changed = make(chan struct{})
}

// How many requests at once net/http thinks that a server takes before it has
// said so, and how long it may take to say so.
const (
	assumed = 100
	settled = 250 * time.Millisecond
)

// warm connects, and waits for what the server says. One that says what is
// assumed anyway is waited for in vain.
func (h *h2) warm(ctx context.Context) {
	conn, err := h.current(ctx)
	if err != nil {
		return // the requests will meet it again
	}
	for began := time.Now(); conn.Available() == assumed && time.Since(began) < settled && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
	}
}

func (h *h2) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range append(h.past, h.conn) {
		if conn != nil {
			conn.Close()
		}
	}
	h.conn, h.past = nil, nil
}
