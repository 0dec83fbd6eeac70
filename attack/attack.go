// Package attack sends a plan with vegeta and records what happens. It is the
// only part of duckload that waits or talks, and it judges nothing: what came
// back is written down as it came, and so is every deviation from the plan.
//
// A conductor walks the phases of each track and hands the shots to lanes; a
// lane is one vegeta attacker with connections of its own, whose pacer waits
// for the next shot; a recorder, which is the lane's http.RoundTripper, makes
// the request and writes down what came of it.
package attack

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// Options say how a plan is sent. The zero value sends over real sockets,
// with no hosts allowed but loopback.
type Options struct {
	// Transport makes the transport of a lane, in this process: there is no
	// host to be allowed, and nothing to be dialled. nil: net/http, HTTP/1.1,
	// over sockets bound to the lane's source address.
	Transport func(scenarios.Lane) http.RoundTripper

	// Dial, if not nil, returns a dial function that stands for a source
	// address, or nil to bind a socket to it. A machine may lack 127.0.0.2; the
	// built-in emulator can be told which source a connection stands for. It is
	// asked for loopback addresses only.
	Dial func(source netip.Addr) func(ctx context.Context, network, address string) (net.Conn, error)

	// TLS is what a handshake with the target starts from. nil: the roots of
	// this machine, and no certificate of our own.
	TLS *tls.Config

	Target     string        // base URL
	AllowHosts []string      // hosts that may be contacted beside loopback
	Timeout    time.Duration // of one request; 0: 30 s
	UserAgent  string        // "duckload/<version>"

	Budget scenarios.Budget
	Stop   []scenarios.StopRule

	// Start is moment 0, with a monotonic reading; zero: as soon as all is
	// ready. Setup is done before it. Where that takes longer, nothing is sent
	// and Run returns a [LateStart].
	Start time.Time

	// Record takes each observation as its request ends, one call at a time.
	// An error stops the run.
	Record func(history.Observation) error

	// Doubt is told, one call at a time with Record, when a target has sent more
	// answers than it was asked for: those of a lane, also earlier ones, may be
	// another request's. From then on such observations come without an answer.
	Doubt func(history.Doubt) error

	// Listen serves what takes the deliveries of webhooks, until stop is called.
	// nil: nobody listens. Event takes each delivery that arrives, as Record
	// takes observations.
	Listen func(http.Handler) (stop func(), err error)
	Event  func(history.Event) error

	// Debug, if not nil, takes the first exchanges of each group as text, with
	// secrets masked and control characters made visible.
	Debug io.Writer

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

// defaultTimeout is when a request is given up.
const defaultTimeout = 30 * time.Second

// grace is how long requests under way may take to end once a run is stopped.
const grace = 700 * time.Millisecond

// maxBody is how much of an answer's body is read, and maxJSON how much of it
// is looked at for the values that a promise names.
const (
	maxBody = 1 << 20
	maxJSON = 64 << 10
)
