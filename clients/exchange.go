// Package clients judges clients of an API by what a server saw of them: do
// they wait as told, back off, and give up? It is arithmetic on moments: no
// clock, no network, no process.
//
// Every moment was taken by the server. A client cannot have an answer before
// its first byte was handed over, and a request cannot arrive before it was
// sent. What a network adds lies between, so that a wait seems longer than it
// was, never shorter: who seems to have waited too little did.
package clients

import (
	"fmt"
	"slices"
	"time"

	"duckload/scenarios"
)

// An Exchange is one request, and its answer as far as it matters to the next
// one.
type Exchange struct {
	Number int // from 1, in order of arrival
	Client int // from 0
	Conn   int // which connection; each is used by one client alone

	Method, Path string

	// Call is equal for requests that are the same in method, path, query, body
	// and credentials.
	Call string

	// Scripted reports whether the script chose the answer.
	Scripted bool

	Arrived  time.Duration // its head had been read
	Answered time.Duration // just before the first byte of the answer left, or the connection was closed

	Status int  // 0: closed without an answer
	Left   bool // the client went away before it was answered
	Code   string

	RetryAfter string        // as it was sent; empty: none was
	Until      time.Duration // when it may come back by that; 0: nothing was told
	Date       bool          // it was told as a date
}

// A Process is how the command of one client ended.
type Process struct {
	Began, Ended time.Duration
	Alone        bool   // it ended by itself
	Status       int    // exit status; -1: ended by a signal
	Children     int    // processes that it left behind, and that were ended
	Output       string // the end of what it said
}

// A Stop says why a run was ended before its clients did so themselves.
type Stop string

const (
	TimeOut     Stop = "time-out"
	OverBudget  Stop = "over budget"
	Interrupted Stop = "interrupted"
)

// A Run is a script that was played to some clients at once.
type Run struct {
	Script    scenarios.Script
	Exchanges []Exchange // in order of arrival
	Processes []Process  // by client
	Limit     time.Duration
	Stop      Stop // empty: all ended by themselves
}

// asksToWait reports whether an answer means: later, perhaps.
func (e Exchange) asksToWait() bool {
	switch e.Status {
	case 0, 408, 425, 429: // nothing, Request Timeout, Too Early, Too Many Requests
		return true
	case 501: // Not Implemented
		return false
	}
	return e.Left || e.Status >= 500
}

// isFinal reports whether an answer means: never, unless the request changes.
func (e Exchange) isFinal() bool {
	return e.Status >= 400 && !e.asksToWait()
}

func (e Exchange) succeeded() bool { return e.Status >= 200 && e.Status < 300 && !e.Left }

// says is an answer in words.
func (e Exchange) says() string {
	switch {
	case e.Left:
		return "no answer yet"
	case e.Status == 0:
		return "a closed connection"
	case e.Code != "":
		return fmt.Sprintf("%d %s", e.Status, e.Code)
	}
	return fmt.Sprint(e.Status)
}

// A call is what belongs together of what one client sent.
type call struct {
	client    int
	exchanges []Exchange
}

// same puts together requests that are the same in everything, in order of
// first arrival.
func (r Run) same() []call { return r.apart(func(e Exchange) string { return e.Call }) }

// lanes puts together what a client sends to one method and path: a request
// and its retries, even if something in the body is made anew each time.
func (r Run) lanes() []call {
	return r.apart(func(e Exchange) string { return e.Method + " " + e.Path })
}

func (r Run) apart(by func(Exchange) string) []call {
	type key struct {
		client int
		name   string
	}
	place := map[key]int{}
	var all []call
	for _, e := range r.Exchanges {
		k := key{e.Client, by(e)}
		i, known := place[k]
		if !known {
			i = len(all)
			place[k], all = i, append(all, call{client: e.Client})
		}
		all[i].exchanges = append(all[i].exchanges, e)
	}
	return all
}

// scripted are the lanes that the script answered.
func (r Run) scripted() []call {
	return slices.DeleteFunc(r.lanes(), func(c call) bool { return !c.exchanges[0].Scripted })
}

// A pair is an answer and the next request of its call.
type pair struct {
	first, next Exchange
	wait        time.Duration // at least what the client waited

	// certain: the request left after the answer had come. On a connection of
	// its own it may have been under way, if the client is seen to send several
	// at once. When a client left that was not answered is only known later.
	certain bool
}

// pairs are the neighbours of a call.
func (c call) pairs() []pair {
	atOnce := c.atOnce()
	var all []pair
	for i, e := range c.exchanges[1:] {
		before := c.exchanges[i]
		all = append(all, pair{first: before, next: e, wait: max(0, e.Arrived-before.Answered), certain: !before.Left && (!atOnce || e.Conn == before.Conn)})
	}
	return all
}

// atOnce reports whether a client was seen to send before it had the answer to
// what it sent last. Who leaves an answer that is late does not count.
func (c call) atOnce() bool {
	for i, e := range c.exchanges[1:] {
		if before := c.exchanges[i]; e.Arrived < before.Answered && !before.Left {
			return true
		}
	}
	return false
}
