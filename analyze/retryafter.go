package analyze

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"duckload/english"
	"duckload/history"
	"duckload/limiter"
)

var retryAfterPresent = Check{
	ID:       "retry_after.present",
	Question: "does every rejection say when to come back?",
	Doc: `Every rejection must carry a Retry-After. HTTP itself only allows it (RFC 6585 section 4: MAY), so the check exists where
the promise says "required" or "exact".

Each rejection is looked at alone; one without the field is proof. Whether its value can be read is the question of
retry_after.well_formed.

Typical causes of failure: only one of two limiters sends it; a proxy strips it; it is sent under another name
(X-Retry-After, X-RateLimit-Reset).`,
	Applies: func(p limiter.Promise) bool { return requiresRetryAfter(p) && exercised(p) },
	Watch:   func(c *Case) Watcher { return &presentWatch{c: c} },
}

func requiresRetryAfter(p limiter.Promise) bool {
	return p.Reject.RetryAfter == limiter.RetryAfterRequired || p.Reject.RetryAfter == limiter.RetryAfterExact
}

func judgesRetryAfter(p limiter.Promise) bool {
	return (requiresRetryAfter(p) || p.Reject.RetryAfter == limiter.RetryAfterOptional) && exercised(p)
}

type presentWatch struct {
	c    *Case
	seen tally
	all  int
}

func (w *presentWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	w.all++
	if outcome != limiter.Rejected {
		return
	}
	for _, f := range o.Evidence {
		if strings.EqualFold(f.Name, "Retry-After") {
			w.seen.fine()
			return
		}
	}
	w.seen.complain(complaint{kind: "no Retry-After"}, o, outcome)
}

func (w *presentWatch) Findings() []Finding {
	f := Finding{Check: "retry_after.present"}
	switch {
	case w.seen.broken > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%d of %s carried no Retry-After", w.seen.broken, english.Count(w.seen.judged, "rejection"))
		f.Witness = w.seen.witness("this rejection carries no Retry-After")
	case w.seen.judged == 0:
		f.Outcome = Inconclusive
		f.Message = unrejected(w.all)
	case !w.c.Whole:
		f.Outcome = Inconclusive
		f.Message = unwhole
	default:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("every one of %s carried a Retry-After", english.Count(w.seen.judged, "rejection"))
	}
	return []Finding{f}
}

var retryAfterWellFormed = Check{
	ID:       "retry_after.well_formed",
	Question: "can a client read what Retry-After says?",
	Doc: `A Retry-After is a whole number of seconds, at least 0, or an HTTP-date, and is sent once (RFC 9110 section 10.2.3).
Fractions ("5.000"), negative numbers, numbers with a unit, two fields, and dates whose zone is not the word GMT are not.
The two obsolete forms of HTTP-date are accepted, because recipients must read them.

Beside the grammar, the value must be able to be what it claims, a number of seconds to wait. It fails if it is

- a date more than a second before the Date of the same answer,
- more than a hundred times the longest wait that the documented limits can ever ask for, with one second added for
  rounding. The finding then says what the number looks like: milliseconds, or seconds since 1970.

Waits that are only too long are the question of retry_after.tight, waits that are too short of retry_after.sufficient.
Rejections without the field are not judged here. Where it is optional and none was sent, nothing is judged.

Assumption: Date and Retry-After of one answer come from one clock.

Typical causes of failure: a time in milliseconds or as a floating-point number handed to a header; a key's remaining life of
-1 or -2 taken from Redis as it is; a date formatted with "UTC" instead of "GMT"; two limiters that each add the field.`,
	Applies: judgesRetryAfter,
	Watch: func(c *Case) Watcher {
		return &formWatch{c: c, absurd: absurdWait(c.Promise)}
	},
}

type formWatch struct {
	c      *Case
	absurd time.Duration
	seen   tally
	all    int
	bare   int // rejections without the field
}

func (w *formWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	w.all++
	if outcome != limiter.Rejected {
		return
	}
	r := parseRetryAfter(o.Evidence)
	if r.defect == missing {
		w.bare++
		return
	}
	if kind := w.broken(r, o); kind != "" {
		w.seen.complain(complaint{kind, clip(r.text)}, o, outcome)
		return
	}
	w.seen.fine()
}

// broken names what is wrong with a Retry-After; empty if nothing is.
func (w *formWatch) broken(r retryAfter, o *history.Observation) string {
	switch {
	case r.defect != "":
		return string(r.defect)
	case r.isDate && r.delay < -time.Second:
		return "a date in the past"
	case r.delay <= w.absurd:
		return ""
	case !r.isDate && isEpoch(r.text, 1, w.answeredAt(o)):
		return "seconds since 1970, it seems"
	case !r.isDate && isEpoch(r.text, 1000, w.answeredAt(o)):
		return "milliseconds since 1970, it seems"
	case !r.isDate && r.delay/1000 <= wholeSeconds(longestWait(w.c.Promise)):
		return "milliseconds, it seems"
	}
	return "far beyond any wait that the limit can ask for"
}

