package scenarios

import (
	"net/netip"
	"time"

	"duckload/capacity"
	"duckload/limiter"
	"duckload/trace"
)

// A Phase is one stretch of pacing: the name of a pace and what it reads.
// Numbers relative to the promise are resolved when the file is read.
type Phase struct {
	Pace  string `json:"pace"`          // name in Paces
	Label string `json:"label"`         // for people: "burst 202", "hold 80 % of 100/min"
	Why   string `json:"why,omitempty"` // what a compiled phase is for: "finds the burst"; empty if written by hand

	Count  int           `json:"count,omitempty"`  // burst, edges, obey, window: how many
	Rate   float64       `json:"rate,omitempty"`   // hold, ramp: requests per second at the start; sine: in the middle
	To     float64       `json:"to,omitempty"`     // ramp: requests per second at the end
	Swing  float64       `json:"swing,omitempty"`  // sine: how far from Rate, at most as much
	Period time.Duration `json:"period,omitempty"` // sine: of one swing
	For    time.Duration `json:"for,omitempty"`    // rest, hold, ramp, sine: how long; reactive paces: see each
	At     time.Duration `json:"at,omitempty"`     // meet: since the start of the run, when it begins
	Drain  int           `json:"drain,omitempty"`  // obey, edges: how many more requests it may take to use the allowance up; 0: it is used up already
	Limit  limiter.Limit `json:"limit"`            // reactive paces: the limit that is being examined
	Lanes  []int         `json:"lanes,omitempty"`  // indices into Plan.Lanes: static paces take them in turn, reactive ones send from the first and count what all of them sent
	Others []int         `json:"others,omitempty"` // scope: the lanes that are asked while the first of Lanes is exhausted

	Disguised int `json:"disguised,omitempty"` // scope: how many of Others, the last ones, are the first lane in disguise

	About      time.Duration `json:"about"`                // how long it takes if the promise is kept
	Likely     int           `json:"likely,omitempty"`     // how many requests it sends if the promise is kept
	Rejections int           `json:"rejections,omitempty"` // how many of them are rejected if it is kept

	Recording string  `json:"recording,omitempty"`  // replay: name of the file
	Speed     float64 `json:"time_scale,omitempty"` // replay: how many times as fast as recorded

	Effects []limiter.Effect `json:"effects,omitempty"` // effects: how they are seen

	Peak int `json:"peak,omitempty"` // replay: how many requests the busiest second has

	Steer  func(View) Move  `json:"-"`                // steered: what to send next
	Search *capacity.Search `json:"search,omitempty"` // find-capacity: where and how finely to look

	trace *trace.Trace // replay: the recording
	place place        // in the file, if written by hand
	share *share       // of one of several agents; nil: the whole phase
}

// Lane returns the index into Plan.Lanes of the lane that sends the i-th
// request of a static phase: its lanes take turns.
func (p Phase) Lane(i int) int {
	if p.share != nil {
		i = p.share.number(i)
	}
	return p.Lanes[i%len(p.Lanes)]
}

// A Plan is a scenario spelled out: every lane, every phase, and every moment
// that does not depend on answers.
type Plan struct {
	Scenario *Scenario `json:"-"`
	Seed     uint64    `json:"seed"`
	Run      string    `json:"run"` // id of the run; unique values are made from it
	Lanes    []Lane    `json:"lanes"`
	Tracks   []Track   `json:"tracks"`
	Dropped  []string  `json:"dropped,omitempty"` // what was left out or shortened to fit into the most time

	agent int    // whose part it is
	turns []turn // by lane; nil: it is the whole plan
}

// A Lane is one sender: a group, an identity and a source address. Each has
// connections of its own.
type Lane struct {
	Group    int        `json:"group"`              // index into Scenario.Groups
	Identity string     `json:"identity,omitempty"` // name of the identity; empty: none
	Source   netip.Addr `json:"source"`             // local address to send from; zero: the default route
	Trick    string     `json:"trick,omitempty"`    // a disguise in which the lane sends; empty: none
	Agent    int        `json:"agent,omitempty"`    // that sends from it, counted from 1; 0: whoever plays its track
}

// The disguises of a lane.
const (
	TrickForwarded = "forged X-Forwarded-For"
	TrickPath      = "another spelling of the path"
)

// A Track is what happens to one counter, phase after phase. Tracks run side
// by side.
type Track struct {
	Name   string  `json:"name"` // of the group, or of the groups that share the counter
	Phases []Phase `json:"phases"`
}

// A Shot is one request of a plan.
type Shot struct {
	At    time.Duration // since the start of the run
	Lane  int           // index into Plan.Lanes
	Phase int           // index into the phases of the track

	Look limiter.Look // it looks at what request Of of the lane did
	Of   uint64
}

// A Seen is a request of the same track that has ended, as a reactive pace
// sees it.
type Seen struct {
	Lane, Phase int

	Intended, Sent, Answered time.Duration // Answered is a time far away if no answer came

	Outcome    limiter.Outcome
	Ours       bool          // the machine that sends had nothing left to send it with
	RetryAfter time.Duration // what the answer promised; negative: nothing that can be read

	Seq     uint64 // number of the request in its lane
	Request int    // which of the group's requests it was

	Look limiter.Look // it looked at what request Of of the lane did
	Of   uint64
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
	// its arguments alone. It is first asked when every earlier request of the
	// track has ended, so that it sees them all.
	Next func(Phase, View) Move

	// Requests is the most requests that the phase sends.
	Requests func(Phase) int
}
