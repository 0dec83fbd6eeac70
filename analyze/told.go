package analyze

import (
	"math"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// clockDrift is how far the rate of a limiter's clock may be from ours:
// assumption A2, the most by which NTP slews a clock.
const clockDrift = 5e-4

// A Wait is what a rejection told its client to wait, in four bytes: the kind
// in the upper two bits, whole seconds in the others. The zero Wait is none,
// or none that can be read.
type Wait uint32

const (
	waitSeconds Wait = 1 << 30 // counted from receipt
	waitDate    Wait = 2 << 30 // an HTTP-date, counted from the answer's own Date
	waitUndated Wait = 3 << 30 // an HTTP-date without a Date to count from

	waitKind = waitUndated
	waitMost = waitSeconds - 1 // 34 years
)

// wait packs a Retry-After. A date in the past tells to come back at once.
func (r retryAfter) wait() Wait {
	if r.defect != "" {
		return 0
	}
	if r.undated {
		return waitUndated
	}
	n := Wait(min(max(r.delay/time.Second, 0), time.Duration(waitMost)))
	if r.isDate {
		return waitDate | n
	}
	return waitSeconds | n
}

// told returns the wait that was told, and how much of it may be rounding: a
// second, and for a date another one, because the Date that it is counted from
// is cut too. It reports false if there is nothing to count with.
func (w Wait) told() (wait, rounding time.Duration, ok bool) {
	wait = time.Duration(w&waitMost) * time.Second
	switch w & waitKind {
	case waitSeconds:
		return wait, time.Second, true
	case waitDate:
		return wait, 2 * time.Second, true
	}
	return 0, 0, false
}

// due returns how long after the answer a client that obeys may come back and
// count on being admitted. A date and a Date are rounded to seconds each, so
// a client adds one.
func (w Wait) due() (time.Duration, bool) {
	wait, _, ok := w.told()
	if w&waitKind == waitDate {
		wait += time.Second
	}
	return wait, ok
}

// Remaining is what an answer said is left of the allowance: 0 if it said
// nothing, or more than fits, else one more than the number.
type Remaining uint16

func remaining(n int64) Remaining {
	if n < 0 || n >= math.MaxUint16 {
		return 0
	}
	return Remaining(n + 1)
}

// A teller reads what answers told their clients into rows. It remembers the
// headers that it has seen, because they repeat.
//
// What answers say about the limits themselves hardly ever changes, so that a
// number is enough to tell apart what was said: rows with the same Claim have
// the same words in every header that speaks of a limit or a policy.
type teller struct {
	left   map[string]allowance // by the value of RateLimit
	claims map[uint64]uint8     // by the hash of everything that is said about limits
}

// Bounds of what a teller remembers.
const (
	mostLeft  = 4096
	lastClaim = math.MaxUint8 // stands for all that are one too many
)

func newTeller() *teller {
	return &teller{left: map[string]allowance{}, claims: map[uint64]uint8{}}
}

// tell sets Wait, Remaining and Claim of the row of an observation, whose
// outcome must be known.
func (t *teller) tell(r *Row, o *history.Observation) {
	if r.Outcome == limiter.Rejected {
		r.Wait = parseRetryAfter(o.Evidence).wait()
	}
	said := uint64(0)
	for _, f := range o.Evidence {
		switch allowanceField(f.Name) {
		case "limit":
			if len(f.Name) > len("RateLimit") {
				said = mixed(said, f)
				continue
			}
			a := t.read(f)
			r.Remaining = remaining(a.remaining)
			if said |= 1; a.broken != nil {
				said = mixed(said, limiter.Field{Name: "broken"})
			}
		case "policy":
			said = mixed(said, f)
		case "remaining":
			said |= 1
			if n, ok := wholeNumber(f.Value); ok && r.Remaining == 0 {
				r.Remaining = remaining(n)
			} else if !ok {
				said = mixed(said, limiter.Field{Name: "broken"})
			}
		case "reset":
			said |= 1
		}
	}
	if said != 0 {
		r.Claim = t.claim(said)
	}
}

// read parses a RateLimit field.
func (t *teller) read(f limiter.Field) allowance {
	a, ok := t.left[f.Value]
	if !ok {
		a = parseAllowance(limiter.Fields{f})
		if len(t.left) < mostLeft {
			t.left[f.Value] = a
		}
	}
	return a
}

func (t *teller) claim(said uint64) uint8 {
	n, ok := t.claims[said]
	if !ok {
		n = uint8(min(len(t.claims)+1, lastClaim))
		if n < lastClaim {
			t.claims[said] = n
		}
	}
	return n
}

// mixed adds a field to a hash (FNV-1a).
func mixed(hash uint64, f limiter.Field) uint64 {
	hash ^= 14695981039346656037
	for _, s := range [...]string{f.Name, f.Value} {
		for i := range len(s) {
			hash = (hash ^ uint64(s[i])) * 1099511628211
		}
	}
	return hash | 1
}
