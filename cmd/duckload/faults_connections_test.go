package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// bomb is sixty-four megabytes of zeros in little gzip.
var bomb = sync.OnceValue(func() string {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.Copy(z, io.LimitReader(zeros{}, 64<<20))
	z.Close()
	return packed.String()
})

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (s *faulty) requestsSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// tooMany is what is said of an answer that was left over.
var tooMany = []string{"sent more answers on a connection than there were requests"}

// Whatever becomes of a connection.
var faultsOfConnections = []fault{
	{
		name: "nobody listens", exit: []int{exitUnusable}, says: []string{"cannot be reached", "connection refused"},
		at: func(s *faulty) string { s.listener.Close(); return "http://" + s.listener.Addr().String() },
	},
	{
		name: "nobody listens any more", class: "refused", keys: "reuse: false", says: []string{"refused (dial: "},
		greet: func(s *faulty, c net.Conn) net.Conn {
			if s.wellBegun() {
				s.listener.Close()
			}
			return c
		},
	},
	{
		name: "a reset before the request was read", class: "reset", keys: "reuse: false", says: []string{"reset ("}, request: `"POST /x?seq=${seq}"`,
		greet: func(s *faulty, c net.Conn) net.Conn {
			if !s.nth() {
				return c
			}
			c.Read(make([]byte, 1))
			reset(c)
			return nil
		},
	},
	{
		name: "a reset after the request was read", class: "reset", request: `"POST /x?seq=${seq}"`, says: []string{"reset ("},
		strike: func(x *exchange) { x.decide(); reset(x.Conn) },
	},
	{
		name: "a reset that the client makes up for", class: "reset",
		strike: func(x *exchange) { x.decide(); reset(x.Conn) },
	},
	{
		name: "a reset among the fields", class: "reset", says: []string{"reset ("}, request: `"POST /x?seq=${seq}"`, other: "eof",
		strike: func(x *exchange) {
			x.decide()
			x.say("HTTP/1.1 200 OK\r\nX-A")
			time.Sleep(5 * time.Millisecond)
			reset(x.Conn)
		},
	},
	{
		name: "a reset in the body", class: "reset", status: honestly, says: []string{"reset ("},
		strike: func(x *exchange) {
			x.say("%sContent-Length: 100\r\n\r\nhalf", x.head())
			time.Sleep(50 * time.Millisecond)
			reset(x.Conn)
		},
	},
	{
		name: "closed after the request was read", class: "eof", request: `"POST /x?seq=${seq}"`, says: []string{"eof ("},
		strike: func(x *exchange) { x.decide() },
	},
	{
		name: "closed among the fields", class: "eof", request: `"POST /x?seq=${seq}"`, says: []string{"eof ("},
		strike: func(x *exchange) { x.decide(); x.say("HTTP/1.1 200 OK\r\nX-A") },
	},
	{
		name: "closed after each answer, and said so", every: 1, class: "", status: honestly,
		strike: then(false, "Connection: close\r\nContent-Length: 2\r\n\r\nok"),
	},
	{
		name: "closed after each answer without a word", every: 1, class: "", status: honestly, other: "eof",
		strike: then(false, "Content-Length: 2\r\n\r\nok"),
	},
	{
		name: "half open: it will say no more", class: "eof", request: `"POST /x?seq=${seq}"`, says: []string{"eof ("},
		strike: func(x *exchange) {
			x.decide()
			x.Conn.(*net.TCPConn).CloseWrite()
			x.hang()
		},
	},
	{
		name: "half open: it hears no more", class: "", status: honestly,
		strike: func(x *exchange) {
			x.Conn.(*net.TCPConn).CloseRead()
			x.say("%s", x.honest())
			x.goes = true
		},
	},
	{
		name: "a black hole behind the connection", class: "timeout", timeout: impatient, keys: "reuse: false", says: []string{"timeout (given up after 500ms)"},
		greet: func(s *faulty, c net.Conn) net.Conn {
			if !s.nth() {
				return c
			}
			time.Sleep(2 * impatient) // its bytes wait for nobody
			return nil
		},
	},
	{
		name: "a black hole behind the limiter", class: "timeout", timeout: impatient, says: []string{"timeout (given up after 500ms)"},
		strike: func(x *exchange) { x.decide(); x.hang() },
	},
	{
		name: "nothing but a black hole", every: 1, class: "timeout", timeout: impatient, says: []string{"timeout (given up after 500ms)"},
		strike: func(x *exchange) { x.decide(); x.hang() },
	},
	{
		name: "an answer after it was given up", class: "timeout", timeout: impatient, says: []string{"timeout ("},
		strike: func(x *exchange) {
			answer := x.honest()
			time.Sleep(impatient + 100*time.Millisecond)
			x.say("%s", answer)
			x.goes = true
		},
	},
	{
		name: "fields a byte at a time, too slow", class: "timeout", timeout: impatient, says: []string{"timeout ("},
		strike: func(x *exchange) {
			for _, b := range x.honest() + strings.Repeat(" ", 100) {
				if x.say("%c", b) != nil {
					return
				}
				time.Sleep(15 * time.Millisecond)
			}
		},
	},
	{
		name: "an answer a byte at a time", class: "", status: honestly,
		strike: func(x *exchange) {
			for _, b := range x.honest() {
				x.say("%c", b)
				time.Sleep(time.Millisecond)
			}
			x.goes = true
		},
	},
	{
		name: "slow, every answer", every: 1, class: "", status: honestly,
		strike: func(x *exchange) {
			answer := x.honest()
			time.Sleep(200 * time.Millisecond)
			x.say("%s", answer)
			x.goes = true
		},
	},
	{
		// A request that waits for its moment on this connection has no answer yet.
		name: "an unasked answer on an idle connection", class: "", status: honestly, stray: true,
		strike: func(x *exchange) {
			x.say("%s", x.honest())
			time.Sleep(5 * time.Millisecond)
			x.say("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		},
	},
	{
		name: "an answer twice at once", class: "", status: honestly, other: "doubtful", says: tooMany,
		strike: func(x *exchange) {
			answer := x.honest()
			x.say("%s%s", answer, answer)
			x.goes = true
		},
	},
	{
		// Which HTTP takes for the answer to that request.
		name: "an answer once more while the next request is under way", keys: "connections: 1", class: "", status: honestly, other: "doubtful", says: tooMany,
		strike: func(x *exchange) {
			answer := x.honest()
			x.say("%s", answer)
			if _, err := x.r.Peek(1); err == nil {
				x.say("%s", answer)
			}
			x.goes = true
		},
	},
	{
		name: "plain HTTP to a port of TLS", class: "", status: 400, every: 1, says: []string{"status 400 (Bad Request"},
		strike: saying("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"),
	},
}
