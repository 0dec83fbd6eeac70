package attack

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// A dial makes a connection to a host and port.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialTimeout bounds a connection attempt, TLS included.
const dialTimeout = 10 * time.Second

// dialer returns what dials from a source address, and shakes hands where the
// target speaks TLS.
func dialer(o Options, target *url.URL, source netip.Addr) dial {
	plain := plainDialer(o, source)
	if target.Scheme != "https" {
		return plain
	}
	config := o.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		config.ServerName = target.Hostname()
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		c, err := plain(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(c, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, handshakeError{err}
		}
		return secure, nil
	}
}

func plainDialer(o Options, source netip.Addr) dial {
	if o.Dial != nil {
		if stand := o.Dial(source); stand != nil {
			return loopbackOnly(stand)
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
		if errors.Is(err, syscall.EADDRNOTAVAIL) && source.IsValid() {
			return nil, NoSource{Source: source, Err: err}
		}
		return c, err
	}
}

// loopbackOnly keeps a dial function that is not ours, and has no guard, on
// this machine.
func loopbackOnly(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if ip, err := netip.ParseAddr(host); plainHost(host) != "localhost" && (err != nil || !ip.Unmap().IsLoopback()) {
			return nil, Denied{Host: host}
		}
		return d(ctx, network, address)
	}
}

// addressOf returns the host and port of a base URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
