package analyze

import (
	"fmt"
	"strings"

	"duckload/english"
	"duckload/limiter"
)

var retryAfterTight = Check{
	ID:       "retry_after.tight",
	Question: "does it make clients wait for nothing?",
	Doc: `Under "retry_after: exact" a rejection may not tell a longer wait than is needed, but for rounding: one second, and a
second one for a date, which is counted from a Date that is cut to seconds too.

It fails if a request of the same key, sent after the rejection was answered, was itself admitted and answered more than the
rounding before the told moment; what else was sent between can only have made the real wait longer. It also fails if
the told wait, less the rounding, is longer than the documented limits can ever ask for: the time of one token of a
bucket, one window. It passes if nothing fails and at least one told wait was shown to be needed, by a retry that was
still rejected less than the rounding before the told moment, or is itself no longer than the rounding.

Where the promise only says "required" the longest needless wait is told along with retry_after.sufficient, and is no failure.

Assumptions: the clocks' rates differ by at most 5 in 10,000, and the limiter's steps by its granularity; Date and Retry-After come from one clock.

Typical causes of failure: a constant such as 60; milliseconds sent as seconds; always the whole window instead of what
is left of it; a back-off that grows with every rejection.`,
	Applies: func(p limiter.Promise) bool { return p.Reject.RetryAfter == limiter.RetryAfterExact && exercised(p) },
	Judge:   judgeTight,
}

func judgeTight(c *Case) []Finding {
	f := Finding{Check: "retry_after.tight", Outcome: Inconclusive}
	o := obey(c)
	switch {
	case o.told == 0:
		f.Message = untold(c, o)
	case o.surplus > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("a rejection told to wait %s, where the limit never asks for more than %s", told1(o.beyond.rejected), secs(longestWait(c.Promise))) + looks(o.print)
		f.Witness = (&Witness{
			Sentence: fmt.Sprintf("the rejection answered at %s told to wait %s; under %s no client ever has to wait longer than %s, and rounding explains no more than %s",
				secs(o.beyond.rejected.Answered), told1(o.beyond.rejected), limitsOf(c.Promise), secs(longestWait(c.Promise)), roundingOf(o.beyond.rejected)),
			Counted: 1,
		}).of(c, []Row{o.beyond.rejected})
	case o.excess > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%s told a wait that was longer than needed by more than rounding, the worst by %s", english.Count(o.lateN, "rejection"), secs(o.excess)) + looks(o.print)
		f.Witness = (&Witness{
			Sentence: fmt.Sprintf("a rejection sent at %s told to wait %s; a request sent later was admitted and answered at %s, only %s after it, and rounding explains no more than %s",
				secs(o.late.rejected.Sent), told1(o.late.rejected), secs(o.late.shown.Answered), secs(o.late.shown.Answered-o.late.rejected.Sent), roundingOf(o.late.rejected)),
			Counted: o.lateN,
		}).of(c, []Row{o.late.rejected, o.late.shown})
	case o.tight == 0:
		f.Message = fmt.Sprintf("none of %s was shown to be needed: no retry was still rejected shortly before the told moment", english.Count(o.told, "told wait"))
	case !c.Whole:
		f.Message = unwhole
	default:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("no told wait was longer than needed and rounding explains; %d of %d were shown to be needed", o.tight, o.told)
	}
	return []Finding{f}
}

func roundingOf(r Row) string {
	_, rounding, _ := r.Wait.told()
	return secs(rounding)
}

func limitsOf(p limiter.Promise) string {
	var all []string
	for _, l := range p.Limits {
		all = append(all, l.String())
	}
	return strings.Join(all, " and ")
}
