package attack

import (
	"bytes"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"duckload/history"
)

// HTTP/1.1 has nothing but their order to tell answers apart. A target that
// answers a request twice, the second time while the next request is under way,
// has answered that one as far as anybody can see, and each later answer on the
// connection is that of the request before. What gives it away is that the
// connection holds one answer more than was asked for: it is left over when the
// connection is idle. Then nobody knows since when, and no answer on it is
// believed from its second request on; that to the first is its own.

// A suspicion is what is known of the order of the answers of a lane. Its
// methods may be called at any time, also by net/http with its locks held.
type suspicion struct {
	since  atomic.Int64 // from when on answers are doubtful; math.MaxInt64: none is
	reused atomic.Bool  // a connection had more than one request
	over   atomic.Bool  // connections are closed by ourselves now, whatever they hold

	slowest atomic.Int64 // longest wait for an answer
	last    atomic.Int64 // when the last request ended

	mu   sync.Mutex
	told int64 // since, as far as it is on record
}

func (s *suspicion) init() {
	s.since.Store(math.MaxInt64)
	s.told = math.MaxInt64
}

// doubt says that something was left over on a connection whose second request
// left at a moment.
func (s *suspicion) doubt(since time.Duration) {
	if !s.over.Load() {
		lower(&s.since, int64(since))
	}
}

// doubts reports whether the answer to a request that left at a moment is
// doubtful.
func (s *suspicion) doubts(sent time.Duration) bool { return int64(sent) >= s.since.Load() }

// saw takes what a request took.
func (s *suspicion) saw(o history.Observation) {
	if o.Answered != history.Never {
		raise(&s.slowest, int64(o.Answered-o.Sent))
	}
	raise(&s.last, int64(o.Done))
}

// news returns from when on answers are doubtful, if that is not on record.
func (s *suspicion) news() (since time.Duration, ok bool) {
	at := s.since.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if at >= s.told {
		return 0, false
	}
	s.told = at
	return time.Duration(at), true
}

func lower(a *atomic.Int64, to int64) {
	for old := a.Load(); to < old && !a.CompareAndSwap(old, to); old = a.Load() {
	}
}

func raise(a *atomic.Int64, to int64) {
	for old := a.Load(); to > old && !a.CompareAndSwap(old, to); old = a.Load() {
	}
}

// confess puts a new doubt on record.
func (l *lane) confess() {
	if since, ok := l.order.news(); ok {
		l.ended <- ended{doubt: &history.Doubt{Lane: l.index, From: since}}
	}
}

// How long a lane waits, after its last request, for an answer that was left
// over: as long as answers take, twice, within bounds; and less in a hurry.
const (
	leastLinger   = 100 * time.Millisecond
	mostLinger    = time.Second
	hurriedLinger = 50 * time.Millisecond
)

// linger waits for what may still come on connections that had more than one
// request.
func (l *lane) linger() {
	if l.pool == nil || l.h2 != nil || !l.order.reused.Load() {
		return
	}
	wait := min(max(leastLinger, 2*time.Duration(l.order.slowest.Load())), mostLinger)
	if l.stopped.Err() != nil {
		wait = hurriedLinger
	}
	l.clock.rest(l.hurry, time.Duration(l.order.last.Load())+wait)
	if l.fast != nil {
		l.fast.inspect()
	}
}

// answerLine is how every answer begins, and farewellLine how one does that a
// server says when it closes an idle connection: it answers nothing.
const (
	answerLine   = "HTTP/1."
	farewellLine = "HTTP/1.1 408"
)

// isAnswer reports whether bytes that nobody asked for may be an answer. The
// rest of a body that is longer than it was said to be is none.
func isAnswer(text []byte) bool {
	text = bytes.TrimLeft(text, "\r\n")
	if len(text) < len(answerLine) {
		return len(text) > 0 && strings.HasPrefix(answerLine, string(text))
	}
	if !bytes.HasPrefix(text, []byte(answerLine)) {
		return false
	}
	return len(text) < len(farewellLine) || string(text[len(answerLine)+1:len(farewellLine)]) != " 408"
}

// holdsAnswer reports whether another answer may begin within the bytes of one.
func holdsAnswer(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	if text = text[1:]; bytes.Contains(text, []byte(answerLine)) {
		return true
	}
	for n := min(len(text), len(answerLine)-1); n > 0; n-- { // the rest of it may not have come yet
		if bytes.HasSuffix(text, []byte(answerLine[:n])) {
			return true
		}
	}
	return false
}

// An account is a connection of net/http that counts what was asked and what
// was answered. net/http reads on while a connection is idle, and closes it if
// something comes.
type account struct {
	net.Conn // the gate, or TLS over it
	order    *suspicion

	mu              sync.Mutex
	asked, answered int
	second          time.Duration // when the second request left
	reading         bool
	ended           bool // reading has
	stray           bool // in what was read last may be an answer that nobody asked for
}

// asks counts a request that leaves now.
func (a *account) asks(at time.Duration) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked++; a.asked == 2 {
		a.second = at
		a.order.reused.Store(true)
	}
}

// unasks says that nothing of the last request left.
func (a *account) unasks() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked--
}

// answers counts an answer that was read to its end, on a connection that goes
// on. net/http calls it between two reads.
func (a *account) answers() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answered++
}

// early says that an answer came to a request of which nothing had left, or
// before it left.
func (a *account) early(left bool) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.asked
	if left {
		before--
	}
	if before >= 2 {
		a.order.doubt(a.second)
	}
}

// Read notes whether reading goes on.
func (a *account) Read(p []byte) (int, error) {
	a.mu.Lock()
	a.reading = true
	a.mu.Unlock()
	n, err := a.Conn.Read(p)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reading, a.ended = false, a.ended || err != nil
	if n > 0 && a.asked == a.answered {
		a.stray = isAnswer(p[:n])
	} else if n > 0 {
		a.stray = holdsAnswer(p[:n])
	}
	return n, err
}

// Close looks for what was left over. Whoever closes a connection on which
// everything was answered, while nothing is being read and reading has not
// ended, has something in its buffer that nobody asked for.
func (a *account) Close() error {
	a.mu.Lock()
	if !a.reading && !a.ended && a.asked == a.answered && a.asked >= 2 && a.stray {
		a.order.doubt(a.second)
	}
	a.mu.Unlock()
	return a.Conn.Close()
}
