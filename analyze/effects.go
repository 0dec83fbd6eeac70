package analyze

import (
	"fmt"

	"duckload/english"
	"duckload/limiter"
)

var effectFree = Check{
	ID:       "reject.effect_free",
	Question: "did nothing happen where a request was rejected?",
	Doc: `A request that is rejected is refused: it must not have been carried out. The scenario names a way to see it (effect): the identical
request sent again once it is allowed, which must be accepted and not told that it happened before, a follow-up request that
asks for what was done, or an event (webhooks), which a rejected request must not cause. duckload looks at some of the rejected requests when everything else is measured.

It fails if a look says that a request happened, and everything that was sent with the same values before the answer to that look had
been rejected: then one of those rejected requests did it. A request without a clear answer, or one that the
transport sent again by itself, may have done it too, so such a look decides nothing. Nor does any where the values turn out not to
be new: where a request was told, the very first time it was sent, that it happened before, the check is inconclusive.

Assumed: nobody else sends the unique values of this run, and what is done shows when it is looked at. A follow-up counts on no other
group's limit.

Typical causes of failure: a limiter behind the handler, or one that counts when the answer is written; work that is queued
before the limit is asked; a gateway that answers 429 and forwards the request all the same.`,
	Applies: func(p limiter.Promise) bool { return len(p.Effects)+len(p.Webhooks) > 0 && exercised(p) },
	Judge:   judgeEffectFree,
}

func judgeEffectFree(c *Case) []Finding {
	f := Finding{Check: "reject.effect_free"}
	all := c.looked()
	clean, broken := 0, 0
	for _, l := range all.all {
		for _, g := range l.glimpses() {
			switch {
			case g.rejected == 0 || g.possible > 0:
			case g.least > 0:
				if broken++; f.Witness == nil {
					f.Witness = g.witness(fmt.Sprintf("request %d was rejected each time that it was sent, and the look at %s says that it happened%s", subjectOf(&g.look.Observation).seq, secs(g.look.Sent), g.times()))
				}
			case g.most == 0:
				clean++
			}
		}
	}
	events := c.eventSights()
	if f.Witness == nil {
		f.Witness = events.rejected
	}
	broken, clean = broken+events.uncaused, clean+events.silent
	return []Finding{c.seenSo(f, broken, clean, "rejected requests", "happened all the same", "none of %s at rejected requests found that it had happened",
		"no look at a rejected request told anything; reject some (a burst of 100% + 2), and leave time to look at them")}
}

// times says how often a look saw that a request happened, where it counts.
func (g glimpse) times() string {
	if g.least == g.most {
		return fmt.Sprintf(", %d times", g.least)
	}
	return ""
}

var admitOnce = Check{
	ID:       "admit.once",
	Question: "did an admitted request happen exactly once?",
	Doc: `A request that was admitted must have been carried out once: not twice, and not never. The scenario names a way to see it (effect).
Where the identical request is told that it happened before, duckload sends some of the admitted ones again, and also those
that got no clear answer, as a client would that gave up waiting.

It fails if two identical requests were both accepted where the second must be told that it happened; if a follow-up counts more, or events with different ids are more, than
the requests that may have done it; or if it says that nothing happened although one was accepted before it asked. Where
requests are idempotent, as those are that are told so, a client's own resends explain nothing: together they happen once.
Otherwise each attempt without a clear answer may have happened too.

Assumed: nobody else sends the unique values of this run, and what is done shows when it is looked at. Where a request was
told, the very first time it was sent, that it happened before, its values are not new, and the check is inconclusive.

Typical causes of failure: two workers that take the same job; a retry inside the service without an idempotency key; a check
for duplicates that reads and writes in two steps; an answer that is sent before the work is stored.`,
	Applies: func(p limiter.Promise) bool { return len(p.Effects)+len(p.Webhooks) > 0 && exercised(p) },
	Judge:   judgeAdmitOnce,
}

func judgeAdmitOnce(c *Case) []Finding {
	f := Finding{Check: "admit.once"}
	once, broken := 0, 0
	complain := func(g glimpse, format string, args ...any) {
		if broken++; f.Witness == nil {
			f.Witness = g.witness(fmt.Sprintf(format, args...))
		}
	}
	for _, l := range c.looked().all {
		for _, g := range l.glimpses() {
			number := subjectOf(&g.look.Observation).seq
			switch {
			case l.effect.Again && g.certain > 0 && l.accepted(g.look):
				complain(g, "request %d was accepted, and accepted again at %s: the second must be told that it happened before", number, secs(g.look.Sent))
			case g.possible > 0 && g.least > g.possible:
				complain(g, "request %d happened %d times, and at most %d of what was sent may have done it", number, g.least, g.possible)
			case g.certain > 0 && g.most < g.certain:
				complain(g, "request %d was accepted, and the look at %s says that it never happened", number, secs(g.look.Sent))
			case g.certain > 0 && g.least > 0:
				once++
			}
		}
	}
	events := c.eventSights()
	if f.Witness == nil {
		f.Witness = events.doubly
	}
	broken, once = broken+events.twice, once+events.once
	return []Finding{c.seenSo(f, broken, once, "admitted requests", "did not happen exactly once", "each of %s at admitted requests found that it had happened, once",
		"no look at an admitted request told anything; leave time to look at them")}
}

// seenSo concludes from how many looks were for and against a promise.
func (c *Case) seenSo(f Finding, broken, fine int, what, wrong, right, none string) Finding {
	known := c.looked().known
	switch {
	case broken > 0 && len(known) > 0:
		f.Outcome, f.Witness = Inconclusive, nil
		f.Message = fmt.Sprintf("%s were told the first time that they had happened before, so the values in them are not new, and no look proves anything (write a ${unique.…} value into the request)", english.Count(len(known), "request"))
	case broken > 0 && !c.Whole:
		f.Outcome, f.Witness, f.Message = Inconclusive, nil, unwhole
	case broken > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%d of %s at %s show that they %s", broken, english.Count(broken+fine, "look"), what, wrong)
	case fine == 0:
		f.Outcome, f.Message = Inconclusive, none
	case !c.Whole:
		f.Outcome, f.Message = Inconclusive, unwhole
	default:
		f.Outcome, f.Message = Pass, fmt.Sprintf(right, english.Count(fine, "look"))
	}
	return f
}
