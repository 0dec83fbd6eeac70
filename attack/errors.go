package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
)

// Denied says that a host may not be contacted. Nothing was sent to it.
type Denied struct {
	Host    string
	Address string // what it resolved to; empty if it was not asked
}

func (d Denied) Error() string {
	at := ""
	if d.Address != "" {
		at = " (" + d.Address + ")"
	}
	return fmt.Sprintf("host %s%s is not allowed: nothing was sent (list it under allow_hosts, or give --allow-host %s)", d.Host, at, d.Host)
}

// Unreachable says that no connection to the target can be made.
type Unreachable struct {
	Target string
	Err    error
}

func (u Unreachable) Error() string {
	return fmt.Sprintf("target %s cannot be reached: %s: nothing was sent (is it running, and is the address right?)", u.Target, class(u.Err, context.Background())+": "+u.Err.Error())
}

func (u Unreachable) Unwrap() error { return u.Err }

// NoSource says that this machine has no such address to send from.
type NoSource struct {
	Source netip.Addr
	Err    error
}

func (n NoSource) Error() string {
	return fmt.Sprintf("source %s is not an address of this machine (add it, as in: ip addr add %s/32 dev lo; on macOS: ifconfig lo0 alias %s), or leave it out of sources", n.Source, n.Source, n.Source)
}

func (n NoSource) Unwrap() error { return n.Err }

// class names a failure in a word that is the same on every system.
func class(err error, ctx context.Context) string {
	var dns *net.DNSError
	var denied Denied
	switch {
	case err == nil:
		return ""
	case errors.As(err, &denied):
		return "denied"
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &dns):
		return "dns"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "no source address"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "eof"
	}
	return classByText(err)
}

// classByText knows failures that net/http and crypto/tls return as text only.
func classByText(err error) string {
	text := err.Error()
	for _, known := range []struct{ part, class string }{
		{"tls:", "tls"}, {"x509:", "tls"}, {"malformed HTTP", "protocol"}, {"i/o timeout", "timeout"},
		{"server closed idle connection", "eof"}, {"connection reset", "reset"}, {"net/http: HTTP/1.x transport connection broken", "protocol"},
	} {
		if strings.Contains(text, known.part) {
			return known.class
		}
	}
	return "other"
}
