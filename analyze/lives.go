package analyze

import (
	"cmp"
	"slices"

	"duckload/history"
	"duckload/limiter"
)

// A life is a request that was looked at: every time that it was sent, and
// every look. An identical request that is sent again is both.
type life struct {
	effect limiter.Effect
	sent   []seen // in order of Sent
	looks  []seen // in order of Sent
}

type seen struct {
	history.Observation
	outcome limiter.Outcome
}

// lives are what the looks of a group saw.
type lives struct {
	all []*life // in the order of the first looks

	// known are requests that were told, the first time they were sent, that
	// they happened before: the values in them are not unique.
	known []Evidence
}

// mostKnown is how many of those are kept.
const mostKnown = 10

// subject tells the requests of a group apart.
type subject struct {
	lane int
	seq  uint64
}

// subjectOf returns which request an observation is, or looks at.
func subjectOf(o *history.Observation) subject {
	if o.Look != limiter.LookNone {
		return subject{o.Lane, o.Of}
	}
	return subject{o.Lane, o.Seq}
}

// looked reads the record for what the looks saw: once for the looks, once for
// what they looked at.
func (c *Case) looked() *lives {
	if c.lives != nil {
		return c.lives
	}
	all, of, resent := &lives{}, map[subject]*life{}, map[subject]bool{}
	for o := range c.All() {
		if o.Resent {
			resent[subjectOf(o)] = true
		}
		if o.Look == limiter.LookNone {
			continue
		}
		if of[subjectOf(o)] == nil {
			of[subjectOf(o)] = &life{}
			all.all = append(all.all, of[subjectOf(o)])
		}
	}
	for o, outcome := range c.All() {
		if o.Look == limiter.LookNone && !o.Resent && !resent[subjectOf(o)] && len(all.known) < mostKnown {
			if e, ok := c.Promise.EffectOf(o.Request); ok && e.Again && o.Answered != history.Never && e.Happened.Of(o.Status, o.Evidence) {
				all.known = append(all.known, shown(o, outcome))
			}
		}
		l := of[subjectOf(o)]
		if l == nil || o.Unsent {
			continue
		}
		s := seen{*o, outcome}
		if o.Look == limiter.LookNone {
			l.effect, _ = c.Promise.EffectOf(o.Request)
		}
		if o.Look != limiter.LookAfter {
			l.sent = append(l.sent, s)
		}
		if o.Look != limiter.LookNone && !o.Resent {
			l.looks = append(l.looks, s)
		}
	}
	inOrder := func(a, b seen) int { return cmp.Compare(a.Sent, b.Sent) }
	for _, l := range all.all {
		slices.SortStableFunc(l.sent, inOrder)
		slices.SortStableFunc(l.looks, inOrder)
	}
	c.lives = all
	return all
}

// accepted reports whether an answer says that its own request was carried out.
func (l *life) accepted(s seen) bool {
	return s.outcome == limiter.Admitted && !l.effect.Happened.Of(s.Status, s.Evidence)
}

// A glimpse is what one look saw, and what may have caused it: the times that
// the request was sent before the answer to the look, other than as that look.
type glimpse struct {
	look        seen
	least, most int // how often it happened

	before   []seen
	possible int // how many of those may have been carried out
	certain  int // how many certainly were when the look was sent
	rejected int
}

// glimpses returns what the looks of a life saw that tell anything.
func (l *life) glimpses() []glimpse {
	var all []glimpse
	for _, look := range l.looks {
		if look.Answered == history.Never || look.Error != "" {
			continue
		}
		least, most, ok := l.effect.Saw(look.Status, look.Evidence, l.outcomeOf(look))
		if !ok {
			continue
		}
		g := glimpse{look: look, least: least, most: most}
		for _, s := range l.sent {
			if same := s.Look != limiter.LookNone && s.Seq == look.Seq && !s.Resent; same || s.Sent > look.Answered {
				continue
			}
			g.before = append(g.before, s)
			switch {
			case s.outcome == limiter.Rejected:
				g.rejected++
			case s.Look != limiter.LookNone && s.outcome == limiter.Admitted && !l.accepted(s):
				// Told that it happened: nothing was done.
			default:
				g.possible++
			}
			if l.accepted(s) && s.Answered < look.Sent {
				g.certain++
			}
		}
		if l.effect.Idempotent {
			g.possible, g.certain = min(g.possible, 1), min(g.certain, 1)
		}
		all = append(all, g)
	}
	return all
}

// outcomeOf is what an answer to a look says of the limiter. A follow-up has no
// outcome of its own.
func (l *life) outcomeOf(look seen) limiter.Outcome {
	if look.Look == limiter.LookAgain {
		return look.outcome
	}
	return limiter.Unknown
}

// witness shows some requests and a look at them.
func (g glimpse) witness(sentence string) *Witness {
	w := &Witness{Sentence: sentence, Counted: g.least, Allowed: float64(g.possible)}
	for _, s := range append(slices.Clone(g.before), g.look) {
		if len(w.Requests) < MaxEvidence {
			w.Requests = append(w.Requests, shown(&s.Observation, s.outcome))
		} else {
			w.More++
		}
	}
	w.spanned()
	return w
}
