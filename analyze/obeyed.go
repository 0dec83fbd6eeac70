package analyze

import (
	"math"
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// prompt is how soon after the moment it was told a retry must come to say
// anything about that moment.
const prompt = time.Second

// held is how many rejections of a key are kept open until an admission shows
// what they really had to wait. In a flood only the latest count.
const held = 64

// An obedience is what a history says about the waits that rejections told.
//
// A rejection j was decided in [s, e], and told its client to wait RA. Two
// things can be proved about it.
//
// Too early: a retry k, sent at or after e + RA, was rejected again, while no
// request that may have spent allowance of the key can have been decided
// between the two decisions.
//
// Too late: a request i, sent at or after e, was admitted with its answer here
// before s + RA. The wait was then at most e(i) − s(j), whatever else came
// between: other requests only make it longer.
type obedience struct {
	told    int // rejections with a wait that can be counted
	undated int // with a date that cannot
	bare    int // with none that can be read

	obeyed  int           // retries sent promptly after the told moment and admitted
	tardy   int           // admitted too, but sent so late that they say nothing
	soonest time.Duration // least time between the told moment and an admitted retry
	early   []pair        // rejections that told too short a wait, each with its rejected retry
	earlyN  int

	late    pair          // the most needless wait that was proved
	excess  time.Duration // its length beyond what rounding explains; 0 or less: none
	lateN   int           // rejections that told more than rounding explains
	tight   int           // rejections that provably told no more than was needed and rounding
	beyond  pair          // a rejection that told more than the limit can ever ask for, and by how much
	surplus time.Duration
	blocked bool // some retry could not be judged because an unanswered request may be decided at any time

	print fingerprint
	waits Waits
}

// A pair is a rejection and the request that shows what its promise was worth.
type pair struct {
	rejected, shown Row
	wait            time.Duration
}

// A spell is the state of everything that may share one key: what may have
// spent allowance, and since when nothing has.
type spell struct {
	busy    time.Duration // nothing that may spend, sent so far, was decided after this
	number  int           // counts the requests that may spend
	pending []pair        // rejected retries that a request still to come may excuse
}

// A waiter is the state of everything that certainly shares one key.
type waiter struct {
	anchor Row           // the rejection whose told moment comes first
	due    time.Duration // that moment
	spell  int           // the spell's number when it was set; another: it is void

	open []told // rejections whose wait is not known yet

	last      time.Duration // what the latest rejection told
	lastSpell int
}

// A told is a rejection that waits to be weighed, and the spell in which it
// fell; -1 if something that spends may have been decided along with it.
type told struct {
	row   Row
	due   time.Duration
	spell int
}

// obey looks at the waits of a case's own rejections; several checks ask, so
// it is kept.
func obey(c *Case) obedience {
	if c.obeyed == nil {
		o := obedienceOf(c)
		c.obeyed = &o
	}
	return *c.obeyed
}

// obedienceOf walks along the rows, which must be in order of Sent.
func obedienceOf(c *Case) obedience {
	o := obedience{soonest: history.Never}
	ring := keys(c.Header, c.Promise.Limits)
	spells, waiters := make([]spell, len(c.Header.Lanes)), make([]waiter, len(c.Header.Lanes))
	for i := range spells {
		spells[i].busy = math.MinInt64
		waiters[i].spell, waiters[i].lastSpell = -1, -1
	}
	consume := slices.ContainsFunc(c.Promise.Limits, func(l limiter.Limit) bool { return l.RejectsConsume })
	clock := slowest(c.Promise.Limits)
	longest := longestWait(c.Promise)

	for _, row := range c.Rows {
		s, w := &spells[ring.possible[row.Lane]], &waiters[ring.certain[row.Lane]]
		o.settle(s, row.Sent)
		group := c.Header.Lanes[row.Lane].Group
		spends := row.Outcome != limiter.Rejected || consume
		if spends {
			s.pending = s.pending[:0] // this one may have been decided between
		}
		switch row.Outcome {
		case limiter.Rejected:
			if w.spell == s.number && row.Sent-clock.step >= w.due {
				s.pending = append(s.pending, pair{w.anchor, row, w.due - w.anchor.Answered})
			}
		case limiter.Admitted:
			o.admitted(w, s, row, clock)
		}
		busy := s.busy
		if spends {
			s.number++
			s.busy = max(s.busy, decidedBy(row, c.Header.Groups[group].DecidedWithin, c.apart))
		}
		if row.Outcome == limiter.Rejected && group == c.Group {
			o.rejected(w, s, row, busy, clock, longest)
		}
	}
	for i := range spells {
		o.settle(&spells[i], history.Never)
	}
	slices.SortFunc(o.early, func(a, b pair) int { return int(min(max(a.shown.Sent-b.shown.Sent, -1), 1)) })
	return o
}

// decidedBy is the latest moment at which a request may have been decided.
func decidedBy(r Row, within, apart time.Duration) time.Duration {
	if r.Answered == history.Never && within > 0 {
		return r.Sent + within + apart
	}
	return r.Answered
}

// settle accepts the rejected retries that nothing sent from now on can excuse.
func (o *obedience) settle(s *spell, now time.Duration) {
	if len(s.pending) == 0 {
		return
	}
	s.pending = slices.DeleteFunc(s.pending, func(p pair) bool {
		if p.shown.Answered >= now && now != history.Never {
			return false
		}
		o.earlyN++
		o.print.short(p)
		o.waits.short(p)
		if len(o.early) < few {
			o.early = append(o.early, p)
		}
		return true
	})
}

// admitted learns from an admission what the open rejections had to wait.
func (o *obedience) admitted(w *waiter, s *spell, row Row, clock clock) {
	// The latest retry that was still rejected bounds the waits from below, and
	// the latest told moment is the one that this request obeys.
	retry, due := time.Duration(-1), time.Duration(-1)
	for _, t := range w.open {
		if t.spell != s.number || t.row.Answered >= row.Sent {
			continue
		}
		retry = max(retry, t.row.Sent)
		if t.due <= row.Sent-clock.step {
			due = max(due, t.due)
		}
	}
	switch late := row.Sent - due; {
	case due < 0:
	case late <= prompt+clock.step:
		o.obeyed++
		o.soonest = min(o.soonest, late)
	default:
		o.tardy++
	}
	w.open = slices.DeleteFunc(w.open, func(t told) bool {
		if t.row.Answered >= row.Sent {
			return false // which of the two was decided first is not known
		}
		most := row.Answered - t.row.Sent
		least := time.Duration(0)
		if t.spell == s.number {
			least = clock.surely(retry - t.row.Answered)
		}
		o.needed(t.row, row, least, most, clock)
		return true
	})
}

// needed weighs a told wait against what is known of the real one.
func (o *obedience) needed(rejected, admitted Row, least, most time.Duration, clock clock) {
	wait, rounding, ok := rejected.Wait.told()
	if !ok {
		return
	}
	o.print.between(rejected.Wait, least, most)
	excess := wait - rounding - clock.fast(most)
	o.waits.add(WaitPoint{At: rejected.Answered, Told: wait, Rounding: rounding, Least: max(least, 0), Most: most, Long: excess > 0})
	if excess > 0 {
		o.lateN++
		if excess > o.excess {
			o.excess = excess
			o.late = pair{rejected, admitted, wait}
		}
	}
	if wait > rounding && wait <= least+rounding {
		o.tight++
	}
}

// rejected opens a rejection of the case's own group.
func (o *obedience) rejected(w *waiter, s *spell, row Row, busy time.Duration, clock clock, longest time.Duration) {
	due, ok := row.Wait.due()
	if !ok {
		o.bare++
		if row.Wait == waitUndated {
			o.bare--
			o.undated++
		}
		return
	}
	o.told++
	wait, rounding, _ := row.Wait.told()
	o.print.saw(wait, w.last, w.lastSpell == s.number)
	w.last, w.lastSpell = wait, s.number
	if surplus := wait - rounding - longest; surplus > o.surplus {
		o.surplus = surplus
		o.beyond = pair{rejected: row, wait: wait}
	}
	if wait <= rounding {
		o.tight++ // no honest wait is told in less
	}
	if busy >= row.Sent {
		w.hold(told{row, 0, -1})
		o.blocked = o.blocked || busy == history.Never
		return
	}
	moment := row.Answered + clock.slow(due)
	w.hold(told{row, moment, s.number})
	if w.spell != s.number || moment < w.due {
		w.anchor, w.due, w.spell = row, moment, s.number
	}
}

// hold keeps a rejection open, and lets go of the oldest if there are too many.
func (w *waiter) hold(t told) {
	if len(w.open) == held {
		w.open = append(w.open[:0], w.open[held/2:]...)
	}
	w.open = append(w.open, t)
}
