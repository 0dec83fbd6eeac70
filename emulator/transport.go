package emulator

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// A Transport calls the server in process, as if over one connection that is
// always open. It waits with package time alone, so minutes pass at once in a
// synctest bubble.
//
// It calls the hooks GetConn, GotConn, WroteHeaders, WroteRequest and
// GotFirstResponseByte of the request's httptrace.ClientTrace. A connection
// that the server closes without an answer is io.EOF, as from net/http. When
// the request's context ends, RoundTrip returns at once; the server still
// decides a request that was under way.
type Transport struct {
	// Delay, if not nil, is asked once for each request how long it takes to
	// the server and how long the answer takes back. It is called where
	// RoundTrip is, so that the order of calls is the caller's.
	Delay func(*http.Request) (there, back time.Duration)

	server *Server
	source string
	remote string
}

var ports atomic.Uint32

// Transport returns a round tripper whose requests come from a source
// address.
func (s *Server) Transport(source string) *Transport {
	port := 1024 + ports.Add(1)%60000
	return &Transport{server: s, source: source, remote: net.JoinHostPort(source, strconv.Itoa(int(port)))}
}

// RoundTrip sends a request to the server and returns its whole answer.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	body, err := drain(r)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var there, back time.Duration
	if t.Delay != nil {
		there, back = t.Delay(r)
	}
	trace := httptrace.ContextClientTrace(ctx)
	t.sending(trace, r)

	served, leave := context.WithCancel(context.Background())
	defer leave() // the server sees that nobody waits any more
	answered := make(chan *recorder, 1)
	go func() {
		time.Sleep(there)
		answered <- t.server.record(t.received(served, r, body))
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case answer := <-answered:
		if err := sleep(ctx, back); err != nil {
			return nil, err
		}
		if answer.closed {
			return nil, io.EOF
		}
		if trace != nil && trace.GotFirstResponseByte != nil {
			trace.GotFirstResponseByte()
		}
		return answer.response(r), nil
	}
}

// drain reads the body and closes it, as a RoundTripper must.
func drain(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	return io.ReadAll(r.Body)
}

// sending tells a trace what a connection that is open would.
func (t *Transport) sending(trace *httptrace.ClientTrace, r *http.Request) {
	if trace == nil {
		return
	}
	if trace.GetConn != nil {
		trace.GetConn(r.URL.Host)
	}
	if trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: line{local: address(t.remote), remote: address(r.URL.Host)}, Reused: true})
	}
	if trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	if trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
}

// received returns the request as a server gets it.
func (t *Transport) received(ctx context.Context, r *http.Request, body []byte) *http.Request {
	in := r.Clone(ctx)
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	in.RequestURI = r.URL.RequestURI()
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.RemoteAddr = t.remote
	in.Body, in.ContentLength, in.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	return in
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A line is a connection as far as a trace looks at it: two addresses.
type line struct {
	net.Conn
	local, remote address
}

func (l line) LocalAddr() net.Addr  { return l.local }
func (l line) RemoteAddr() net.Addr { return l.remote }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
