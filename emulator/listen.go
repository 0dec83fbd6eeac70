package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Listen opens a port on loopback, "127.0.0.1:0" for a free one. Any other
// address is refused: who wants to serve others hands a listener of their own
// to [Server.Serve].
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("address %q is not on loopback; use 127.0.0.1, ::1 or localhost", addr)
	}
	return listen(ctx, addr)
}

// listen opens a port if the address, once its name is resolved, is on
// loopback: what localhost stands for is up to the machine.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, at string, _ syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(at); err != nil || !to.Addr().Unmap().IsLoopback() {
			return fmt.Errorf("%s stands for %s here, which is not on loopback; use 127.0.0.1 or ::1", addr, at)
		}
		return nil
	}}
	return lc.Listen(ctx, "tcp", addr)
}

// Serve answers requests on a listener, which it closes, until the context
// ends; then it gives those under way a second, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer s.Close()
	return serve(ctx, l, &http.Server{Handler: s})
}

func serve(ctx context.Context, l net.Listener, server *http.Server) error {
	server.ReadHeaderTimeout = 10 * time.Second
	server.ReadTimeout = 30 * time.Second
	server.IdleTimeout = 5 * time.Minute // longer than a run rests, or connections that were warmed die
	server.MaxHeaderBytes = 64 << 10
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	err := server.Serve(l)
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// DialAs returns a dial function for an http.Transport whose connections stand
// for a source address, where the machine has no such address to send from.
// The server is told in process which connections these are.
func (s *Server) DialAs(source string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		claim := &claim{source}
		s.claims.Store(c.LocalAddr().String(), claim)
		return &claimed{Conn: c, server: s, claim: claim}, nil
	}
}

// A claim is what the connection from one local address stands for.
type claim struct{ source string }

// A claimed connection stands for a source.
type claimed struct {
	net.Conn
	server *Server
	claim  *claim
}

// Close keeps the claim for a while: a request of a client that left may be
// decided yet, and the port rests in TIME_WAIT meanwhile.
func (c *claimed) Close() error {
	addr := c.LocalAddr().String()
	time.AfterFunc(time.Minute, func() { c.server.claims.CompareAndDelete(addr, c.claim) })
	return c.Conn.Close()
}
