// Package attack sends a plan with vegeta and records what happens. It is the
// only part of duckload that waits or talks.
package attack

import (
	"net/http"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// Options say how a plan is sent. The zero value sends over real sockets,
// with no hosts allowed but loopback.
type Options struct {
	// Transport makes the transport of a lane. nil: net/http over a socket
	// bound to the lane's source address.
	Transport func(scenarios.Lane) http.RoundTripper

	Target     string        // base URL
	AllowHosts []string      // hosts that may be contacted beside loopback
	Timeout    time.Duration // of one request; 0: 30 s
	UserAgent  string        // "duckload/<version>"

	Budget scenarios.Budget
	Stop   []scenarios.StopRule

	// Record takes each observation as its request ends, one call at a time.
	// An error stops the run.
	Record func(history.Observation) error

	// Progress, if not nil, is told of each request and of each phase, one
	// call at a time. It must return at once.
	Progress func(Event)
}

// An Event is one step of a run's progress.
type Event struct {
	At      time.Duration
	Track   int             // index into Plan.Tracks
	Phase   int             // index into the track's phases
	Begins  bool            // the phase begins; no request is meant
	Ends    bool            // the track has ended; no request is meant
	Outcome limiter.Outcome // of the request that ended
}
