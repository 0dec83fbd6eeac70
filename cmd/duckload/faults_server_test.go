package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/limiter"
)

// A faulty is a server whose limiter is truthful and whose answers are not all
// well: a fault strikes some. It speaks in bytes, for no server library would
// say what it has to.
type faulty struct {
	fault
	listener net.Listener
	config   *tls.Config // nil: no TLS
	began    time.Time
	served   sync.WaitGroup
	accepted atomic.Int64
	strikes  atomic.Int64 // of the fault

	mu       sync.Mutex
	limit    limiter.Limiter
	requests int
	struck   map[uint64]bool // by number of request: whether the fault met it
	said     map[uint64]int  // by number of request: the status that the limiter decided on
	open     map[net.Conn]struct{}
	ended    bool
}

func newFaulty(t *testing.T, f fault, transport string) *faulty {
	promise := limiter.Limit{Limit: 50, Window: time.Second, Burst: 10, Reading: limiter.TokenBucket}
	limit, err := limiter.ModelOf(promise).New(promise)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if f.every == 0 {
		f.every = 3
	}
	s := &faulty{fault: f, listener: l, began: time.Now(), limit: limit, struck: map[uint64]bool{}, said: map[uint64]int{}, open: map[net.Conn]struct{}{}}
	switch {
	case f.tls != nil:
		s.config = f.tls(s)
	case transport == "h2":
		s.config = offering("h2")(s)
	}
	s.served.Go(s.accept)
	return s
}

// url is where requests are to go.
func (s *faulty) url() string {
	switch {
	case s.at != nil:
		return s.at(s)
	case s.config != nil:
		return "https://" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

func (s *faulty) port() string {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return port
}

func (s *faulty) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.open[c] = struct{}{}; s.ended {
			c.Close()
		}
		s.mu.Unlock()
		s.served.Go(func() {
			s.connection(c)
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
			c.Close()
		})
	}
}

// close ends every connection.
func (s *faulty) close() {
	s.listener.Close()
	s.mu.Lock()
	s.ended = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.served.Wait()
}

func (s *faulty) connection(c net.Conn) {
	s.accepted.Add(1)
	if s.greet != nil {
		if c = s.greet(s, c); c == nil {
			return
		}
	}
	if s.config != nil {
		secure := tls.Server(c, s.config)
		if secure.Handshake() != nil {
			return
		}
		c = secure
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			s.serveStreams(c)
			return
		}
	}
	r := bufio.NewReader(c)
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		x := &exchange{Conn: c, r: r, request: request, faulty: s, seq: request.URL.Query().Get("seq")}
		if struck := s.meet(x.seq); struck && s.strike != nil {
			s.strike(x)
			if !x.goes {
				return
			}
			continue
		}
		io.Copy(io.Discard, request.Body)
		x.say("%s", x.honest())
	}
}

// nth reports whether a connection is one that the fault strikes. The first is
// the one that is made before anything is sent.
func (s *faulty) nth() bool {
	if int(s.accepted.Load()-1)%s.every != s.every-1 {
		return false
	}
	s.strikes.Add(1)
	return true
}

// meet counts a request and reports whether the fault strikes it.
func (s *faulty) meet(seq string) bool {
	n, err := strconv.ParseUint(seq, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	struck := s.requests%s.every == 0 && s.choosy()
	if struck {
		s.strikes.Add(1)
	}
	if err == nil {
		s.struck[n] = s.struck[n] || struck
	}
	return struck
}

// choosy reports whether the fault meets single requests.
func (f fault) choosy() bool { return f.strike != nil || f.stream != nil }

// struckBy reports whether the fault met a request. It is not known of those
// that the fault kept from arriving.
func (s *faulty) struckBy(seq uint64) (struck, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	struck, known = s.struck[seq]
	return struck, known && s.choosy()
}

// answered returns what the limiter decided about a request; 0: it was not asked.
func (s *faulty) answered(seq uint64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said[seq]
}

// decide asks the limiter about one request, whose number is seq.
func (s *faulty) decide(seq string) (status int, retryAfter int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	decision, after := s.limit.Take(time.Since(s.began))
	s.limit, status = after, http.StatusOK
	if !decision.OK {
		status = http.StatusTooManyRequests
	}
	if n, err := strconv.ParseUint(seq, 10, 64); err == nil {
		s.said[n] = status
	}
	if decision.OK {
		return status, 0
	}
	return status, int(math.Ceil(decision.Wait.Seconds()))
}

// An exchange is one request on its way through the fault.
type exchange struct {
	net.Conn
	r       *bufio.Reader
	request *http.Request
	faulty  *faulty
	seq     string // number of the request
	goes    bool   // the connection goes on
}

func (x *exchange) decide() (status, retryAfter int) { return x.faulty.decide(x.seq) }

// head returns the honest status line and fields, without an empty line.
func (x *exchange) head() string {
	status, wait := x.decide()
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	if wait > 0 {
		text += fmt.Sprintf("Retry-After: %d\r\n", wait)
	}
	return text
}

// honest returns a whole, honest answer.
func (x *exchange) honest() string { return x.head() + "Content-Length: 2\r\n\r\nok" }

// say writes to the client, who may have left.
func (x *exchange) say(format string, args ...any) error {
	_, err := fmt.Fprintf(x.Conn, format, args...)
	return err
}

// hang waits until the other side leaves, or the test ends.
func (x *exchange) hang() { io.Copy(io.Discard, x.r) }

// reset cuts the connection in a way that the other side notices as such.
func reset(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}
