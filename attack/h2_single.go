package attack

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
)

// A single sends each request over an HTTP/2 connection of its own. net/http's
// pool would share a connection while it is being given up, and send again
// what that one did not take.
type single struct {
	transport *http.Transport
	target    *url.URL
}

// RoundTrip connects and sends a request once. GotConn may end the request's
// context, and nothing is sent then.
func (s *single) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	conn, err := s.transport.NewClientConn(ctx, s.target.Scheme, addressOf(s.target))
	if err != nil {
		return nil, err
	}
	if t := httptrace.ContextClientTrace(ctx); t != nil && t.GotConn != nil {
		t.GotConn(httptrace.GotConnInfo{})
	}
	if err := ctx.Err(); err != nil {
		conn.Close()
		return nil, err
	}
	response, err := conn.RoundTrip(r)
	if err != nil {
		conn.Close()
		return nil, err
	}
	response.Body = lastBody{response.Body, conn}
	return response, nil
}

// A lastBody ends its connection with it.
type lastBody struct {
	io.ReadCloser
	conn *http.ClientConn
}

func (b lastBody) Close() error {
	err := b.ReadCloser.Close()
	b.conn.Close()
	return err
}
