package analyze

import (
	"cmp"
	"fmt"
	"math"
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

// A pause is a rest of a key, and the requests after it.
type pause struct {
	from, to  time.Duration
	exhausted bool  // something was rejected between the pause before and this one
	there     int   // how many must be there at its end
	unsure    int   // requests from before that may still be decided
	rows      []Row // from its end on
	burst     int   // how many of them come before the next pause; 1 for a rejection that interrupts a rest
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
	for _, rows := range byKey(c.Rows, ring.possible) {
		for _, p := range c.pauses(rows) {
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

// pauses returns every rest of a key after which at least one request must be
// admitted, in order.
func (c *Case) pauses(rows []Row) []pause {
	var all []pause
	var rooms []*meter
	if limits := c.Promise.Limits; len(limits) > 1 { // a slow limit hardly gains by a rest, but may never have been used up
		for _, l := range limits {
			rooms = append(rooms, c.room(l).meter(strand{rows: rows, lag: stale(l.Clock())}))
		}
	}
	spends := mayConsume(c.consumes())
	busy, rejected, unsure, open := time.Duration(-1), false, 0, -1
	for i, r := range rows {
		if busy >= 0 && r.Sent > busy {
			p := pause{from: busy, to: r.Sent, exhausted: rejected, there: c.backAfter(busy, r.Sent, rooms), unsure: unsure, rows: rows[i:], burst: 1}
			if p.there > 0 {
				all = append(all, p)
			}
			if p.there > 0 && spends(r) { // else it was refused though nothing had been spent since
				rejected, open = false, len(all)-1
			}
		}
		if open >= 0 {
			all[open].burst = len(all[open].rows) - len(rows) + i + 1
		}
		switch {
		case !spends(r):
		case r.Answered == history.Never:
			unsure++
		default:
			busy = max(busy, r.Answered)
		}
		rejected = rejected || r.Outcome == limiter.Rejected
	}
	return all
}

// backAfter returns how many requests certainly find allowance after a rest.
func (c *Case) backAfter(from, to time.Duration, rooms []*meter) int {
	least := math.MaxInt
	for i, l := range c.Promise.Limits {
		back := givenBack(l, to-from-stale(l.Clock()))
		if rooms != nil {
			back = max(back, int(rooms[i].left(to-stale(l.Clock()))))
		}
		least = min(least, back)
	}
	return least
}

// givenBack returns how many requests a limit admits after a rest by its own
// clock, whatever came before.
func givenBack(l limiter.Limit, rest time.Duration) int {
	capacity := float64(leastAtOnce(l)) * (1 - l.Tolerance)
	windows := float64(max(rest, 0)) / float64(l.Window) * (1 - clockDrift)
	switch l.Reading {
	case limiter.TokenBucket:
	case limiter.SteppedBucket, limiter.FixedWindow, limiter.SlidingLog:
		windows = math.Floor(windows)
	default:
		windows = math.Floor(windows * float64(l.Window) / float64(l.FullRest()))
	}
	return int(min(capacity+slack, float64(l.Limit)*(1-l.Tolerance)*windows))
}

// wrong returns the first rejection after a pause that nothing explains.
func (p pause) wrong(c *Case, consumes bool) (Row, bool) {
	step := time.Duration(0)
	for _, l := range c.Promise.Limits {
		step = max(step, stale(l.Clock()))
	}
	spends := mayConsume(consumes)
	others, begun := p.unsure, 0 // of those begun by a moment, how many may have spent allowance
	late := slices.Clone(p.rows[:p.burst])
	slices.SortFunc(late, func(a, b Row) int { return cmp.Compare(a.Answered, b.Answered) })
	for _, r := range late {
		for begun < len(p.rows) && p.rows[begun].Sent-step <= r.Answered && others <= p.there {
			if spends(p.rows[begun]) {
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
			return r, true
		}
	}
	return Row{}, false
}

// first returns how many were asked for and admitted right after a pause: up
// to the answer of the last one that must be admitted.
func (p pause) first() (asked, admitted int) {
	burst := p.rows[:p.burst]
	until := burst[min(p.there, len(burst))-1].Sent
	if last := burst[min(p.there, len(burst))-1]; last.Answered != history.Never {
		until = last.Answered
	}
	for _, r := range burst {
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
	for _, r := range p.rows {
		if mayConsume(consumes)(r) && r.Sent <= rejected.Answered && r.Ordinal != rejected.Ordinal {
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
