package attack

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"duckload/history"
)

// net/http sends an idempotent request again if a reused connection dies before
// the first byte of an answer, and tells nobody.
func TestARequestThatTheTransportSentTwiceIsRecordedTwice(t *testing.T) {
	target := raw(t, dyingOnSecond)
	plan := planFor(t, `g: {promise: {limit: 100/s, burst: 200}, requests: [GET /x], pacing: [{burst: 1}, {rest: 100ms}, {burst: 1}]}`)
	var all []history.Observation
	complete(t, plan, to(target, &all))
	if len(all) != 3 {
		t.Fatalf("got %d observations, want 3: %s", len(all), list(all))
	}
	lost, final := all[1], all[2]
	if !lost.Resent || lost.Answered != history.Never || lost.Status != 0 || lost.Error != "resent" || lost.Seq != 1 {
		t.Errorf("got %+v, want an attempt without an answer", lost)
	}
	if final.Resent || final.Status != 200 || final.Seq != 1 || final.Sent < lost.Done || lost.Sent > lost.Done || lost.Intended != final.Intended {
		t.Errorf("got %+v after %+v, want the answer to the second attempt", final, lost)
	}
}

// dyingOnSecond answers the first request of the first connection, closes it
// at the second, and answers whatever comes on later ones.
func dyingOnSecond(n int, c net.Conn) {
	r := bufio.NewReader(c)
	for i := 0; ; i++ {
		if _, err := http.ReadRequest(r); err != nil || n == 0 && i == 1 {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

func TestTheTransportMayNotSendAgainBeyondTheBudget(t *testing.T) {
	var requests atomic.Int32
	target := raw(t, func(n int, c net.Conn) {
		r := bufio.NewReader(c)
		for i := 0; ; i++ {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			if requests.Add(1); n == 0 && i == 1 {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	plan := planFor(t, `g: {promise: {limit: 100/s, burst: 200}, requests: [GET /x], pacing: [{burst: 1}, {rest: 100ms}, {burst: 1}]}`)
	var all []history.Observation
	o := to(target, &all)
	o.Budget.Requests = 2
	end, err := Run(t.Context(), plan, o)
	if err != nil || requests.Load() != 2 || len(all) != 2 || end.Reason != "budget" {
		t.Fatalf("got %d requests, %d observations, %+v, %v, want the budget of 2", requests.Load(), len(all), end, err)
	}
	if last := all[1]; last.Resent || last.Status != 0 || last.Error != "eof" || last.Answered != history.Never {
		t.Errorf("got %+v, want a request whose connection was closed", last)
	}
}
