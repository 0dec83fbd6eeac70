package attack

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
)

// A gate is a connection of net/http that keeps the next request in it until
// its moment. By then the request is in words, encrypted where it is to be,
// and one write lets it go; between net/http's own goroutines it would arrive
// when the scheduler gets round to it.
type gate struct {
	net.Conn
	next atomic.Pointer[trace] // of the request that the next write begins; nil: none waits
	lost atomic.Pointer[error] // what reading ended with; nil: it goes on

	account *account // nil: nobody counts
}

// gated returns a dial whose connections are gates.
func gated(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &gate{Conn: c}, nil
	}
}

// gateOf returns the gate that a connection of net/http goes through, or nil.
func gateOf(c net.Conn) *gate {
	if counted, ok := c.(*account); ok {
		c = counted.Conn
	}
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	g, _ := c.(*gate)
	return g
}

// Read remembers why reading ended.
func (g *gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if err != nil {
		g.lost.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Write keeps the first bytes of a request until its moment. The rest of a
// long one follows as it comes.
func (g *gate) Write(p []byte) (n int, err error) {
	t := g.next.Swap(nil)
	if t == nil {
		return g.Conn.Write(p)
	}
	if len(p) > fits {
		t.start.wait()
	}
	t.start.by(func() { n, err = t.pass(g, p) })
	return n, err
}
