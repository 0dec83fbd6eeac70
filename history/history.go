// Package history is what happened: one observation for each request, and the
// append-only record that it is kept in.
//
// The history is the only thing between sending and judging. It carries the
// promise and the scenario as text, so that it can be judged again in a year.
package history

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"duckload/capacity"
	"duckload/limiter"
)

// Never is the moment of an answer that did not come.
const Never = time.Duration(math.MaxInt64)

// An Observation is one attempt to send one request, and what came back. All
// moments are counted from the start of the run by one monotonic clock.
//
// The server decided about the request somewhere in the closed interval
// [Sent, Answered]. Closed, because both ends are readings of a clock with a
// finite step: a decision may carry the same reading as the byte beside it.
type Observation struct {
	Lane    int    // index into Header.Lanes
	Phase   int    // index into Header.Phases
	Seq     uint64 // number of the request in its lane, from 0; attempts of one request share it
	Request int    // which of the group's requests it was, from 0

	Intended time.Duration // when the plan wanted it sent
	Sent     time.Duration // no byte had left before: the connection was ready
	Answered time.Duration // first byte of the final answer; Never if none came
	Done     time.Duration // body read, or given up

	// Resent marks an attempt that the transport gave up and sent again by
	// itself. Its own answer never came; the server may have counted it.
	Resent bool

	// Unsent marks a request of which no byte left, because no connection came
	// about: no limiter decided about it, whatever happened later.
	Unsent bool

	// Look says that the request was sent to see what request Of of its lane
	// did. A follow-up (limiter.LookAfter) is no request of the limited ones.
	Look limiter.Look
	Of   uint64

	Status   int    // 0: no answer
	Error    string // class of the failure if no whole answer came: "timeout", "reset", "refused", …; see attack
	BytesIn  int64  // body bytes read
	BytesOut int64  // body bytes sent

	Evidence limiter.Fields // rate-limit headers, Date, and the JSON values the promise asks for
}

// A Header says what a run was about.
type Header struct {
	Version  int       `json:"version"`            // of the record; Create sets it
	Run      string    `json:"run"`                // unique, sortable by time
	Scenario string    `json:"scenario"`           // its name
	Target   string    `json:"target"`             // base URL
	Emulator bool      `json:"emulator,omitempty"` // the run started it itself, and it is gone
	Started  time.Time `json:"started"`            // wall clock at moment 0
	Seed     uint64    `json:"seed"`
	Planned  int       `json:"planned"` // the most requests that the plan could send
	Tool     string    `json:"tool"`    // version of duckload that wrote it

	Groups []Group `json:"groups"`
	Lanes  []Lane  `json:"lanes"`
	Phases []Phase `json:"phases"`

	// Agents are the machines that sent. In an agent's own record it is alone
	// there; none: the run had one machine, which is the one that judges.
	Agents []Agent `json:"agents,omitempty"`

	// Roster names all agents of the run, so that one whose record is not there
	// is missed; empty: there were none.
	Roster []string `json:"roster,omitempty"`

	// Parts say what each agent of the roster may send something of.
	Parts []Part `json:"parts,omitempty"`

	Source string `json:"source"`         // the scenario as text, secrets masked
	File   string `json:"file,omitempty"` // where the scenario was read from; empty: it is built in, or nobody knows
}

// A Part is what one agent of a run may send something of.
type Part struct {
	Agent  string `json:"agent"`
	Groups []int  `json:"groups"` // indices into Header.Groups
}

// A Group is a group of endpoints with one promise.
type Group struct {
	Name    string          `json:"name"`
	Counter string          `json:"counter"` // groups with the same counter share their limits; usually the name
	Promise limiter.Promise `json:"promise"`

	Exclusive bool `json:"exclusive"` // nobody else uses the keys during the run
	Fresh     bool `json:"fresh"`     // the keys were never used before the run: allowance is whole at moment 0

	// Line is where the group begins in the scenario, from 1; 0: unknown.
	Line int `json:"line,omitempty"`

	// Requests are the group's requests as a line each, secrets masked: "GET
	// /beak/metrics". Evidence counts them from 0.
	Requests []string `json:"requests,omitempty"`

	// Curl are words of a curl command for each of Requests, for people who try
	// one by hand. They hold no secret.
	Curl []Curl `json:"curl,omitempty"`

	// DecidedWithin bounds how long after Sent an unanswered request may still
	// be decided. 0: it stays possible for ever.
	DecidedWithin time.Duration `json:"decided_within,omitempty"`
}

