// Package analyze judges a history against its promise. It is arithmetic on
// values: no clock, no network, no file.
//
// A violation is reported only if no placement of the limiter's decisions
// inside the measured intervals explains what was seen.
package analyze

import (
	"time"

	"duckload/capacity"
	"duckload/limiter"
)

// A Verdict is how a check ends.
type Verdict string

const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Worse returns the verdict of two together: one failure fails, else one open
// question leaves both open.
func (v Verdict) Worse(w Verdict) Verdict {
	if v == Fail || w == Fail {
		return Fail
	}
	if v == Inconclusive || w == Inconclusive {
		return Inconclusive
	}
	return Pass
}

// Findings are all that a history says about its promise.
type Findings struct {
	Run         Run
	Outcome     Verdict
	Sentence    string // the verdict in one plain sentence
	Groups      []Group
	Assumptions []string // what every verdict rests on, a sentence each
	Caveats     []string // what a reader must know to trust the run: lost records, lateness, resends
	Lateness    Lateness
	Sending     Sending
	Agents      []Agent // who sent, in order of the record; none: one machine, which judges
}

// An Agent is one of the machines that sent a run.
type Agent struct {
	Name      string
	Address   string        // as others see it; empty: nobody knows
	Requests  int           // that are on record
	Bound     time.Duration // how far its moments may be from the others' axis of time, either way
	Unbounded string        // why nothing bounds them; empty: Bound does
	Gaps      []string      // what is missing of its record
}

// A Run identifies the history.
type Run struct {
	ID       string
	Scenario string
	Target   string
	Started  time.Time
	Duration time.Duration
	Complete bool
	Requests int
	Seed     uint64
	Reason   string // why it ended early; empty otherwise
}

// A Group is what was found about one group of endpoints.
type Group struct {
	Name     string
	Promise  limiter.Promise
	Outcome  Verdict
	Findings []Finding
	Measured *Measured // nil: nothing could be measured

	Sent, Admitted, Rejected, Unknown int

	Latency  [3]Latency // by limiter.Outcome
	Timeline Timeline
	Drawn    Key      // the key that shows most: one under which a limit was broken, else the busiest
	Lanes    []string // "beak from 127.0.0.2"
	Shown    Shown
	Events   []Delivered       // of each kind of event that its requests cause
	Capacity []capacity.Result // of each search for a capacity, in order of phases
}

// A Finding is the result of one check: a sentence with numbers, and a
// witness where it fails.
type Finding struct {
	Check   string // id in Checks
	Outcome Verdict
	Message string   // one sentence, lower case, no full stop
	Witness *Witness // never nil when the outcome is Fail

	causes []string // names of the diagnoses that Message ends with
}

// A Witness is the smallest set of requests that proves a failure.
type Witness struct {
	Sentence string        // a person can check it by hand
	From, To time.Duration // the stretch of the run that it speaks of
	Counted  int           // what was seen there
	Allowed  float64       // what the promise allows there
	Requests []Evidence    // in order of Sent; at most MaxEvidence of them
	More     int           // how many more belong to the witness
}

// MaxEvidence is how many requests a witness spells out.
const MaxEvidence = 20

// Evidence is one request as a witness shows it.
type Evidence struct {
	Lane, Phase    int
	Seq            uint64
	Request        int
	Sent, Answered time.Duration
	Status         int
	Outcome        limiter.Outcome
	Fields         limiter.Fields
}

// An Interval is a certified one: the true value is inside.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Measured is what the limiter really does, as far as the run shows. It is
// the measured object of verdict.json.
type Measured struct {
	Family         string    `json:"family"`
	Consistent     []string  `json:"consistent"` // every family that explains the run
	LimitPerWindow *Interval `json:"limit_per_window"`
	RatePerSecond  *Interval `json:"rate_per_s"`
	Burst          *Interval `json:"burst"`
	Window         *Interval `json:"window_s"`
	AtOnce         *Interval `json:"at_once,omitempty"` // under way at once; nil unless that is what is promised
	Scope          string    `json:"scope"`
	RejectsConsume *bool     `json:"rejects_consume"` // nil: not seen

	// Plane is what the run leaves of all rates and bursts, for drawing. It is
	// no part of verdict.json. Nil unless the promise is one token bucket.
	Plane *Plane `json:"-"`
}

// A Plane is the plane of rates and bursts around what is documented, cut at
// some rates. At each of them the admissions need a burst of Least at least,
// and the rejections one below Most: where Least is not below Most, no bucket
// explains the run. Both fall as the rate rises.
type Plane struct {
	Rate   float64      `json:"rate_per_s"` // the documented point
	Burst  float64      `json:"burst"`
	Slices []PlaneSlice `json:"slices"` // in rising order of rate
}

// A PlaneSlice is a plane at one rate.
type PlaneSlice struct {
	Rate  float64 `json:"rate_per_s"`
	Least float64 `json:"least"` // at least 1
	Most  float64 `json:"most"`  // +Inf if no rejection bounds the burst
}

// Latency summarises the answers of one outcome. Percentiles are exact, by
// nearest rank: the smallest value that at least p % of the values do not
// exceed.
type Latency struct {
	N                       int
	Mean                    time.Duration
	P50, P90, P95, P99, Max time.Duration

	// Spectrum is the distribution for plotting: latencies at percentiles that
	// crowd towards 100.
	Spectrum []Quantile
}

// A Quantile is a percentile and the value at it.
type Quantile struct {
	Percentile float64
	Value      time.Duration
}

// A Timeline counts requests in bins of equal width from moment 0 on, by the
// moment at which they were sent.
type Timeline struct {
	Bin                                  time.Duration
	Offered, Admitted, Rejected, Unknown []int
}

// Lateness says how far the requests were from the moments at which the plan
// wanted them: the share of the sender in what was measured.
type Lateness struct {
	N             int
	P50, P99, Max time.Duration
}
