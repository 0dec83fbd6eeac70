package scenarios

import (
	"net/netip"
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
	Budget     Budget
	Stop       []StopRule
}

// Emulator is the target that stands for duckload's own emulator of the Space
// Duck API, started for the run.
const Emulator = "emulator"

// An Identity is what a sender shows of itself.
type Identity struct {
	Name    string
	Headers []Pair // sent with each request
	Query   []Pair // added to each request's query
}

// A Pair is a name and a value that may interpolate.
type Pair struct {
	Name  string
	Value Template
}

// A Group is a group of endpoints that share one promise.
type Group struct {
	Name     string
	Promise  limiter.Promise
	Requests []Request
	Identity []string // names; one lane for each, times one for each source
	Sources  []string // local addresses; empty: as the scenario's defaults say
	Pacing   []Phase  // empty: the plan is compiled from the promise

	Exclusive     bool
	Fresh         bool
	Shares        string        // name of the group whose counter this one shares; empty: its own
	DecidedWithin time.Duration // 0: an unanswered request may be decided for ever
}

// A Request is one request of a group.
type Request struct {
	Method  string
	Path    Template // begins with a slash
	Headers []Pair
	Query   []Pair
	Body    Template // empty: none
	Type    string   // Content-Type of the body
	Weight  int      // at least 1: how often it comes among the group's requests
	Creates string   // what each admitted one leaves on the target: "account", "message"; empty: nothing
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

// A Phase is one stretch of pacing: the name of a pace and what it reads.
// Numbers relative to the promise are resolved when the file is read.
type Phase struct {
	Pace  string // name in Paces
	Label string // for people: "burst 202", "hold 80 % of 100/min"
	Why   string // what a compiled phase is for: "finds the burst"; empty if written by hand

	Count int             // burst, probe, obey: how many
	Rate  float64         // hold, ramp: requests per second at the start
	To    float64         // ramp: requests per second at the end
	For   time.Duration   // rest, hold, ramp: how long
	Limit limiter.Limit   // reactive paces: the limit that is being examined
	Lanes []int           // indices into Plan.Lanes; the first is the one that sends unless a pace says otherwise
	Extra []time.Duration // paces that need more moments say here what these are
}

// A Plan is a scenario spelled out: every lane, every phase, and every moment
// that does not depend on answers.
type Plan struct {
	Scenario *Scenario
	Seed     uint64
	Run      string // id of the run; unique values are made from it
	Lanes    []Lane
	Tracks   []Track
}

// A Lane is one sender: a group, an identity and a source address. Each has
// connections of its own.
type Lane struct {
	Group    int        // index into Scenario.Groups
	Identity string     // name of the identity; empty: none
	Source   netip.Addr // local address to send from; zero: the default route
}

// A Track is what happens to one counter, phase after phase. Tracks run side
// by side.
type Track struct {
	Name   string // of the group, or of the groups that share the counter
	Phases []Phase
}

// A Shot is one request of a plan.
type Shot struct {
	At    time.Duration // since the start of the run
	Lane  int           // index into Plan.Lanes
	Phase int           // index into the phases of the track
}

// A Seen is a request of the same track that has ended, as a reactive pace
// sees it.
type Seen struct {
	Lane, Phase int

	Intended, Sent, Answered time.Duration // Answered is a time far away if no answer came

	Outcome    limiter.Outcome
	RetryAfter time.Duration // what the answer promised; negative: nothing that can be read
}

// A View is what a reactive pace knows when it is asked what to send next.
type View struct {
	Now   time.Duration // since the start of the run
	Start time.Duration // when the phase began
	Phase int           // index of the phase in its track
	Seen  []Seen        // everything of the track that has ended, in order of Sent
}

// A Move is what a reactive pace wants next. An empty move that is not Done is
// asked again at Wake.
type Move struct {
	Shots []Shot        // in order of At; the pace is asked again when all have ended
	Wake  time.Duration // if there are no shots: when to ask again
	Done  bool          // the phase is over once the shots have ended and Wake has passed
}

// A Pace is a rhythm of requests. To add one, write it in a file of its own
// and list it in [Paces]. A pace is static (Offsets and Length) or reactive
// (Next), never both.
type Pace struct {
	Name string
	Doc  string // one sentence; names the fields of Phase that it reads

	// Offsets yields when to send, counted from the start of the phase, in
	// rising order, no two alike. Length is how long the phase lasts. Phases
	// of a plan may hold more moments than memory, so they are not a slice.
	Offsets func(Phase, func(time.Duration) bool)
	Length  func(Phase) time.Duration

	// Next says what to send after what was seen so far. It is a function of
	// its arguments alone.
	Next func(Phase, View) Move

	// Requests is the most requests that the phase sends.
	Requests func(Phase) int
}
