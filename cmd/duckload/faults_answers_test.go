package main

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// saying strikes with an answer that is no answer, and closes.
func saying(text string) func(*exchange) {
	return func(x *exchange) { x.say("%s", text) }
}

// instead strikes with an answer that does not tell what the limiter decided.
// The connection goes on.
func instead(text string) func(*exchange) {
	return func(x *exchange) {
		x.decide()
		x.say("%s", text)
		x.goes = true
	}
}

// then strikes with the honest status and more fields and a body. The
// connection goes on if the answer leaves it usable.
func then(goes bool, rest string) func(*exchange) {
	return func(x *exchange) {
		x.say("%s%s", x.head(), rest)
		x.goes = goes
	}
}

// Whatever a status line, a field or an interim answer may be.
var faultsOfAnswers = []fault{
	{
		name: "a status that is no number", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a status of two digits", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a status of four digits", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("HTTP/1.1 2000 High\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a negative status", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("HTTP/1.1 -20 Minus\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "another protocol", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("SSH-2.0-OpenSSH_9.6\r\n\r\n"),
	},
	{
		name: "a body and nothing else, as in HTTP/0.9", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("<html>hello</html>\r\n\r\n"),
	},
	{
		name: "HTTP of a version that is none", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("HTTP/one.one 200 OK\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "empty lines for an answer", class: "protocol", other: "eof", // as who reads them leaves them out
		strike: saying("\r\n\r\n\r\n"),
	},
	{
		name: "a field without a colon", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("HTTP/1.1 200 OK\r\nno field at all\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a field with a line end in its name", class: "protocol", says: []string{"protocol (malformed "},
		strike: saying("HTTP/1.1 200 OK\r\nBad\rName: x\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a field with control characters", class: "protocol", says: []string{"protocol (malformed "},
		strike: then(false, "X-RateLimit-Limit: \x1b[2J\x07\r\nContent-Length: 2\r\n\r\nok"),
	},
	{
		name: "a field of a megabyte", class: "protocol", flood: true, says: []string{"protocol ("},
		strike: func(x *exchange) {
			x.say("%sX-Long: %s\r\nContent-Length: 2\r\n\r\nok", x.head(), strings.Repeat("x", 1<<20))
		},
	},
	{
		name: "fields without end", class: "protocol", flood: true, says: []string{"protocol ("},
		strike: func(x *exchange) {
			x.say("%s", x.head())
			for x.say("X-More: %s\r\n", strings.Repeat("x", 1000)) == nil {
			}
		},
	},
	{
		name: "a status line without end", class: "protocol", flood: true, says: []string{"protocol ("},
		strike: func(x *exchange) {
			for x.say("HTTP/1.1 200 %s", strings.Repeat("x", 1000)) == nil {
			}
		},
	},
	{
		name: "ten thousand fields", class: "protocol", flood: true, says: []string{"protocol ("},
		strike: func(x *exchange) {
			x.say("%s%sContent-Length: 2\r\n\r\nok", x.head(), strings.Repeat("RateLimit-Limit: 12345678901234567890\r\n", 10_000))
		},
	},
	{
		name: "interim answers, and the answer", class: "", status: honestly,
		strike: func(x *exchange) {
			x.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
			x.say("%s", x.honest())
			x.goes = true
		},
	},
	{
		name: "interim answers without end", class: "protocol", flood: true, says: []string{"protocol (", "interim answers"},
		strike: func(x *exchange) {
			for x.say("%s", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100)) == nil {
			}
		},
	},
	{
		name: "an interim answer and silence", class: "timeout", timeout: impatient, says: []string{"timeout (given up after 500ms)"},
		strike: func(x *exchange) {
			x.say("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
			x.hang()
		},
	},
	{
		name: "100 Continue is waited for", class: "", status: honestly, request: `{POST: "/x?seq=${seq}", headers: {Expect: 100-continue}, body: "0123456789"}`,
		strike: func(x *exchange) {
			x.say("HTTP/1.1 100 Continue\r\n\r\n")
			io.Copy(io.Discard, x.request.Body)
			x.say("%s", x.honest())
			x.goes = true
		},
	},
	{
		name: "a switch to another protocol", class: "", status: 101, says: []string{"status 101 (Switching Protocols"},
		strike: func(x *exchange) {
			x.decide()
			x.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello")
			x.hang()
		},
	},
	{
		name: "a redirect to another host", class: "", status: 302, says: []string{"status 302 (Found, neither admitted nor a rejection)"},
		strike: instead("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a redirect to nowhere", class: "", status: 308, says: []string{"status 308"},
		strike: instead("HTTP/1.1 308 Permanent Redirect\r\nLocation: //\\:99999999/\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a gateway that finds nobody", class: "", status: 502, says: []string{"status 502 (Bad Gateway"},
		strike: instead("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<h1>Sorry</h1>\n"),
	},
	{
		name: "a gateway that waits no longer", class: "", status: 504, says: []string{"status 504 (Gateway Timeout"},
		strike: func(x *exchange) {
			time.Sleep(20 * time.Millisecond)
			instead("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")(x)
		},
	},
	{
		name: "a storm of 500", every: 2, class: "", status: 500, more: `stop_when: {errors: 20% in 10s}`,
		exit: []int{exitStopped}, reason: "stop rule: 20 % or more without a clear answer in 10s", says: []string{"stop rule", "status 500"},
		strike: instead("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a storm of resets", every: 2, class: "reset", more: `stop_when: {errors: 20% in 10s}`, request: `"POST /x?seq=${seq}"`,
		exit: []int{exitStopped}, reason: "stop rule: 20 % or more without a clear answer in 10s", says: []string{"stop rule", "reset ("},
		strike: func(x *exchange) { x.decide(); reset(x.Conn) },
	},
	{
		name: "nothing but 503", every: 1, class: "", status: 503, exit: []int{exitUnusable}, says: []string{"503 Service Unavailable", "is the service healthy?"},
		strike: instead("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
	},
	{
		name: "a Date that jumps an hour back and forth", class: "", status: honestly,
		strike: func(x *exchange) {
			at := time.Now().Add(time.Hour)
			if x.faulty.requestsSoFar()%2 == 0 {
				at = time.Now().Add(-time.Hour)
			}
			x.say("%sDate: %s\r\nContent-Length: 2\r\n\r\nok", x.head(), at.UTC().Format(http.TimeFormat))
			x.goes = true
		},
	},
	{
		name: "a waiting time of ages", class: "", status: honestly,
		strike: then(true, "X-RateLimit-Reset: 99999999999999999999999\r\nContent-Length: 2\r\n\r\nok"),
	},
}

// Whatever a body may be, and what says how long it is.
var faultsOfBodies = []fault{
	{
		name: "a body that is cut", class: "eof", status: honestly, says: []string{"eof ("},
		strike: then(false, "Content-Length: 100\r\n\r\nhalf"),
	},
	{
		name: "a body that never comes", class: "timeout", status: honestly, timeout: impatient, says: []string{"timeout (given up after 500ms)"},
		strike: func(x *exchange) {
			x.say("%sContent-Length: 100\r\n\r\nhalf", x.head())
			x.hang()
		},
	},
	{
		name: "a body a byte at a time", class: "timeout", status: honestly, timeout: impatient, says: []string{"timeout ("},
		strike: func(x *exchange) {
			x.say("%sContent-Length: 1000000\r\n\r\n", x.head())
			for x.say("x") == nil {
				time.Sleep(10 * time.Millisecond)
			}
		},
	},
	{
		name: "a body without end", class: "", status: honestly, flood: true,
		strike: func(x *exchange) {
			x.say("%s\r\n", x.head())
			for x.say("%s", strings.Repeat("x", 64<<10)) == nil {
			}
		},
	},
	{
		name: "chunks without end", class: "", status: honestly, flood: true,
		strike: func(x *exchange) {
			x.say("%sTransfer-Encoding: chunked\r\n\r\n", x.head())
			for x.say("10000\r\n%s\r\n", strings.Repeat("x", 64<<10)) == nil {
			}
		},
	},
	{
		name: "a chunk that is not a number long", class: "protocol", status: honestly, says: []string{"protocol ("},
		strike: then(false, "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
	},
	{
		name: "a chunk of more bytes than there are numbers", class: "protocol", status: honestly, says: []string{"protocol ("},
		strike: then(false, "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
	},
	{
		name: "a chunk longer than it says", class: "protocol", status: honestly, says: []string{"protocol ("},
		strike: then(false, "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"),
	},
	{
		name: "chunks that are cut", class: "eof", status: honestly, says: []string{"eof ("},
		strike: then(false, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
	},
	{
		name: "a chunk size without end", class: "protocol", status: honestly, flood: true, says: []string{"protocol ("},
		strike: func(x *exchange) {
			x.say("%sTransfer-Encoding: chunked\r\n\r\n5;x=", x.head())
			for x.say("%s", strings.Repeat("x", 1000)) == nil {
			}
		},
	},
	{
		name: "a trailer without end", class: "", status: honestly, flood: true, other: "protocol", // the body was whole
		strike: func(x *exchange) {
			x.say("%sTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", x.head())
			for x.say("X-More: %s\r\n", strings.Repeat("x", 1000)) == nil {
			}
		},
	},
	{
		name: "a length and chunks", class: "", status: honestly,
		strike: then(true, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
	},
	{
		name: "an encoding that nobody knows", class: "protocol", other: "", says: []string{"protocol ("},
		strike: then(false, "Transfer-Encoding: rot13\r\n\r\nuryyb"),
	},
	{
		name: "a body longer than its length", class: "", status: honestly,
		strike: then(true, "Content-Length: 2\r\n\r\nok and more"),
	},
	{
		// Whoever takes the rest of a body for the next answer believes a lie.
		name: "a second answer after the first", class: "", status: honestly, other: "doubtful",
		strike: then(true, "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
	},
	{
		name: "a negative length", class: "protocol", says: []string{"protocol ("},
		strike: then(false, "Content-Length: -1\r\n\r\nhello"),
	},
	{
		name: "a length that is no number", class: "protocol", says: []string{"protocol ("},
		strike: then(false, "Content-Length: five\r\n\r\nhello"),
	},
	{
		name: "a length beyond all numbers", class: "protocol", says: []string{"protocol ("},
		strike: then(false, "Content-Length: 99999999999999999999\r\n\r\nhello"),
	},
	{
		name: "two lengths", class: "protocol", says: []string{"protocol ("},
		strike: then(false, "Content-Length: 2\r\nContent-Length: 5\r\n\r\nhello"),
	},
	{
		name: "one length twice", class: "", status: honestly, other: "protocol",
		strike: then(true, "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
	},
	{
		name: "a 304 with a body", class: "", status: 304, says: []string{"status 304"},
		strike: instead("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"),
	},
	{
		name: "a HEAD with a body", class: "", status: honestly, request: `"HEAD /x?seq=${seq}"`,
		strike: then(true, "Content-Length: 5\r\n\r\nhello"),
	},
	{
		name: "a bomb in gzip", class: "", status: honestly, flood: true,
		strike: func(x *exchange) {
			x.say("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", x.head(), len(bomb()), bomb())
			x.goes = true
		},
	},
	{
		name: "an answer as of 1996, to the end of the connection", class: "", status: honestly,
		strike: func(x *exchange) {
			x.say("%s\r\nhello", strings.Replace(x.head(), "HTTP/1.1", "HTTP/1.0", 1))
		},
	},
	{
		name: "an answer before the request was read", class: "", status: honestly, other: "reset",
		request: `{POST: "/x?seq=${seq}", body: "` + strings.Repeat("0123456789", 30_000) + `"}`,
		strike: func(x *exchange) {
			x.say("%sConnection: close\r\nContent-Length: 2\r\n\r\nok", x.head())
		},
	},
}
