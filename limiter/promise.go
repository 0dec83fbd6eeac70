package limiter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Reading is the algorithm that gives the words of a documented limit a
// meaning. Several algorithms fit "100 per minute"; a verdict depends on which
// one was promised.
type Reading string

const (
	TokenBucket    Reading = "token-bucket"    // capacity Burst, refilled at Limit per Window; the same as GCRA
	SteppedBucket  Reading = "stepped-bucket"  // Limit tokens at once every Window, capacity Burst
	FixedWindow    Reading = "fixed-window"    // Limit in each window, aligned to some phase or anchored at a first request
	SlidingLog     Reading = "sliding-log"     // Limit in any trailing Window
	SlidingCounter Reading = "sliding-counter" // the previous window's count, weighted, plus the current one's
	LeakyQueue     Reading = "leaky-queue"     // a queue of Burst, one let through every Window/Limit: delays, and rejects only when full
	Concurrency    Reading = "concurrency"     // Limit requests under way at once, however long each takes; no Window
	Open           Reading = "open"            // none is documented: whatever any rate limiter that delays nothing would do
)

// Readings lists every reading in the order in which they are shown.
var Readings = []Reading{TokenBucket, SteppedBucket, FixedWindow, SlidingLog, SlidingCounter, LeakyQueue, Concurrency, Open}

// A Scope says who shares one counter. The empty scope is "not documented".
type Scope string

const (
	ScopeUnknown Scope = ""
	ScopeIP      Scope = "ip"     // one counter for each source address
	ScopeKey     Scope = "key"    // one counter for each identity
	ScopeGlobal  Scope = "global" // one counter for everybody
)

// A Limit is one documented limit.
type Limit struct {
	Limit  int64         `json:"limit"`           // requests per Window, or at once where there is none, at least 1
	Window time.Duration `json:"window"`          // above 0; 0 for Concurrency
	Burst  int64         `json:"burst,omitempty"` // capacity of a bucket or a queue, at least 1; 0: not documented
	Scope  Scope         `json:"scope,omitempty"`

	Reading Reading `json:"reading"`

	// Tolerance is the promise class: 0 is exact; 0.05 is "best effort, ±5 %",
	// which widens the rate and the burst alike.
	Tolerance float64 `json:"tolerance,omitempty"`

	// Precision is how narrow a measured rate must be to count as the documented
	// one, as a share of it to each side: 0.002 is ±0.2 %. It is no part of the
	// promise, and changes no failure. 0 means the default of 0.005.
	Precision float64 `json:"precision,omitempty"`

	// Granularity is the step of the limiter's clock. 0 means the default of
	// 10 ms ([DefaultGranularity]).
	Granularity time.Duration `json:"granularity,omitempty"`

	// ServiceTime is how long each admitted request is known to take the
	// server at the least; 0: not known. Only Concurrency reads it: requests
	// that overlap here need not have overlapped there.
	ServiceTime time.Duration `json:"service_time,omitempty"`

	RejectsConsume bool `json:"rejects_consume,omitempty"` // a rejected request also counts
	Unverified     bool `json:"unverified,omitempty"`      // respected and shown, never judged
}

// DefaultGranularity is how coarse a limiter's clock may be when nothing else
// is said: nginx ticks every 4 ms.
const DefaultGranularity = 10 * time.Millisecond

// Clock returns the granularity in force.
func (l Limit) Clock() time.Duration {
	if l.Granularity > 0 {
		return l.Granularity
	}
	return DefaultGranularity
}

// Rate returns the documented rate in requests per second. A limit of requests
// at once has none: its rate is infinite.
func (l Limit) Rate() float64 { return float64(l.Limit) / l.Window.Seconds() }

// Interval returns the time that one request takes to come back, rounded to
// the nanosecond below; 0 for a limit of requests at once.
func (l Limit) Interval() time.Duration { return l.Window / time.Duration(l.Limit) }

// Capacity returns how many requests a quiet key may send at once: the burst
// of a bucket or a queue, the limit of a window or of what is under way.
func (l Limit) Capacity() int64 {
	switch l.Reading {
	case TokenBucket, SteppedBucket, LeakyQueue:
		return l.Burst
	}
	return l.Limit
}

// FullRest returns how long a key must be quiet until its allowance is
// certainly whole again, whatever happened before. What does not fit is the
// longest duration.
func (l Limit) FullRest() time.Duration {
	switch l.Reading {
	case TokenBucket, LeakyQueue:
		return l.fill()
	case Concurrency:
		return 0 // quiet means that nothing is under way
	case SteppedBucket:
		steps := (l.Burst-1)/l.Limit + 1
		rest, _ := mulDiv(steps, int64(l.Window), 1)
		return time.Duration(rest)
	case FixedWindow, SlidingLog:
		return l.Window
	}
	rest := 2 * l.Window
	if l.Burst > 0 {
		twice, _ := mulDiv(2, int64(l.fill()), 1)
		rest = max(rest, time.Duration(twice))
	}
	return rest
}

// fill returns how long an empty bucket takes to fill evenly, rounded up. The
// product of a burst and a window may need more than 64 bits.
func (l Limit) fill() time.Duration {
	return time.Duration(mulDivUp(l.Burst, int64(l.Window), l.Limit))
}