// A Curl is how to send the like of a request with curl: words for a shell.
type Curl struct {
	Options string `json:"options,omitempty"` // method, headers, body
	Path    string `json:"path"`              // with the query, to be put behind the base URL
}

// A Lane is one sender: a group, an identity and a source address.
type Lane struct {
	Group    int    `json:"group"` // index into Header.Groups
	Identity string `json:"identity"`
	Source   string `json:"source"` // local address; empty: the default route

	// Agent is the name of the agent that sent from it; empty: there are none,
	// or nobody did.
	Agent string `json:"agent,omitempty"`

	// Trick says how the lane disguises itself: "forged X-Forwarded-For",
	// "another spelling of the path". Its key is that of a lane without it.
	Trick string `json:"trick,omitempty"`

	// Curl are the options of a curl command that say who asks, without any
	// secret; empty if there are none, or so many lanes that nobody reads them.
	Curl string `json:"curl,omitempty"`
}

// A Phase is one stretch of a lane's plan.
type Phase struct {
	Group int    `json:"group"` // index into Header.Groups
	Pace  string `json:"pace"`  // name in scenarios.Paces: "burst", "hold", …
	Label string `json:"label"` // for people: "burst 202"

	// Rate is the pace of a hold, in requests per second; 0: none, or not on
	// record.
	Rate float64 `json:"rate,omitempty"`

	// Search is what a search for a capacity was asked for; nil: it is none.
	Search *capacity.Search `json:"search,omitempty"`
}

// An End says how a run ended.
type End struct {
	At       time.Duration `json:"at"`
	Reason   string        `json:"reason"`             // "", "interrupted", "terminated", "budget", "stop rule: …"
	Complete bool          `json:"complete"`           // everything planned was sent and recorded
	Offered  int           `json:"offered"`            // requests that the plan came to
	Listened time.Duration `json:"listened,omitempty"` // until when deliveries of webhooks could arrive; 0: nobody listened
	Blind    time.Duration `json:"blind,omitempty"`    // the longest that whoever listened did not get to look
	Notes    []string      `json:"notes,omitempty"`    // what a reader must know to trust the run
}

// A History is a record that can be read, as often as one likes.
type History struct {
	Header Header
	End    *End // nil: the record breaks off

	Events []Event // deliveries of webhooks, in the order of their arrival

	// Missing says what could not be read, a sentence each: a torn frame, a
	// lost segment. Checks must not treat such a record as whole.
	Missing []string

	// Lost says which groups may lack observations that were recorded, by their
	// index in the header; nil: any may, if anything is Missing. [Open] knows it
	// from what the writers said at their end, and from the agents' parts.
	Lost []bool

	// Notes says what was found odd and cost nothing: a frame that came twice.
	Notes []string

	all     func() iter.Seq2[Observation, error]
	streams []stream // that it is read from; none: it is in memory
}

// Of returns a history of observations that are already in memory.
func Of(header Header, observations []Observation, end *End) *History {
	return &History{Header: header, End: end, all: func() iter.Seq2[Observation, error] {
		return func(yield func(Observation, error) bool) {
			for _, o := range observations {
				if !yield(o, nil) {
					return
				}
			}
		}
	}}
}

// All returns the observations in the order in which they were recorded, which
// is the order of their completion and no other. An error ends the sequence.
// It may be called many times, and the sequences may be read side by side. The
// Evidence of an observation may be kept, but not changed: observations share
// it.
func (h *History) All() iter.Seq2[Observation, error] { return h.all() }

// Outcome classifies an observation by the promise of its group.
func (h *History) Outcome(o Observation) limiter.Outcome { return h.Header.Outcome(o) }

// Outcome classifies an observation of the run by the promise of its group.
func (h *Header) Outcome(o Observation) limiter.Outcome {
	if o.Resent || o.Answered == Never || o.Look == limiter.LookAfter {
		return limiter.Unknown
	}
	return h.Groups[h.Lanes[o.Lane].Group].Promise.Outcome(o.Status, o.Evidence)
}

// Collect returns every observation in order of Sent.
func (h *History) Collect() ([]Observation, error) {
	var all []Observation
	for o, err := range h.All() {
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b Observation) int { return cmp.Compare(a.Sent, b.Sent) })
	return all, nil
}
