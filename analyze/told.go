package analyze

import "time"

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