// String returns the limit as a table would say it: "100/min, burst 200, per ip",
// "10/s, queue of 20", "5 at once".
func (l Limit) String() string {
	var b strings.Builder
	switch {
	case l.Reading == Concurrency:
		fmt.Fprintf(&b, "%d at once", l.Limit)
	default:
		fmt.Fprintf(&b, "%d/%s", l.Limit, Per(l.Window))
	}
	switch {
	case l.Reading == LeakyQueue:
		fmt.Fprintf(&b, ", queue of %d", l.Burst)
	case l.Burst > 0:
		fmt.Fprintf(&b, ", burst %d", l.Burst)
	}
	if l.Scope != ScopeUnknown {
		fmt.Fprintf(&b, ", %s", l.Scope.phrase())
	}
	return b.String()
}

func (s Scope) phrase() string {
	if s == ScopeGlobal {
		return "for everybody"
	}
	return "per " + string(s)
}

// Per returns a window as it stands behind the slash of a limit: "s", "min",
// "h", "day", or the duration itself where none of them fits.
func Per(w time.Duration) string {
	switch w {
	case time.Second:
		return "s"
	case time.Minute:
		return "min"
	case time.Hour:
		return "h"
	case 24 * time.Hour:
		return "day"
	}
	return w.String()
}

// A Promise is everything that is documented about one group of endpoints and
// that a server can keep or break: its limits, how it rejects, what counts as
// admitted, and the objectives for its answers.
type Promise struct {
	Limits     []Limit    `json:"limits"` // all of them hold at once
	Reject     Rejection  `json:"reject"`
	Admitted   []Statuses `json:"admitted"` // what surely spent allowance
	Objectives Objectives `json:"objectives"`

	Effects []Effect `json:"effects,omitempty"` // how the effects of requests are seen

	Webhooks []Webhook `json:"webhooks,omitempty"` // the events that its requests cause

	Errors ErrorTable    `json:"errors,omitzero"`
	Expect []Expectation `json:"expect,omitempty"` // what others than the group's senders are told
}

// RetryAfterRule says how strictly Retry-After is promised.
type RetryAfterRule string

const (
	RetryAfterRequired RetryAfterRule = "required" // on every rejection, and obeying it works
	RetryAfterExact    RetryAfterRule = "exact"    // and it makes nobody wait for nothing
	RetryAfterOptional RetryAfterRule = "optional" // judged where it is sent
	RetryAfterNone     RetryAfterRule = "none"     // not judged
)

// A Rejection is the documented answer to a request beyond the limit.
type Rejection struct {
	Status     []int          `json:"status"` // usually 429 alone
	RetryAfter RetryAfterRule `json:"retry_after"`
	JSON       []Field        `json:"json,omitempty"` // dotted path in the body and the value it must have
}

// Objectives are the scenario's own demands on admitted requests. The zero
// value demands nothing.
type Objectives struct {
	Latency []LatencyObjective `json:"latency,omitempty"` // in rising order of percentile
	Errors  *float64           `json:"errors,omitempty"`  // greatest share of unknown outcomes, 0 to 1
}

// A LatencyObjective is the greatest latency that a percentile may have.
type LatencyObjective struct {
	Percentile float64       `json:"percentile"` // above 0, at most 100
	Most       time.Duration `json:"most"`
}

// Statuses is a range of HTTP statuses, both ends included.
type Statuses struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Contains reports whether the range holds a status.
func (s Statuses) Contains(status int) bool { return s.From <= status && status <= s.To }

// String returns "2xx" for a whole hundred, else "409" or "200-204".
func (s Statuses) String() string {
	if s.From%100 == 0 && s.To == s.From+99 {
		return strconv.Itoa(s.From/100) + "xx"
	}
	if s.From == s.To {
		return strconv.Itoa(s.From)
	}
	return fmt.Sprintf("%d-%d", s.From, s.To)
}

// An Outcome is what became of a request as far as the limiter is concerned.
type Outcome uint8

const (
	// Unknown is an answer that does not tell whether allowance was spent: a
	// timeout, a reset, a 5xx, a redirect, whatever the scenario does not name.
	Unknown  Outcome = iota
	Admitted         // surely spent allowance
	Rejected         // refused by the limiter
)

func (o Outcome) String() string { return [...]string{"unknown", "admitted", "rejected"}[o] }

// A Field is one piece of evidence that was kept of an answer: a header under
// its canonical name, or a value of a JSON body under "json:" and its dotted
// path.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Fields is the evidence of one answer in the order in which it arrived.
type Fields []Field

// JSONField is the prefix of evidence taken from a JSON body.
const JSONField = "json:"

// Values returns every value under a name.
func (f Fields) Values(name string) []string {
	var values []string
	for _, field := range f {
		if field.Name == name {
			values = append(values, field.Value)
		}
	}
	return values
}

// Outcome classifies an answer. A status that the promise names for rejections
// is one, whatever the body says; so is any other failing status whose body
// carries the documented code of a rejection, because that answer says itself
// that the limiter refused it. A status of 0 means that no answer came.
func (p Promise) Outcome(status int, evidence Fields) Outcome {
	if slices.Contains(p.Reject.Status, status) {
		return Rejected
	}
	if status >= 400 && len(p.Reject.JSON) > 0 && p.Reject.hasBody(evidence) {
		return Rejected
	}
	for _, s := range p.Admitted {
		if s.Contains(status) {
			return Admitted
		}
	}
	return Unknown
}

func (r Rejection) hasBody(evidence Fields) bool {
	for _, want := range r.JSON {
		if !slices.Contains(evidence.Values(JSONField+want.Name), want.Value) {
			return false
		}
	}
	return true
}