// answeredAt is the wall clock at an answer: its own Date, else ours.
func (w *formWatch) answeredAt(o *history.Observation) time.Time {
	if date, ok := ownDate(o.Evidence); ok {
		return date
	}
	return w.c.Header.Started.Add(o.Sent)
}

// isEpoch reports whether a number, in units of so many a second since 1970,
// falls within ten years of a moment.
func isEpoch(number string, perSecond float64, around time.Time) bool {
	const years = 10 * 365 * 24 * 60 * 60
	n, err := strconv.ParseFloat(number, 64)
	return err == nil && math.Abs(n/perSecond-float64(around.Unix())) < years
}

func (w *formWatch) Findings() []Finding {
	f := Finding{Check: "retry_after.well_formed"}
	switch {
	case w.seen.broken > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%d of %s carried a Retry-After that no client can obey: %s", w.seen.broken, english.Count(w.seen.judged+w.bare, "rejection"), &w.seen)
		first := w.seen.first[0]
		f.Witness = w.seen.witness(fmt.Sprintf("the rejection answered at %s says Retry-After: %s", secs(first.Answered), said(first.Fields)))
	case w.seen.judged == 0 && w.c.Promise.Reject.RetryAfter == limiter.RetryAfterOptional:
		return nil
	case w.seen.judged == 0 && w.bare > 0:
		f.Outcome = Inconclusive
		f.Message = fmt.Sprintf("none of %s carried a Retry-After", english.Count(w.bare, "rejection"))
	case w.seen.judged == 0:
		f.Outcome = Inconclusive
		f.Message = unrejected(w.all)
	case !w.c.Whole:
		f.Outcome = Inconclusive
		f.Message = unwhole
	default:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("every one of %s is a whole number of seconds or an HTTP-date", english.Count(w.seen.judged, "Retry-After"))
		if w.seen.judged > 1 {
			f.Message = fmt.Sprintf("every one of %d Retry-After fields is a whole number of seconds or an HTTP-date", w.seen.judged)
		}
	}
	return []Finding{f}
}

// said is every Retry-After of an answer as it was sent.
func said(fields limiter.Fields) string {
	var all []string
	for _, f := range fields {
		if strings.EqualFold(f.Name, "Retry-After") {
			all = append(all, clip(f.Value))
		}
	}
	return strings.Join(all, " and ")
}

// longestWait is the longest time that a rejected client can have to wait
// under a promise until a request would be admitted, by any of its limits.
func longestWait(p limiter.Promise) time.Duration {
	var longest time.Duration
	for _, l := range p.Limits {
		var wait time.Duration
		switch {
		case l.Reading == limiter.Concurrency:
			wait = math.MaxInt64 // nobody knows how long the others take
		case l.RejectsConsume && l.Reading != limiter.LeakyQueue:
			wait = max(2*l.Window, l.FullRest()) // a debt may have to be worked off
		case l.Reading == limiter.TokenBucket, l.Reading == limiter.LeakyQueue:
			wait = l.Interval() + 1
		case l.Reading == limiter.SteppedBucket, l.Reading == limiter.FixedWindow, l.Reading == limiter.SlidingLog:
			wait = l.Window
		default: // the previous window may weigh on the next one to its end
			wait = max(2*l.Window, l.FullRest())
		}
		longest = max(longest, stretch(wait, l))
	}
	return longest
}

// stretch is a wait of a limiter as our clock may measure it at most: the
// limiter's clock may be slow, and "best effort ±x %" lets its rate be lower.
func stretch(wait time.Duration, l limiter.Limit) time.Duration {
	slow := float64(wait) / ((1 - clockDrift) * (1 - min(l.Tolerance, 0.99)))
	if slow >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(slow) + stale(l.Clock())
}

// wholeSeconds rounds up.
func wholeSeconds(d time.Duration) time.Duration {
	if d > math.MaxInt64-time.Second {
		return d
	}
	return (d + time.Second - 1).Truncate(time.Second)
}

// absurdWait is a hundred times the longest that an honest Retry-After can be.
func absurdWait(p limiter.Promise) time.Duration {
	honest := wholeSeconds(longestWait(p))
	if honest > math.MaxInt64/100-time.Second {
		return math.MaxInt64
	}
	return 100 * (honest + time.Second)
}
