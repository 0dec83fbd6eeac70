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
// at all, the run stops: the rest could decide nothing.
type firstAnswers struct {
	header history.Header
	stop   context.CancelCauseFunc
	seen   map[int]bool // by group
}

func (f *firstAnswers) look(o history.Observation) {
	lane := f.header.Lanes[o.Lane]
	i := lane.Group
	g := f.header.Groups[i]
	if f.seen[i] || o.Status == 0 || g.Promise.Turned(lane.Identity) {
		return
	}
	f.seen[i] = true
	if g.Promise.Outcome(o.Status, o.Evidence) != limiter.Unknown || !refusesToServe(o.Status) {
		return
	}
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
