package emulator

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A recorder is a ResponseWriter that keeps the answer, and adds what net/http
// adds to it on a socket.
type recorder struct {
	header http.Header // until it is sent
	sent   http.Header // nil: nothing was sent yet
	status int
	body   bytes.Buffer
	closed bool // the connection ended without an answer
}

// record serves a request and keeps the answer.
func (s *Server) record(r *http.Request) (kept *recorder) {
	kept = &recorder{header: http.Header{}}
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			kept.closed = true
		default:
			panic(p) // a mistake in the server must not look like an answer
		}
	}()
	s.ServeHTTP(kept, r)
	return kept
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.sent != nil {
		return
	}
	r.status, r.sent = status, r.header.Clone()
	if r.sent.Get("Date") == "" {
		r.sent.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) response(to *http.Request) *http.Response {
	r.WriteHeader(http.StatusOK)
	r.sent.Set("Content-Length", strconv.Itoa(r.body.Len()))
	body := r.body.Bytes()
	if to.Method == http.MethodHead {
		body = nil
	}
	return &http.Response{
		Status:        strconv.Itoa(r.status) + " " + http.StatusText(r.status),
		StatusCode:    r.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.sent,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(r.body.Len()),
		Request:       to,
	}
}
