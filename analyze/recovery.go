package analyze

import (
	"fmt"
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
)

var recovery = Check{
	ID:       "recovery",
	Question: "does rest give back what it should?",
	Doc: `A key is at rest while no request on it is under way that may spend allowance. However empty it was before, after a rest of length t at least
min(B, ⌊r·t⌋) requests must be admitted; for fixed windows and the sliding log all L after W, for the sliding counter and the
open reading all L after 2 W; queues and limits of requests at once are left to limit.floor. (The rate is taken 0.05 % lower, windows longer, and the rest shorter by the step of the limiter's clock, A2.)

It fails if a request after a rest was rejected although fewer than that many can have been decided before it, in whatever order
those that overlap were. It says less than limit.floor about an allowance that was never used up, and more where the level before
the rest is not known. It passes if, after a rest on an exhausted key, as much as should be there was asked for and admitted.

A run that never rests before a burst asks nothing and gets no answer. Nobody else may use the key (A3); requests whose outcome is
not known may be decided after the rest and are taken off.

Typical causes of failure: a window behind a promise of a bucket, which gives nothing back until it ends; rejected requests that
count; a penalty after the first excess; a counter that only expires after silence, or never.`,
	Applies: func(p limiter.Promise) bool { return exercised(p) && !slices.ContainsFunc(p.Limits, isHeld) },
	Judge:   judgeRecovery,
}

func judgeRecovery(c *Case) []Finding {
	g := c.Header.Groups[c.Group]
	if !g.Exclusive {
		if !c.restsBeforeBursts() {
			return nil
		}
		return []Finding{{Outcome: Inconclusive, Message: "others share the keys (exclusive: false), so any rejection may be due to them"}}
	}
	consumes := c.consumes()
	var best, short pause
	ring := keys(c.Header, c.Promise.Limits)
	for _, key := range c.strands(ring.possible, c.Promise.Limits[0], reach{}) {
		for p := range c.pauses(key) {
			if w, wrong := p.wrong(c, consumes); wrong && c.Whole {
				return []Finding{p.finding(c, w, consumes)}
			}
			if asked, admitted := p.first(); p.exhausted && min(asked, admitted) >= p.there && p.there > best.there {
				best = p
			}
			if p.exhausted && p.there > short.there {
				short = p
			}
		}
	}
	f := Finding{Outcome: Inconclusive}
	switch {
	case !c.Whole:
		f.Message = unwhole
	case best.there > 0:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("after %s of rest %d of %d were admitted", brief(best.to-best.from), best.there, best.there)
	case short.there > 0:
		asked, admitted := short.first()
		f.Message = fmt.Sprintf("after %s of rest %d should be there; %d were asked for and %d admitted, which proves nothing (send a burst of more than that after the rest)",
			brief(short.to-short.from), short.there, asked, admitted)
	default:
		f.Message = "the key never rested after it was exhausted, for as long as one request takes to come back (add a burst of 100% + 2, a rest, and a burst)"
	}
	if f.Outcome == Inconclusive && !c.restsBeforeBursts() {
		return nil
	}
	return []Finding{f}
}

// restsBeforeBursts reports whether the group's phases ask for a rest and then
// for a burst.
func (c *Case) restsBeforeBursts() bool {
	rested := false
	for _, p := range c.Header.Phases {
		switch {
		case p.Group != c.Group:
		case p.Pace == "rest", p.Pace == "refill":
			rested = true
		case p.Pace == "burst" && rested:
			return true
		}
	}
	return false
}

// wrong returns the first rejection after a pause that nothing explains.
func (p pause) wrong(c *Case, consumes bool) (Row, bool) {
	step := time.Duration(0)
	for _, l := range c.Promise.Limits {
		step = max(step, stale(l.Clock()))
	}
	spends := mayConsume(consumes)
	others, begun := p.unsure, 0 // of those begun by a moment, how many may have spent allowance
	var open underway
	for i := 0; i < p.burst || len(open) > 0; {
		if i < p.burst && !open.before(p.row(i).Sent) {
			open.push(ending{p.row(i).Answered, i})
			i++
			continue
		}
		r := p.row(open.pop().id)
		for next := p.row(begun); next != nil && next.Sent-step <= r.Answered && others <= p.there; next = p.row(begun) {
			if spends(*next) {
				others++
			}
			begun++
		}
		n := others
		if consumes {
			n-- // itself
		}
		if n >= p.there {
			return Row{}, false
		}
		if r.Outcome == limiter.Rejected && c.Header.Lanes[r.Lane].Group == c.Group {
			return *r, true
		}
	}
	return Row{}, false
}

// first returns how many were asked for and admitted right after a pause: up
// to the answer of the last one that must be admitted.
func (p pause) first() (asked, admitted int) {
	last := p.row(min(p.there, p.burst) - 1)
	until := last.Sent
	if last.Answered != history.Never {
		until = last.Answered
	}
	for i := range p.burst {
		r := p.row(i)
		if r.Sent > until {
			break
		}
		asked++
		if r.Outcome == limiter.Admitted {
			admitted++
		}
	}
	return asked, admitted
}

func (p pause) finding(c *Case, rejected Row, consumes bool) Finding {
	var spent []Row
	for i := 0; p.row(i) != nil && p.row(i).Sent <= rejected.Answered; i++ {
		if r := *p.row(i); mayConsume(consumes)(r) && r.Ordinal != rejected.Ordinal {
			spent = append(spent, r)
		}
	}
	shown := append(slices.Clone(spent[:min(len(spent), MaxEvidence-1)]), rejected)
	w := &Witness{
		Counted: len(spent) + p.unsure, Allowed: float64(p.there), Requests: c.Evidence(shown), More: len(spent) + 1 - len(shown),
		Sentence: fmt.Sprintf("from %s to %s the key rested; after %s %s gives back at least %d, but the request sent at %s was rejected (%s) when at most %d could have been decided",
			secs(p.from), secs(p.to), brief(p.to-p.from), promised(c.Promise), p.there, secs(rejected.Sent), laneName(c.Header.Lanes[rejected.Lane]), len(spent)+p.unsure),
	}
	w.spanned()
	w.From = p.from
	return Finding{Outcome: Fail, Message: w.Sentence, Witness: w}
}

// brief writes a length of time with as many digits as a reader wants: "9.6 s".
func brief(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
