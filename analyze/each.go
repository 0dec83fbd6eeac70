package analyze

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"duckload/history"
	"duckload/limiter"
)

// few is how many requests a witness shows when each of them alone is proof.
const few = 3

// kinds is how many kinds of complaint a sentence tells apart.
const kinds = 6

// A complaint is what is wrong with one answer: its kind, and what was seen.
type complaint struct{ kind, example string }

// A tally counts answers of which each alone breaks a promise, by kind. It
// keeps the first few of them, in memory that does not grow.
type tally struct {
	judged int
	broken int
	kinds  []counted
	first  []Evidence
}

type counted struct {
	complaint
	n int
}

func (t *tally) fine() { t.judged++ }

func (t *tally) complain(c complaint, o *history.Observation, outcome limiter.Outcome) {
	t.judged++
	t.broken++
	t.count(c)
	if len(t.first) < few {
		t.first = append(t.first, shown(o, outcome))
	}
}

func (t *tally) count(c complaint) {
	for i := range t.kinds {
		if t.kinds[i].kind == c.kind {
			t.kinds[i].n++
			return
		}
	}
	if len(t.kinds) == kinds {
		t.kinds[kinds-1].kind = "other"
		t.kinds[kinds-1].example = ""
		t.kinds[kinds-1].n++
		return
	}
	t.kinds = append(t.kinds, counted{c, 1})
}

// String lists the kinds: "12 × fractional, such as "5.000"; 1 × empty".
func (t *tally) String() string {
	var parts []string
	for _, k := range t.kinds {
		s := fmt.Sprintf("%d × %s", k.n, k.kind)
		if k.example != "" {
			s += ", such as " + k.example
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

// witness returns the first few as proof.
func (t *tally) witness(sentence string) *Witness {
	w := &Witness{Sentence: sentence, Counted: t.broken, Requests: t.first, More: t.broken - len(t.first)}
	w.spanned()
	return w
}

// spanned puts the requests in order and sets From and To around them.
func (w *Witness) spanned() {
	slices.SortStableFunc(w.Requests, func(a, b Evidence) int { return cmp.Compare(a.Sent, b.Sent) })
	for i, r := range w.Requests {
		if i == 0 {
			w.From = r.Sent
		}
		w.To = max(w.To, r.Sent)
		if r.Answered != history.Never {
			w.To = max(w.To, r.Answered)
		}
	}
}

// shown is an observation as a witness shows it.
func shown(o *history.Observation, outcome limiter.Outcome) Evidence {
	return Evidence{
		Lane: o.Lane, Phase: o.Phase, Seq: o.Seq, Request: o.Request,
		Sent: o.Sent, Answered: o.Answered, Status: o.Status, Outcome: outcome,
		Fields: slices.Clone(o.Evidence), // the record may use its memory again
	}
}

// unwhole is why nothing passes on a record with holes.
const unwhole = "part of the record is missing, and what was lost may have broken the promise"

// exercised reports whether a run can reach the limits of a promise at all: a
// daily quota alone cannot be, and its rejection is not judged.
func exercised(p limiter.Promise) bool {
	return slices.ContainsFunc(p.Limits, func(l limiter.Limit) bool { return !l.Unverified })
}
