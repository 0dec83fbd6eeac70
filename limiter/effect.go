package limiter

import (
	"math"
	"slices"
	"strconv"
)

// A Look says that a request was sent to see what became of another one.
type Look uint8

const (
	LookNone  Look = iota
	LookAgain      // the identical request, once more
	LookAfter      // a follow-up, which asks for what the other one did
)

// An Effect is how somebody can see whether a request was carried out, and how
// often.
type Effect struct {
	Request int `json:"request"` // index into the group's requests

	Again bool `json:"again,omitempty"` // the identical request is told that it happened before
	After int  `json:"after,omitempty"` // else index into the group's follow-ups

	Happened Sign   `json:"happened,omitzero"` // an answer that says it happened
	Absent   Sign   `json:"absent,omitzero"`   // one that says it did not; of an identical request: to be accepted
	Count    string `json:"count,omitempty"`   // dotted path of a number in the body: how often it happened

	// Idempotent says that identical requests together are documented to
	// happen once. Those of Again always are.
	Idempotent bool `json:"idempotent,omitempty"`
}

// A Sign is what tells an answer from others: its status and values of its
// body. All that is named must be so; the zero value is no answer's.
type Sign struct {
	Status []Statuses `json:"status,omitempty"`
	JSON   []Field    `json:"json,omitempty"`
}

// IsZero reports whether the sign names nothing.
func (s Sign) IsZero() bool { return len(s.Status)+len(s.JSON) == 0 }

// Of reports whether an answer shows the sign.
func (s Sign) Of(status int, evidence Fields) bool {
	if s.IsZero() || len(s.Status) > 0 && !slices.ContainsFunc(s.Status, func(all Statuses) bool { return all.Contains(status) }) {
		return false
	}
	return len(s.JSON) == 0 || Rejection{JSON: s.JSON}.hasBody(evidence)
}

// Saw returns how often a look shows that the request happened before it: at
// least and at most. It reports false where an answer does not tell.
func (e Effect) Saw(status int, evidence Fields, outcome Outcome) (least, most int, ok bool) {
	if e.Count != "" {
		for _, value := range evidence.Values(JSONField + e.Count) {
			if n, err := strconv.Atoi(value); err == nil && n >= 0 && status < 300 {
				return n, n, true
			}
		}
	}
	switch {
	case e.Happened.Of(status, evidence):
		return 1, math.MaxInt, true
	case e.Absent.Of(status, evidence), e.Again && outcome == Admitted:
		return 0, 0, true
	}
	return 0, 0, false
}

// EffectOf returns how the effect of one of the group's requests is seen.
func (p Promise) EffectOf(request int) (Effect, bool) {
	i := slices.IndexFunc(p.Effects, func(e Effect) bool { return e.Request == request })
	if i < 0 {
		return Effect{}, false
	}
	return p.Effects[i], true
}
