package attack

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// A talk is a server's side of a connection: what it says to the k-th request
// on it, from 1. own and before are the whole answers to this request and to
// the one before.
type talk func(c net.Conn, k int, own, before string) (goes bool)

// ownStatus is of the answer to request 0.
const ownStatus = 230

// honestTalk gives each request its answer.
func honestTalk(c net.Conn, _ int, own, _ string) bool {
	io.WriteString(c, own)
	return true
}

// talks serves one connection. The status of an answer is 230 and the number of
// its request.
func talks(say talk) func(int, net.Conn) {
	return func(_ int, c net.Conn) {
		r, before := bufio.NewReader(c), ""
		for k := 1; ; k++ {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, request.Body)
			seq, _ := strconv.Atoi(request.URL.Query().Get("seq"))
			own := fmt.Sprintf("HTTP/1.1 %d OK\r\nContent-Length: 2\r\n\r\nok", ownStatus+seq)
			if !say(c, k, own, before) {
				return
			}
			before = own
		}
	}
}

// However a target mixes its answers up, none that belongs to another request
// is believed. Where it mixes nothing up, all are.
func TestNoAnswerOfAnotherRequestIsBelieved(t *testing.T) {
	const requests = 5
	log.SetOutput(io.Discard) // net/http says what it finds, once for each
	for _, tc := range []struct {
		name    string
		say     talk
		doubted bool
	}{
		{"nothing", honestTalk, false},
		{"twice at once", func(c net.Conn, k int, own, _ string) bool {
			if k == 3 {
				own += own
			}
			return honestTalk(c, k, own, "")
		}, true},
		{"again before the next", func(c net.Conn, k int, own, _ string) bool {
			honestTalk(c, k, own, "")
			if k == 3 {
				time.Sleep(20 * time.Millisecond)
				io.WriteString(c, own)
			}
			return true
		}, true},
		{"again while the next is under way", func(c net.Conn, k int, own, before string) bool {
			if k == 3 {
				own = before + own
			}
			return honestTalk(c, k, own, "")
		}, true},
		{"the last of all is late", func(c net.Conn, k int, own, before string) bool {
			if k == requests {
				io.WriteString(c, before)
				time.Sleep(10 * time.Millisecond)
			}
			return honestTalk(c, k, own, "")
		}, true},
		{"the first of each connection twice", func(c net.Conn, k int, own, _ string) bool {
			if k == 1 {
				own += own
			}
			return honestTalk(c, k, own, "")
		}, false},
		{"a farewell", func(c net.Conn, k int, own, _ string) bool {
			honestTalk(c, k, own, "")
			if k == 3 {
				time.Sleep(20 * time.Millisecond)
				io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			}
			return k < 3
		}, false},
		{"closed without a word", func(c net.Conn, k int, own, _ string) bool {
			honestTalk(c, k, own, "")
			time.Sleep(20 * time.Millisecond)
			return k < 3
		}, false},
	} {
		for _, transport := range []string{"standard", "fast"} {
			for _, over := range []string{"tcp", "tls"} {
				t.Run(tc.name+"/"+transport+"/"+over, func(t *testing.T) {
					t.Parallel()
					how := scenarios.Transport{Fast: transport == "fast", Connections: 1}
					serving := talks(tc.say)
					if over == "tls" {
						s, roots := secure(t, nil, func(http.ResponseWriter, *http.Request) {})
						how.TLS.Roots = roots
						plain := serving
						serving = func(n int, c net.Conn) {
							c = tls.Server(c, &tls.Config{Certificates: s.TLS.Certificates})
							defer c.Close()
							plain(n, c)
						}
					}
					target := raw(t, serving)
					if over == "tls" {
						target = "https" + target[len("http"):]
					}
					// One after another, with time between them for what comes unasked.
					phases := "{burst: 1}"
					for range requests - 1 {
						phases += ", {rest: 60ms}, {burst: 1}"
					}
					var all []history.Observation
					since := history.Never
					o := to(target, &all)
					o.Doubt = func(d history.Doubt) error { since = min(since, d.From); return nil }
					complete(t, travels(t, how, phases), o)
					trusted := 0
					for _, o := range all {
						if o.Sent >= since {
							o = o.Doubted()
						}
						if o.Status != 0 && o.Status != ownStatus+int(o.Seq) && o.Status != http.StatusRequestTimeout {
							t.Errorf("got %+v, which is the answer to another request", o)
						}
						if o.Status != 0 {
							trusted++
						}
					}
					if len(all) != requests || (since < history.Never) != tc.doubted || tc.doubted && trusted != 1 {
						t.Errorf("got %d requests, doubts since %s, and %d answers to be believed, want %d, doubts: %t, and then one:\n%s",
							len(all), since, trusted, requests, tc.doubted, list(all))
					}
				})
			}
		}
	}
}
