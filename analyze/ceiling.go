package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"duckload/english"
	"duckload/limiter"
)

// limitChecks are the checks about how much is admitted.
var limitChecks = []Check{
	limitCeiling,
	limitFloor,
	limitRate,
	limitBurst,
	limitWindow,
	scopeCheck,
	recovery,
	sustainedRate,
}

var limitCeiling = Check{
	ID:       "limit.ceiling",
	Question: "was more admitted than documented?",
	Doc: `Each admitted request was decided somewhere between the moment at which it could leave and the first byte of its
answer. Requests whose whole interval lies inside a stretch of time were certainly admitted in that stretch. If there are
more of them than the documented limit can admit in a stretch of that length, no placement of the decisions explains it,
and the check fails. The witness is the stretch with the fewest requests that proves it.

The most that a closed stretch of length t may admit: token bucket B + r·t; stepped bucket B + q·(⌊t/Δ⌋ + 1); fixed window and
open reading L·(⌈t/W⌉ + 1); sliding log L·(⌊t/W⌋ + 1); sliding counter L + L·t/W + 1. A leaky queue lets 1 + r·t have their turn, and answers
nobody before: the k-th answer to a burst comes (k − 1)/r after it was sent, or later. Of C requests at once that take the
server S at least (service_time), C·(⌊t/S⌋ + 1) begin in a stretch, each S before its answer at the latest; without service_time that stays open. The rate is taken 0.05 % higher (A2), and every
interval is widened by the step of the limiter's clock. Where the scope is not documented, each lane is judged by itself: the finest key it could be.

A sender that loses part of its record can only miss failures here, never invent one. It passes only if something was rejected: as long
as nothing is, nobody knows whether the limit is there.

Typical causes of failure: burst off by one (nginx's "burst=N nodelay" admits N+1); a window behind a promise of a bucket; several
replicas that each count for themselves; counters that are read before and written after the answer; a limiter that is not switched on.`,
	Applies: exercised,
	Judge:   judgeCeiling,
}

func judgeCeiling(c *Case) []Finding {
	var findings []Finding
	for _, l := range c.Promise.Limits {
		if !l.Unverified {
			findings = append(findings, ceilingOf(c, l))
		}
	}
	return findings
}

func ceilingOf(c *Case, l limiter.Limit) Finding {
	ring := keys(c.Header, []limiter.Limit{l})
	for _, v := range c.covers(l) {
		strands := c.strands(ring.certain, l, v.reach)
		slices.SortStableFunc(strands, func(a, b strand) int { return cmp.Compare(a.place(0), b.place(0)) })
		for _, key := range strands {
			if o := key.overrun(l, v.rules); o != nil {
				return o.finding(c)
			}
		}
	}
	rejected, admitted := 0, 0
	for i := range c.Rows {
		switch r := &c.Rows[i]; {
		case isAdmitted(*r):
			admitted++
		case r.Outcome == limiter.Rejected:
			rejected++
		}
	}
	if rejected == 0 {
		return Finding{Outcome: Inconclusive, Message: fmt.Sprintf(
			"%s admitted and none rejected: the limit was never reached, so nobody knows whether it is there (send more than %d at once)", english.Count(admitted, "request was"), l.Capacity())}
	}
	if !c.Whole {
		return Finding{Outcome: Inconclusive, Message: unwhole}
	}
	if why := c.unbound(l, ring.certain); why != "" {
		return Finding{Outcome: Inconclusive, Message: fmt.Sprintf("%s admitted: %s", english.Count(admitted, "request was"), why)}
	}
	if hidden := c.hidden(l); hidden >= max(1, float64(l.Capacity())/100) {
		return Finding{Outcome: Inconclusive, Message: fmt.Sprintf("%s admitted, and never provably too many, but the clocks of the agents leave %s open, in which %.3g more come back (give the agents a steadier way to the coordinator, or one agent the group)",
			english.Count(admitted, "request was"), c.blur, hidden)}
	}
	return Finding{Outcome: Pass, Message: fmt.Sprintf(
		"%s admitted, and never more in any stretch of time than %s allows%s", english.Count(admitted, "request was"), l, c.leavesOpen(l))}
}

// hidden is how many requests of a limit come back in the time that the clocks of
// several agents leave open.
func (c *Case) hidden(l limiter.Limit) float64 {
	if l.Window <= 0 {
		return 0
	}
	return l.Rate() * c.blur.Seconds()
}

// A rule is a bound on what closed stretches of time may admit.
type rule struct {
	most  float64       // in a stretch of length 0
	rate  float64       // and so many more for each nanosecond; 0: none
	short time.Duration // if not 0: only stretches shorter than this
	words string        // why: "a bucket of 200 refilled at 100/min"
}

// allows returns the most that a stretch may admit.
func (r rule) allows(length time.Duration) float64 { return r.most + r.rate*float64(length) }

// windows is how many multiples of a window are looked at by themselves. A
// single one decides where decisions are known; more help where they are not.
const windows = 3

