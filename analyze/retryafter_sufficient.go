package analyze

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"duckload/english"
	"duckload/limiter"
)

var retryAfterSufficient = Check{
	ID:       "retry_after.sufficient",
	Question: "is a client that waits as told admitted?",
	Doc: `Obeying Retry-After must work. The wait counts from the receipt of the answer (RFC 9110 section 10.2.3).

It fails if a request was sent at or after the told moment and was rejected again, while no other request that may have
spent allowance of the key was decided between the two: none of any lane of the key, admitted or unanswered or unknown,
whose answer came after the first rejection was sent and which was sent before the second was answered. It passes if
nothing fails and at least one request that was sent within a second of the told moment was admitted.

A date is counted from the Date of the same answer, and one second is added because both are cut to seconds; without a
Date nothing is judged. The wait is stretched by the clocks' difference (5 in 10,000) and by the granularity of the limiter's
clock; a best-effort promise stretches it no further, for the limiter knows its own rate. Where a scope is not documented, only requests of one lane are
compared, and a request of any lane is taken to spend.

A queue, or a limit of requests at once, rejects while others are under way, and each of them may have been decided later. There it
fails only if such a retry was certainly rejected wrongly, by the rule of limit.floor.

Assumptions: one limiter per key; nobody else uses it (with exclusive: false the check cannot fail); Date and Retry-After
come from one clock. A request that was never answered may be decided at any time, unless the scenario says decided_within.

Typical causes of failure: rounding down, or to the nearest second; a constant; the time of another, shorter window; a
limiter that counts rejected requests but does not say so.`,
	Applies: judgesRetryAfter,
	Judge:   judgeSufficient,
}

func judgeSufficient(c *Case) []Finding {
	if !slices.ContainsFunc(c.Promise.Limits, func(l limiter.Limit) bool { return !isHeld(l) }) {
		return judgeSufficientHeld(c)
	}
	f := Finding{Check: "retry_after.sufficient", Outcome: Inconclusive}
	o := obey(c)
	switch {
	case o.told == 0 && c.Promise.Reject.RetryAfter == limiter.RetryAfterOptional && o.undated == 0 && o.bare == rejections(c):
		return nil // optional, and none can be read: that is well_formed's to say
	case o.told == 0:
		f.Message = untold(c, o)
	case o.earlyN > 0 && !c.Whole:
		f.Message = fmt.Sprintf("%s sent as told and rejected again, but part of the record is missing: other requests may have come between", were(o.earlyN, "retry", "retries"))
	case o.earlyN > 0 && !c.Header.Groups[c.Group].Exclusive:
		f.Message = fmt.Sprintf("%s sent as told and rejected again, but others share the key and may have come between", were(o.earlyN, "retry", "retries"))
	case o.earlyN > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%s sent as told and rejected again", were(o.earlyN, "retry", "retries"))
		if o.obeyed > 0 {
			f.Message += fmt.Sprintf("; %d came within a second of the told moment and %s admitted", o.obeyed, wasWere(o.obeyed))
		}
		f.Message += looks(o.print)
		f.Witness = earlyWitness(c, o)
	case o.obeyed == 0:
		f.Message = unobeyed(o)
	case !c.Whole:
		f.Message = unwhole
	default:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("%s sent within a second of the told moment and admitted, the promptest %s after it", were(o.obeyed, "retry", "retries"), secs(o.soonest))
		f.Message += needless(c, o)
	}
	return []Finding{f}
}

func were(n int, one, many string) string {
	if n == 1 {
		return "1 " + one + " was"
	}
	return fmt.Sprintf("%d %s were", n, many)
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// looks adds what a fingerprint says to a sentence, if it says anything.
func looks(p fingerprint) string {
	if s := p.String(); s != "" {
		return "; " + s
	}
	return ""
}

func rejections(c *Case) int {
	n := 0
	for _, r := range c.Rows {
		if r.Outcome == limiter.Rejected && c.Header.Lanes[r.Lane].Group == c.Group {
			n++
		}
	}
	return n
}

// untold is why no wait could be judged.
func untold(c *Case, o obedience) string {
	switch {
	case o.undated > 0:
		return fmt.Sprintf("%s told a date, but no Date to count it from", english.Count(o.undated, "rejection"))
	case o.bare > 0:
		return fmt.Sprintf("none of %s carried a Retry-After that can be read", english.Count(o.bare, "rejection"))
	}
	return unrejected(len(c.Rows))
}

// unobeyed is why none of the told waits was put to the test.
func unobeyed(o obedience) string {
	var why strings.Builder
	fmt.Fprintf(&why, "no told wait was put to the test: of %s none was followed within a second of the told moment by a retry that was the first to spend", english.Count(o.told, "rejection"))
	if o.blocked {
		why.WriteString("; an unanswered request may be decided at any time, unless the scenario says decided_within")
	}
	if o.tardy > 0 {
		fmt.Fprintf(&why, "; %s admitted later than that", were(o.tardy, "retry", "retries"))
	}
	why.WriteString("; use pacing obey: retry-after")
	if o.surplus > 0 {
		fmt.Fprintf(&why, " (told %s, where the limit never asks for more than %s)", secs(o.beyond.wait), secs(o.beyond.wait-o.surplus))
	}
	return why.String() + looks(o.print)
}

// needless tells the longest wait for nothing, where it is no failure.
func needless(c *Case, o obedience) string {
	most := max(o.excess, o.surplus)
	if most <= 0 || c.Promise.Reject.RetryAfter == limiter.RetryAfterExact {
		return ""
	}
	return fmt.Sprintf("; it tells clients to wait up to %s longer than needed and rounding explains", secs(most)) + looks(o.print)
}

func earlyWitness(c *Case, o obedience) *Witness {
	first := o.early[0]
	w := &Witness{
		Sentence: fmt.Sprintf("a rejection answered at %s told to wait %s; a retry sent at %s, %s after that answer, was rejected again, and no other request that could spend the key's allowance came between",
			secs(first.rejected.Answered), told1(first.rejected), secs(first.shown.Sent), secs(first.shown.Sent-first.rejected.Answered)),
		Counted: o.earlyN,
		More:    2 * (o.earlyN - len(o.early)),
	}
	var rows []Row
	for _, p := range o.early {
		rows = append(rows, p.rejected, p.shown)
	}
	return w.of(c, rows)
}

// of spells out the rows of a witness.
func (w *Witness) of(c *Case, rows []Row) *Witness {
	w.Requests = c.Evidence(rows)
	w.spanned()
	return w
}

// told1 says a wait as it was told.
func told1(r Row) string {
	wait, _, _ := r.Wait.told()
	if r.Wait&waitKind == waitDate {
		return fmt.Sprintf("until a date %d s after its own", wait/time.Second)
	}
	return fmt.Sprintf("%d s", wait/time.Second)
}
