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
	"time"
)

// Denied says that a host may not be contacted. Nothing was sent to it.
type Denied struct {
	Host    string
	Address string // what the name stands for; empty if nobody asked
}

func (d Denied) Error() string {
	at := ""
	if d.Address != "" && d.Address != d.Host {
		at = " (" + d.Address + ")"
	}
	return fmt.Sprintf("host %s%s is not allowed, and nothing was sent (list it under allow_hosts, or give --allow-host %s)", d.Host, at, d.Host)
}

// Unreachable says that no connection to the target can be made. Nothing was
// sent.
type Unreachable struct {
	Target string
	Err    error
}

func (u Unreachable) Error() string {
	if remedy := exhausted(u.Err); remedy != "" {
		return fmt.Sprintf("target %s was not asked: %v (%s)", u.Target, u.Err, remedy)
	}
	return fmt.Sprintf("target %s cannot be reached: %v (is it running, and is the address right?)", u.Target, u.Err)
}

func (u Unreachable) Unwrap() error { return u.Err }

// NoSource says that this machine has no such address to send from.
type NoSource struct {
	Source netip.Addr
	Err    error
}

func (n NoSource) Error() string {
	return fmt.Sprintf("source %s is not an address of this machine (add it: ip addr add %s/%d dev lo; on macOS: ifconfig lo0 alias %s; or leave it out of sources)",
		n.Source, n.Source, n.Source.BitLen(), n.Source)
}

func (n NoSource) Unwrap() error { return n.Err }

// LateStart says that the moment at which a run had to start was past when all
// was ready. No request of the plan was sent.
type LateStart struct {
	By time.Duration
}

func (l LateStart) Error() string {
	return fmt.Sprintf("ready %s after the start: nothing was sent (agree on a later one)", l.By.Round(time.Millisecond))
}

// refusal returns the error that says why a request may not or cannot be sent
// at all, which ends a run: the next one would fare no better.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	var denied Denied
	var missing NoSource
	switch {
	case errors.As(err, &denied):
		return denied
	case errors.As(err, &missing):
		return missing
	}
	return nil
}

// A handshakeError is a TLS handshake that failed.
type handshakeError struct{ err error }

func (h handshakeError) Error() string { return "TLS handshake: " + h.err.Error() }
func (h handshakeError) Unwrap() error { return h.err }

// errEarly is an answer to nothing that was sent. HTTP has no way to say whose
// it is, and whoever takes it for the next request's own believes a lie.
var errEarly = errors.New("an answer came before the request was sent")

// class names a failure in a word that is the same on every system:
//
//	timeout   no whole answer in time
//	refused   nobody listens
//	noroute   no way to the address
//	reset     the connection was cut
//	eof       the connection was closed in order, before the answer was whole
//	dns       the name stands for nothing
//	tls       no handshake
//	local     this machine had no socket, port or memory left for it: the target was not asked
//	protocol  what came is not HTTP
//	canceled  given up by ourselves, because the run was stopped
//	other     anything else
//
// A further class, "resent", marks attempts that the transport gave up.
func class(err error, ctx context.Context) string {
	if err == nil {
		return ""
	}
	var dns *net.DNSError
	var handshake handshakeError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled), ctx.Err() != nil:
		return "canceled"
	case exhausted(err) != "":
		return "local"
	case errors.Is(err, errEarly):
		return "protocol"
	case errors.As(err, &dns):
		return "dns"
	case errors.As(err, &handshake):
		return "tls"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNABORTED), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "noroute"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "eof"
	}
	return classByText(err.Error())
}

// exhausted returns what to do about an error that says that this machine has
// run out of something; empty: it says something else.
func exhausted(err error) (remedy string) {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "this machine allows no more open files: raise the limit with ulimit -n, or bound the group's connections"
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no port left to send from: use connections again (reuse: true), bound the group's connections, or give it more sources"
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
		return "this machine has no memory left for sockets: bound the group's connections"
	}
	return ""
}

// classByText knows what net/http and crypto/tls say in words only. The first
// part that is found decides.
func classByText(text string) string {
	for _, known := range []struct{ part, class string }{
		{"server closed idle connection", "eof"},
		{"GOAWAY", "eof"},
		{"client connection lost", "eof"},
		{"client conn not usable", "eof"},
		{"force closed via ClientConn", "reset"}, // as another request on it could not be written
		{"received from peer", "reset"},          // RST_STREAM
		{"connection reset", "reset"},
		{"forcibly closed", "reset"}, // Windows
		{"actively refused", "refused"},
		{"i/o timeout", "timeout"},
		{"timeout awaiting", "timeout"},
		{"tls:", "tls"},
		{"x509:", "tls"},
		{"malformed", "protocol"},
		{"HTTP", "protocol"},
		{"http", "protocol"},
		{"invalid", "protocol"},            // chunks, lengths
		{"too long", "protocol"},           // lines
		{"connection error: ", "protocol"}, // of HTTP/2
		{"stream error: ", "protocol"},
	} {
		if strings.Contains(text, known.part) {
			return known.class
		}
	}
	return "other"
}
