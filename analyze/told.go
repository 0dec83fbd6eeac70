package analyze

import "duckload/history"

// A Wait is what an answer told the client to wait, in four bytes: see
// [parseRetryAfter].
type Wait uint32

// Remaining is what an answer said is left of the allowance: 0 if it said
// nothing, else one more than the number.
type Remaining uint16

// A teller reads what answers told their clients into rows. It remembers the
// header values that it has seen, because they repeat.
type teller struct{}

func newTeller() *teller { return &teller{} }

// tell sets Wait and Remaining of the row of an observation.
func (t *teller) tell(r *Row, o *history.Observation) {}
