package limiter

import "slices"

// An ErrorTable is the documented table of errors: what each code means, and
// with which status it is answered. The zero value documents nothing.
type ErrorTable struct {
	JSON  string      `json:"json"` // dotted path of the code in a body: "error.code"
	Codes []ErrorCode `json:"codes"`
}

// An ErrorCode is a line of an error table.
type ErrorCode struct {
	Code   string `json:"code"`
	Status []int  `json:"status"` // usually one
	Means  string `json:"means,omitempty"`
}

// Named returns the line of a code.
func (t ErrorTable) Named(code string) (ErrorCode, bool) {
	i := slices.IndexFunc(t.Codes, func(c ErrorCode) bool { return c.Code == code })
	if i < 0 {
		return ErrorCode{}, false
	}
	return t.Codes[i], true
}

// An Expectation is what is documented for somebody who asks: a code of the
// error table, or, where that is empty, to be served.
type Expectation struct {
	Identity string `json:"identity"`
	Code     string `json:"code,omitempty"`
}

// Expected returns what is documented for an identity, where that is said.
func (p Promise) Expected(identity string) (Expectation, bool) {
	i := slices.IndexFunc(p.Expect, func(e Expectation) bool { return e.Identity == identity })
	if i < 0 {
		return Expectation{}, false
	}
	return p.Expect[i], true
}

// Turned reports whether an identity is documented to be turned away: its
// answers are no trouble of the server's.
func (p Promise) Turned(identity string) bool {
	e, ok := p.Expected(identity)
	return ok && e.Code != ""
}
