package attack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"duckload/scenarios"
)

// A dial makes a connection to a host and port.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialTimeout bounds a connection attempt, TLS included.
const dialTimeout = 10 * time.Second

// dialer returns what dials from a source address as a group wants it, and
// shakes hands where the target speaks TLS.
func dialer(o Options, target *url.URL, by scenarios.Transport, source netip.Addr) dial {
	within := dialTimeout
	if by.Timeout > 0 {
		within = min(within, by.Timeout)
	}
	plain := resolved(plainDialer(o, source, within), by.Resolve)
	if by.HTTP != 2 && !by.Fast { // requests of HTTP/2 share a connection, and the lean client has gates of its own
		plain = gated(plain)
	}
	if target.Scheme != "https" {
		return plain
	}
	config, err := tlsConfig(o.TLS, by, target.Hostname())
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if err != nil {
			return nil, handshakeError{err}
		}
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		c, err := plain(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(c, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, handshakeError{plainly(err, by)}
		}
		if got := secure.ConnectionState().NegotiatedProtocol; by.HTTP == 2 && got != "h2" {
			c.Close()
			return nil, handshakeError{errNoHTTP2}
		}
		return secure, nil
	}
}

var errNoHTTP2 = errors.New("the target does not agree to HTTP/2 (leave http: 2 out)")

// plainly puts what crypto/tls says of common mistakes into words that say what
// to do.
func plainly(err error, by scenarios.Transport) error {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return errors.New("the target speaks plain HTTP on this port (write http:// instead of https://)")
	case by.HTTP == 2 && strings.Contains(err.Error(), "no application protocol"):
		return errNoHTTP2
	}
	return err
}

// tlsConfig returns what the handshakes of a group start from. The name that
// is asked for, and must be certified, is the target's, wherever it leads.
func tlsConfig(base *tls.Config, by scenarios.Transport, name string) (*tls.Config, error) {
	config := base.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.NextProtos = []string{"http/1.1"}
	if by.HTTP == 2 {
		config.NextProtos = []string{"h2"}
	}
	if config.ServerName == "" {
		config.ServerName = name
	}
	if by.TLS.Roots != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(by.TLS.Roots) {
			return nil, errors.New("no certificate among the roots")
		}
	}
	if by.TLS.Cert != nil {
		own, err := tls.X509KeyPair(by.TLS.Cert, by.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("own certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	if by.TLS.Anyone {
		config.InsecureSkipVerify = true // the scenario says in its own words that this is dangerous
	}
	return config, nil
}

// resolved leads a dial to an address, whatever the name means elsewhere.
func resolved(d dial, to netip.Addr) dial {
	if !to.IsValid() {
		return d
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return d(ctx, network, net.JoinHostPort(to.String(), port))
	}
}

func plainDialer(o Options, source netip.Addr, within time.Duration) dial {
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
		d := net.Dialer{Timeout: within, Control: guard(host, o.AllowHosts)}
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
