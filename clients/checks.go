package clients

import (
	"slices"
	"time"

	"duckload/scenarios"
)

// A Check asks one question of a run. To add one, write it in a file of its own
// and list it in [Checks].
type Check struct {
	ID       string // "client.retry_after"
	Question string
	Doc      string // how it decides, and what usually breaks it

	// Applies reports whether the script asks the question at all.
	Applies func(Run) bool
	Judge   func(Run) Finding
}

// Checks lists every check, in the order in which they are shown.
var Checks = []Check{
	calls,
	comesThrough,
	retryAfter,
	hammer,
	backoff,
	storm,
	neverRetries,
	budget,
	givesUp,
}

// Tolerance is how much less than told a client may wait: its clock may run
// fast by 1 in 2000, and its timers may be early by a tick of 10 ms.
func Tolerance(told time.Duration) time.Duration { return told/2000 + 10*time.Millisecond }

// called reports whether there is anything to judge.
func called(r Run) bool { return len(r.scripted()) > 0 }

// anyTurn reports whether the script has such an answer.
func anyTurn(r Run, is func(scenarios.Turn) bool) bool {
	return slices.ContainsFunc(r.Script.Turns, is)
}

// asExchange is an answer of a script, for questions that exchanges answer.
func asExchange(t scenarios.Turn) Exchange { return Exchange{Status: t.Status} }

// temporary reports whether an answer asks to come back without saying when.
func temporary(t scenarios.Turn) bool { return t.Wait == 0 && asExchange(t).asksToWait() }
