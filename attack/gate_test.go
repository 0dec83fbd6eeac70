package attack

import (
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// behind returns a request that has its connection and waits in its gate, and
// the other end.
func behind(t *testing.T, moment time.Duration) (g *gate, of *trace, there net.Conn) {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	g = &gate{Conn: here}
	clock := newClock(false)
	of = &trace{clock: &clock, cancel: func() {}, start: newStart(moment)}
	of.gotConn(httptrace.GotConnInfo{Conn: g})
	return g, of, there
}

// goes lets a request go at its moment, as the watch of a lane does.
func (s *start) goes(at time.Duration) {
	time.Sleep(at)
	if s.begin() {
		tell([]*start{s})
	}
}

func TestAGateOpensAtTheMoment(t *testing.T) {
	for _, length := range []int{100, fits + 1} {
		synctest.Test(t, func(t *testing.T) {
			g, of, there := behind(t, time.Second)
			go of.start.goes(time.Second)
			go func() {
				g.Write([]byte(strings.Repeat("x", length)))
				g.Write([]byte("rest"))
			}()
			began := time.Now()
			got := make([]byte, length+4)
			if _, err := io.ReadFull(there, got); err != nil || string(got[length:]) != "rest" {
				t.Fatalf("got %.10q…, %v, want the whole request", got, err)
			}
			if at, ok := of.sent(); !ok || at != time.Second || time.Since(began) != time.Second {
				t.Errorf("%d bytes were sent at %v and came after %v, want the moment, 1 s", length, at, time.Since(began))
			}
		})
	}
}

// A connection may die under a request that waits. Then no attempt was made,
// and the transport may make one on another.
func TestAnAttemptOfWhichNoByteLeftIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, of, there := behind(t, time.Second)
		there.Close()
		go of.start.goes(time.Second)
		if n, err := g.Write([]byte("x")); n != 0 || err == nil {
			t.Fatalf("got %d bytes written, %v, want an error", n, err)
		}
		if tries, refused := of.end(); len(tries) != 0 || refused {
			t.Errorf("got attempts at %v, refused: %v, want none", tries, refused)
		}
	})
}

func TestAGateStaysShutWhenTheRunIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, of, there := behind(t, time.Second)
		of.allowed = func(int) bool { return false }
		go of.start.goes(time.Second)
		if n, err := g.Write([]byte("x")); n != 0 || !errors.Is(err, errNotSent) {
			t.Errorf("got %d bytes written, %v, want none", n, err)
		}
		if _, err := there.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v at the other end, want a closed connection", err)
		}
		if tries, refused := of.end(); len(tries) != 0 || !refused {
			t.Errorf("got attempts at %v, refused: %v, want one refused", tries, refused)
		}
	})
}
