package attack

import (
	"context"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"time"
)

// A trace notes the moments of one request. Its hooks are called from several
// goroutines of the transport.
type trace struct {
	clock *clock

	// allowed is asked when a connection is ready and nothing was sent on it.
	// By then the run may be over, or the transport may be about to send a
	// second time, of which nobody else would know. nil: always.
	allowed func(attempts int) bool
	cancel  context.CancelFunc
	start   *start // the first attempt waits for it

	mu       sync.Mutex
	tries    []time.Duration // each attempt: nothing had been sent before
	one      [1]time.Duration
	refused  bool          // allowed said no
	first    time.Duration // first byte of an answer, perhaps not the final one
	hasFirst bool
	interim  int   // 1xx answers that came before the final one
	over     bool  // what has not left by now must not leave any more
	through  *gate // which the last attempt went through; nil: none
	errand   bool  // it is none of the plan's, and its moments are not those of the run
}

// trace returns the trace of a request that ends with cancel.
func (l *lane) trace(cancel context.CancelFunc) *trace {
	t := &trace{clock: &l.clock, cancel: cancel}
	if l.pool != nil {
		t.allowed = func(attempts int) bool {
			if attempts == 0 {
				return l.going() // it was counted before the connection was asked for
			}
			return l.may()
		}
	}
	return t
}

// maxInterim is how many 1xx answers may come before the final one. Servers
// send one or two; one that sends them for ever would be read for ever.
const maxInterim = 50

var errInterim = fmt.Errorf("more than %d interim answers: no HTTP that anybody speaks", maxInterim)

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              t.gotConn,
		GotFirstResponseByte: t.gotFirstByte,
		PutIdleConn:          t.putIdle,
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.interim++; t.interim > maxInterim {
				return errInterim
			}
			return nil
		},
	}
}

// gotConn waits for the moment, or leaves that to the gate that the request
// goes through.
func (t *trace) gotConn(info httptrace.GotConnInfo) {
	if g := gateOf(info.Conn); g != nil {
		t.mu.Lock()
		t.through = g
		t.mu.Unlock()
		g.next.Store(t)
		return
	}
	t.start.wait()
	_ = t.leave(info.Conn) // without its connection and its context, nothing of a refused request can be sent
}

// leave notes that the first byte of an attempt may leave from now on, or
// refuses it.
func (t *trace) leave(c net.Conn) error {
	at := t.clock.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.allowed != nil && !t.allowed(len(t.tries)) {
		t.refused = !t.over
		if c != nil { // one that is not shared
			c.Close()
		}
		t.cancel()
		return errNotSent
	}
	if t.tries == nil {
		t.tries = t.one[:0]
	}
	t.tries = append(t.tries, at)
	return nil
}

// pass writes the first bytes of an attempt. If none of them left, it was
// none: the connection was closed while the request waited for its moment.
func (t *trace) pass(g *gate, p []byte) (int, error) {
	if err := t.leave(g.Conn); err != nil {
		return 0, err
	}
	at, _ := t.sent()
	if t.errand {
		at = 0
	}
	g.account.asks(at)
	n, err := g.Conn.Write(p)
	if err != nil && n == 0 {
		g.account.unasks()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.tries = t.tries[:len(t.tries)-1]
	}
	return n, err
}

func (t *trace) gotFirstByte() {
	at := t.clock.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.first, t.hasFirst = at, true
}

// sent returns the moment at which the last attempt could send its first byte.
func (t *trace) sent() (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.tries) == 0 {
		return 0, false
	}
	return t.tries[len(t.tries)-1], true
}

// starved returns how reading ended on the connection of the last attempt; nil:
// it did not. net/http takes an answer that breaks off for a malformed one.
func (t *trace) starved() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.through == nil {
		return nil
	}
	if lost := t.through.lost.Load(); lost != nil {
		return *lost
	}
	return nil
}

// putIdle is told when an answer was read to its end, and the connection goes on.
func (t *trace) putIdle(err error) {
	t.mu.Lock()
	through := t.through
	t.mu.Unlock()
	if through != nil && err == nil {
		through.account.answers()
	}
}

// early reports whether the answer began before the request was sent: it is
// somebody else's, such as a server's farewell to an idle connection.
func (t *trace) early() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.tries) == 0 || t.hasFirst && t.first < t.tries[len(t.tries)-1]
}

// unasked notes that what came for this request was nobody's answer.
func (t *trace) unasked() {
	t.mu.Lock()
	through, left := t.through, len(t.tries) > 0
	t.mu.Unlock()
	if through != nil {
		through.account.early(left)
	}
}

// end returns when the request was sent, each time, and whether it was kept
// from being sent once more. Nothing of it leaves from now on: a transport
// that has given up may still hold a write that waits for its moment.
func (t *trace) end() (tries []time.Duration, refused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	return t.tries, t.refused
}

// answered returns the moment of the first byte of the final answer. After an
// interim answer the first byte was the wrong one; the final one had come by
// the time the transport returned it.
func (t *trace) answered(returned time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.hasFirst || t.interim > 0 {
		return returned
	}
	return t.first
}