// envelope returns the rules of a limit, as theory.md §2 has them, with the
// allowances of assumption A2.
func envelope(l limiter.Limit) []rule {
	fast := (1 + l.Tolerance) * (1 + clockDrift)
	perNano := float64(l.Limit) / float64(l.Window) * fast
	most := float64(l.Limit) * (1 + l.Tolerance)
	window := float64(l.Window) * (1 - clockDrift)
	words := limitWords(l)
	steps := func(first, each float64, closed bool) []rule {
		var all []rule
		for m := 1; m <= windows; m++ {
			short := time.Duration(window * float64(m))
			if closed {
				short++ // a stretch of exactly m windows counts, too
			}
			all = append(all, rule{most: first + each*float64(m), short: short, words: words})
		}
		return all
	}
	switch l.Reading {
	case limiter.TokenBucket:
		return []rule{{most: float64(l.Burst) * (1 + l.Tolerance), rate: perNano, words: words}}
	case limiter.SteppedBucket:
		burst := float64(l.Burst) * (1 + l.Tolerance)
		return append(steps(burst, most, false), rule{most: burst + most, rate: perNano, words: words})
	case limiter.SlidingLog:
		return append(steps(0, most, false), rule{most: most, rate: perNano, words: words})
	case limiter.SlidingCounter:
		return []rule{{most: most + 1, rate: perNano, words: words}}
	case limiter.LeakyQueue: // by the moments at which requests have their turn
		return []rule{{most: 1, rate: perNano, words: words}}
	case limiter.Concurrency: // each holds its place for so long at the least
		window = float64(l.ServiceTime) * (1 - clockDrift)
		return steps(0, most, false)
	}
	if l.Reading == limiter.Open && l.Burst > l.Limit {
		// Any reading may be meant; the stepped bucket allows the most.
		burst := float64(l.Burst) * (1 + l.Tolerance)
		return append(steps(burst, most, false), rule{most: burst + most, rate: perNano, words: words})
	}
	// A fixed window of any phase; the open reading, which without a larger
	// burst allows no more.
	return append(steps(most, most, true), rule{most: 2 * most, rate: perNano, words: words})
}

// limitWords names the limiter that a limit promises.
func limitWords(l limiter.Limit) string {
	per := limiter.Per(l.Window)
	switch l.Reading {
	case limiter.TokenBucket:
		return fmt.Sprintf("a bucket of %d refilled at %d/%s", l.Burst, l.Limit, per)
	case limiter.SteppedBucket:
		return fmt.Sprintf("a bucket of %d given %d every %s", l.Burst, l.Limit, l.Window)
	case limiter.FixedWindow:
		return fmt.Sprintf("windows of %d per %s", l.Limit, per)
	case limiter.SlidingLog:
		return fmt.Sprintf("a sliding log of %d per %s", l.Limit, per)
	case limiter.SlidingCounter:
		return fmt.Sprintf("a sliding counter of %d per %s", l.Limit, per)
	case limiter.LeakyQueue:
		return fmt.Sprintf("a queue that lets %d/%s through, one by one,", l.Limit, per)
	case limiter.Concurrency:
		if l.ServiceTime > 0 {
			return fmt.Sprintf("a limit of %d at once, each for at least %s,", l.Limit, l.ServiceTime)
		}
		return fmt.Sprintf("a limit of %d at once", l.Limit)
	}
	return fmt.Sprintf("any limiter of %d/%s", l.Limit, per)
}

// slack keeps the rounding of floating-point sums from proving anything.
const slack = 1e-6

// An excess is a stretch of time in which too many were admitted.
type excess struct{ from, to time.Duration }

// exceed looks for a stretch that breaks a rule: theorem T3 of theory.md for a
// rate, a count over windows otherwise. O(n) where no request overtook
// another, O(n log n) else.
func (s spans) exceed(r rule) (excess, bool) {
	if s.len() == 0 {
		return excess{}, false
	}
	if r.short > 0 {
		return s.exceedWindow(r)
	}
	most, x := s.most(r.rate, r.most+slack)
	return x, most > r.most+slack
}

// exceedWindow counts what lies in stretches shorter than the rule's. For
// each end the longest of them is enough.
func (s spans) exceedWindow(r rule) (excess, bool) {
	order := s.orderOfEnds()
	started := make(fenwick, s.len()+1)
	for k, i := range order {
		started.add(int(i))
		first := s.begun(s.to[i] - r.short) // shorter than, so a start at the bound is out
		if n := k + 1 - started.sum(first); float64(n) > r.most+slack {
			from := s.from[i]
			for _, o := range order[:k+1] {
				if int(o) >= first {
					from = min(from, s.from[o])
				}
			}
			return excess{from, s.to[i]}, true
		}
	}
	return excess{}, false
}

// finding turns a stretch into a failure with its witness.
func (x excess) finding(c *Case, l limiter.Limit, s spans, r rule) Finding {
	x = s.smallest(r, x)
	inside := s.within(x.from, x.to)
	allowed := r.allows(x.to - x.from)
	w := &Witness{
		From: x.from, To: x.to, Counted: len(inside), Allowed: allowed,
		Requests: c.Evidence(inside[:min(len(inside), MaxEvidence)]), More: max(0, len(inside)-MaxEvidence),
	}
	w.Sentence = fmt.Sprintf("between %s and %s, %s admitted; %s admits at most %s",
		secs(x.from), secs(x.to), english.Count(len(inside), "request was"), r.words, fewerThan(allowed, len(inside)))
	if len(inside) > 0 {
		w.Sentence += fmt.Sprintf(" (%s)", c.sendersOf(inside))
	}
	return Finding{Outcome: Fail, Message: w.Sentence, Witness: w}
}

// atMost shows a bound with one digit, never rounded down to a whole number
// that would make the sentence look wrong.
func atMost(v float64) string {
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// fewerThan shows a bound that a number exceeds with as many digits as it takes
// to see that.
func fewerThan(v float64, n int) string {
	text := atMost(v)
	for digits := 2; digits < 10; digits++ {
		if shown, err := strconv.ParseFloat(text, 64); err == nil && shown < float64(n) {
			break
		}
		text = strconv.FormatFloat(v, 'f', digits, 64)
	}
	return text
}

// hinted adds a diagnosis to a sentence, if there is one.
func hinted(diagnosis string) string {
	if diagnosis == "" {
		return ""
	}
	return "; " + diagnosis
}
