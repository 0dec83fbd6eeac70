package draft

import (
	"strings"

	"duckload/limiter"
)

// A Draft is a scenario that somebody has yet to look at.
type Draft struct {
	Name   string // of the scenario
	Source string // where it was read: a file's name

	Target     string // base URL; empty: the source names none
	TargetNote Note   // where that was read

	RetryAfter Note // where Retry-After is promised; empty: nowhere

	Notes      []Note // about the whole
	Identities []Identity
	Groups     []Group
	Left       []Note // what was read and is no group: unlimited, or not understood
}

// A Note is a comment of a draft.
type Note struct {
	Text string
	Line int  // of the source, from 1; 0: of no line
	Fill bool // a person must fill it in, else the draft is wrong or useless
}

// An Identity is who may send.
type Identity struct {
	Name    string
	Headers []Pair
	Query   []Pair
	Note    Note
}

// A Pair is a name and the value it has in the scenario, which may interpolate.
type Pair struct{ Name, Value string }

// A Group is a set of requests that share limits.
type Group struct {
	Name     string
	Notes    []Note
	Limits   []Limit // none: the source states none, and a person must
	Identity string  // name of an identity; empty: anybody
	Requests []Request
}

// A Limit is a limit and where it was read.
type Limit struct {
	limiter.Limit
	Note Note
}

// A Request is one request of a group.
type Request struct {
	Method, Path string // the path may carry a query
	Query        []Pair // parameters whose values interpolate
	Headers      []Pair
	JSON         string // body, a JSON text that may interpolate; empty: none
	Form         []Pair // body of a form
	Creates      string // what each one leaves on the target; empty: nothing
	Notes        []Note
}

// Fills counts what a person must fill in.
func Fills(text []byte) int { return strings.Count(string(text), fillIn) }

// fillIn marks what a person must fill in.
const fillIn = "# FILL IN: "

// Open reads a file that a source refers to, by a path below the folder of the
// source.
type Open func(name string) ([]byte, error)
