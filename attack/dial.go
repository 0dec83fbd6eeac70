package attack

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"duckload/scenarios"
)

// dialTimeout bounds a connection attempt, TLS included.
const dialTimeout = 10 * time.Second

// A pool dials the connections of a lane: when a request needs one, and
// beforehand when a burst is near.
type pool struct {
	transport *http.Transport
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	target    *url.URL

	mu    sync.Mutex
	ready []net.Conn
}

func newPool(o Options, target *url.URL, source netip.Addr, most int) *pool {
	p := &pool{target: target, dial: dialer(o, target, source)}
	p.transport = &http.Transport{
		// A proxy would move the target without a word.
		Proxy:                  nil,
		DialContext:            p.take,
		DialTLSContext:         p.take,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    most,
		MaxResponseHeaderBytes: 256 << 10,
	}
	return p
}

// dialer returns a function that dials, and that shakes hands where the
// target speaks TLS.
func dialer(o Options, target *url.URL, source netip.Addr) func(ctx context.Context, network, address string) (net.Conn, error) {
	plain := plainDialer(o, source)
	if target.Scheme != "https" {
		return plain
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		c, err := plain(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(c, &tls.Config{ServerName: target.Hostname(), NextProtos: []string{"http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, err
		}
		return secure, nil
	}
}

func plainDialer(o Options, source netip.Addr) func(ctx context.Context, network, address string) (net.Conn, error) {
	if o.Dial != nil {
		if dial := o.Dial(source); dial != nil {
			return func(ctx context.Context, network, address string) (net.Conn, error) {
				host, _, err := net.SplitHostPort(address)
				if err != nil || !isLoopback(host) {
					return nil, Denied{Host: address}
				}
				return dial(ctx, network, address)
			}
		}
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		d := net.Dialer{Timeout: dialTimeout, Control: guard(host, o.AllowHosts)}
		if source.IsValid() {
			d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
		}
		c, err := d.DialContext(ctx, network, address)
		var denied Denied
		switch {
		case errors.As(err, &denied):
			return nil, denied
		case errors.Is(err, syscall.EADDRNOTAVAIL) && source.IsValid():
			return nil, NoSource{Source: source, Err: err}
		}
		return c, err
	}
}

// guard refuses connections to hosts that are not allowed. It is asked after
// names were resolved, for each address that is tried: a name that suddenly
// means something else gains nothing by it.
func guard(host string, allowed []string) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err == nil && at.Addr().Unmap().IsLoopback() {
			return nil
		}
		if Allows(allowed, host) {
			return nil
		}
		return Denied{Host: host, Address: address}
	}
}

// Allows reports whether a list of hosts contains one, whatever the spelling.
func Allows(allowed []string, host string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool { return plainHost(a) == plainHost(host) })
}

func plainHost(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return host
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(plainHost(host))
	return err == nil && ip.IsLoopback() || plainHost(host) == "localhost"
}

// take returns a connection that was dialled beforehand, or dials one.
func (p *pool) take(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	if n := len(p.ready); n > 0 {
		c := p.ready[n-1]
		p.ready = p.ready[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.dial(ctx, network, address)
}

// parallel is how many connections are dialled at once.
const parallel = 32

// warm dials so many connections that a burst of n finds one each. Failures
// are left to the requests, which will meet them again and record them.
func (p *pool) warm(ctx context.Context, n int) {
	p.discard() // an older one may have been closed by the server
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for range n {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			c, err := p.dial(ctx, "tcp", addressOf(p.target))
			if err != nil {
				return
			}
			p.mu.Lock()
			p.ready = append(p.ready, c)
			p.mu.Unlock()
		})
	}
	wait.Wait()
}

func (p *pool) discard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.ready {
		c.Close()
	}
	p.ready = nil
}

func (p *pool) close() {
	p.discard()
	p.transport.CloseIdleConnections()
}

// addressOf returns the host and port of a base URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Preflight makes one connection from each source address, and closes it. It
// sends no request: one would spend allowance. The error is a [Denied], an
// [Unreachable] or a [NoSource].
func Preflight(ctx context.Context, plan scenarios.Plan, o Options) error {
	target, err := url.Parse(o.Target)
	if err != nil {
		return Unreachable{Target: o.Target, Err: err}
	}
	if o.Transport != nil {
		return nil
	}
	tried := map[netip.Addr]bool{}
	for _, l := range plan.Lanes {
		if tried[l.Source] {
			continue
		}
		tried[l.Source] = true
		if err := knock(ctx, o, target, l.Source); err != nil {
			return err
		}
	}
	return nil
}

func knock(ctx context.Context, o Options, target *url.URL, source netip.Addr) error {
	c, err := dialer(o, target, source)(ctx, "tcp", addressOf(target))
	if err == nil {
		return c.Close()
	}
	var denied Denied
	var missing NoSource
	switch {
	case errors.As(err, &denied):
		return denied
	case errors.As(err, &missing):
		return missing
	}
	return Unreachable{Target: target.Redacted(), Err: err}
}
