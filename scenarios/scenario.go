package scenarios

import (
	"net/netip"
	"slices"
	"time"

	"duckload/limiter"
)

// A Scenario is a scenario file that was read and found right.
type Scenario struct {
	Path string // as given; "space-duck (built in)" for an embedded one
	Text []byte // the file as it was read

	Name          string
	Documentation string
	Target        string   // base URL, or Emulator
	AllowHosts    []string // hosts that may be contacted beside loopback

	Identities []Identity
	Groups     []Group
	Webhooks   *Webhooks // nil: nobody listens
	Budget     Budget
	Stop       []StopRule

	identity  map[string]int         // index into Identities by name
	secrets   []string               // what the environment and files supplied, longest first
	sourcesAt map[netip.Addr]Mistake // where each address to send from is named first
	short     []string               // values of identities that are masked as whole words alone
}

// Emulator is the target that stands for duckload's own emulator of the Space
// Duck API, started for the run.
const Emulator = "emulator"

// An Identity is what a sender shows of itself.
type Identity struct {
	Name    string
	Headers []Pair // sent with each request
	Query   []Pair // added to each request's query

	row row // what a file says of it, for ${identity.NAME}; values are secrets
}

// A Pair is a name and a value that may interpolate.
type Pair struct {
	Name  string
	Value Template
}

// A Group is a group of endpoints that share one promise.
type Group struct {
	Name      string
	Promise   limiter.Promise
	Requests  []Request
	Identity  []string  // names; one lane for each, times one for each source
	Sources   []string  // local addresses; empty: as the scenario's defaults say
	EachAgent bool      // an address of each agent of a fleet; on one machine as if nothing were said
	Setup     []Request // sent once for each identity before the run
	Teardown  []Request // and after it
	Looks     []Request // follow-ups, which see what a request did
	Pacing    []Phase   // empty: the plan is compiled from the promise

	Transport Transport // how its requests travel

	Exclusive     bool
	Fresh         bool
	Shares        string        // name of the group whose counter this one shares; empty: its own
	DecidedWithin time.Duration // 0: an unanswered request may be decided for ever

	place place // of its name in the file
}

// Line is where the group begins in its file, from 1; 0 if it came from none.
func (g Group) Line() int { return g.place.line }

// Asks returns the group's requests, and the follow-ups behind them.
func (g Group) Asks() []Request { return slices.Concat(g.Requests, g.Looks) }

// A Request is one request of a group.
type Request struct {
	Method  string
	Path    Template // begins with a slash
	Headers []Pair
	Query   []Pair
	Body    Template  // empty: none
	Type    string    // Content-Type of the body
	Weight  int       // at least 1: how often it comes among the group's requests
	Capture []Capture // of the answer; only in a setup
	Creates string    // what each admitted one leaves on the target: "account", "message"; empty: nothing

	sight *sight // how its effect is seen, as it was read; then Promise.Effects and Looks say
}

// A Budget is a hard stop. Zero fields do not limit.
type Budget struct {
	Requests int
	Duration time.Duration
}

// A StopRule ends a run that hurts: when the share of unknown outcomes among
// the requests finished in the trailing window reaches Share.
type StopRule struct {
	Share  float64 // above 0, at most 1
	Within time.Duration
}
