package main

import (
	"context"
	"fmt"
	"net/http"

	"duckload/history"
	"duckload/limiter"
)

// firstAnswers looks at the first answer of each group, which is one lone
// request in a compiled plan. Where that says that the target does not serve us
// at all, the run stops: the rest could decide nothing. A server that fails may
// do so once, so it takes a few of those.
type firstAnswers struct {
	header history.Header
	stop   context.CancelCauseFunc
	serves map[int]bool // by group: it does, or the run was stopped
	failed map[int]int  // by group: answers of a server that failed
}

// mostFailed is how many answers with a status from 500 on say that a service
// is not there.
const mostFailed = 5

func firstAnswersOf(h history.Header, stop context.CancelCauseFunc) firstAnswers {
	return firstAnswers{header: h, stop: stop, serves: map[int]bool{}, failed: map[int]int{}}
}

func (f *firstAnswers) look(o history.Observation) {
	lane := f.header.Lanes[o.Lane]
	i := lane.Group
	g := f.header.Groups[i]
	if f.serves[i] || o.Status == 0 || g.Promise.Turned(lane.Identity) {
		return
	}
	if g.Promise.Outcome(o.Status, o.Evidence) != limiter.Unknown || !refusesToServe(o.Status) {
		f.serves[i] = true
		return
	}
	if o.Status >= 500 {
		if f.failed[i]++; f.failed[i] < mostFailed {
			return
		}
	}
	f.serves[i] = true
	request := "its first request"
	if o.Request < len(g.Requests) {
		request = g.Requests[o.Request]
	}
	f.stop(failure{status: exitUnusable, err: fmt.Errorf(
		"target unusable: group %s: %s was answered %d %s, which is neither admitted nor a rejection by the limiter (%s)",
		g.Name, request, o.Status, http.StatusText(o.Status), remedy(o.Status))})
}

func refusesToServe(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return true
	}
	return status >= 500
}

func remedy(status int) string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "check the identity's key and its rights, or list the status under admitted"
	case status >= 500:
		return "is the service healthy? If this is how the limiter rejects, say so under on_reject.status"
	}
	return "check method, path and target"
}
