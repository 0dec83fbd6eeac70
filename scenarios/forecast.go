package scenarios

import (
	"time"

	"duckload/limiter"
)

// A forecast says when the documented bucket has its next token: somewhere
// from early to late. It follows the answers, and locks on again where they
// contradict the documentation, so that the probes stay near the true moments.
type forecast struct {
	early, late time.Duration
	refused     int // surprising rejections in a row: the token was due
}

// forecastOf keeps the theoretical arrival time of the generic cell rate
// algorithm, which is a bucket seen as time, as an interval: every request was
// decided somewhere between its sending and its answer. It takes the bucket to
// be full when the first request comes.
func forecastOf(p Phase, v View) forecast {
	f := filter{
		token: p.Limit.Interval(),
		tau:   time.Duration(p.Limit.Burst-1) * p.Limit.Interval(),
		trip:  trip(v),

		consumes: p.Limit.RejectsConsume,
	}
	seen := byAnswer(p, v.Seen)
	overlapped := overlaps(seen)
	for i, s := range seen {
		if s.Outcome != limiter.Rejected || !overlapped[i] || f.consumes {
			f.see(s)
		}
	}
	f.settle(never)
	return forecast{early: f.lo - f.tau, late: max(f.lo, f.hi) - f.tau, refused: f.refused}
}

// overlaps says of each request, in the order of the answers, whether one that
// was answered later and may have taken a token was under way at the same
// time. A rejection among those, as in a burst, says nothing about when the
// next token comes: the token may have been taken just before.
func overlaps(seen []Seen) []bool {
	overlapped := make([]bool, len(seen))
	first := never // earliest sending among the later ones
	for i := len(seen) - 1; i >= 0; i-- {
		overlapped[i] = first <= decided(seen[i])
		if seen[i].Outcome != limiter.Rejected {
			first = min(first, seen[i].Sent)
		}
	}
	return overlapped
}

const never = time.Duration(1<<63 - 1)

type filter struct {
	token, tau, trip time.Duration

	lo, hi   time.Duration // the arrival time is between these
	consumed time.Duration // latest answer to a request that may have consumed
	raised   time.Duration // what a rejection proved about lo, once nothing overlaps it
	until    time.Duration // when that rejection was answered
	refused  int
	consumes bool // a rejected request empties the bucket
}

func (f *filter) see(s Seen) {
	switch {
	case s.Outcome == limiter.Admitted:
		f.settle(s.Sent)
		f.admit(s)
	case s.Outcome == limiter.Unknown:
		f.hi = max(f.hi, s.Sent) + f.token
		f.consumed = max(f.consumed, decided(s))
	case f.consumes:
		f.lo, f.hi = max(f.lo, s.Sent+f.tau+f.token), max(f.hi, s.Answered+f.tau+f.token)
	case s.Sent >= f.consumed:
		f.reject(s)
	}
}

// admit adds one token. Requests that overlap may have been decided in another
// order than they were answered in, so only one after another narrows.
func (f *filter) admit(s Seen) {
	switch {
	case f.lo > s.Answered+f.tau: // it was not due: the bucket is no such bucket, so start from here
		f.lo, f.hi = s.Sent+f.tau, s.Answered+f.tau
	case s.Sent >= f.consumed:
		f.hi = max(f.lo, min(f.hi, s.Answered+f.tau))
	}
	f.lo = max(f.lo, s.Sent) + f.token
	f.hi = max(f.hi, s.Answered) + f.token
	f.consumed = max(f.consumed, s.Answered)
	f.refused = 0
}

// reject learns that the token had not come. If it was due, the forecast looks
// ahead in doubling steps until it comes.
func (f *filter) reject(s Seen) {
	if f.hi <= s.Sent+f.tau {
		f.refused++
		f.lo = s.Sent + f.tau
		f.hi = s.Answered + f.tau + min(f.token, f.trip<<min(f.refused, 16))
		return
	}
	f.raised, f.until = s.Sent+f.tau, s.Answered
}

// settle takes what the last rejection proved, if it was answered before the
// next request was sent.
func (f *filter) settle(sent time.Duration) {
	if f.raised > 0 && sent >= f.until {
		f.lo = max(f.lo, f.raised)
		f.hi = max(f.hi, f.lo)
	}
	f.raised = 0
}

// tokens returns how many tokens are certainly there at a moment.
func (f forecast) tokens(token, at time.Duration) int {
	if at < f.late {
		return 0
	}
	return int((at-f.late)/token) + 1
}
