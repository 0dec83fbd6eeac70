package analyze

import (
	"cmp"
	"fmt"
	"slices"

	"duckload/english"
	"duckload/limiter"
)

var limitFloor = Check{
	ID:       "limit.floor",
	Question: "was a request rejected although allowance was certainly there?",
	Doc: `A rejection is certainly wrong if even the least favourable placement of all decisions leaves room for the request, at every
moment at which it may have been decided. For a token bucket: for every d inside its interval and every u ≤ d, the requests
that may have spent allowance between u and d are at most B − 1 + r·(d − u). For windows: fewer than L of them in the
trailing window (two windows for the sliding counter and the open reading). A leaky queue rejects what a bucket of its length and
rate rejects, and decided_within says how soon after its sending. Of C requests at once, fewer than C others that may have been under way: from their sending until their answer
was read and one step of the clock had passed. Requests whose outcome is not known may always have
spent allowance. The rate is taken 0.05 % lower, windows longer, and every interval wider by the step of the limiter's clock (A2).

A promise of several limits is broken only where every one of them certainly had room. Where the scope is not documented, all
lanes count together: the coarsest key it could be. What the key had spent before the run is not known, so nothing is taken for
granted then, unless the scenario says that the key is fresh or the run begins with a rest.

If others share the key (exclusive: false), or part of the record is lost, the check is inconclusive: somebody else's
requests may have spent the allowance.

Typical causes of failure: burst off by one; a window where a bucket is documented; a rate that was rounded down (nginx counts
thousandths of a request per second); requests that are rejected and counted all the same; a counter that is shared with other paths or clients.`,
	Applies: exercised,
	Judge:   judgeFloor,
}

func judgeFloor(c *Case) []Finding {
	g := c.Header.Groups[c.Group]
	if !g.Exclusive {
		return []Finding{{Outcome: Inconclusive, Message: "others share the keys (exclusive: false), so any rejection may be due to them"}}
	}
	wrong, judged := c.wronglyRejected()
	switch {
	case len(wrong) > 0 && !c.Whole:
		return []Finding{{Outcome: Inconclusive, Message: fmt.Sprintf(
			"%s wrong by what is on record, but part of the record is missing and may explain it", english.Count(len(wrong), "rejection looks"))}}
	case len(wrong) > 0:
		return []Finding{wrong[0].finding(c, len(wrong))}
	case !c.Whole:
		return []Finding{{Outcome: Inconclusive, Message: unwhole}}
	case len(c.Rows) == 0:
		return []Finding{{Outcome: Inconclusive, Message: "nothing was sent"}}
	}
	return []Finding{{Outcome: Pass, Message: fmt.Sprintf("%s, each of them explained by %s", english.Count(judged, "rejection"), promised(c.Promise))}}
}

// promised names all limits of a promise.
func promised(p limiter.Promise) string {
	var all []string
	for _, l := range p.Limits {
		all = append(all, l.String())
	}
	return list(all)
}

// A wrongful rejection is one that no limit explains.
type wrongful struct {
	row  Row
	room *room   // of the tightest limit, for the witness
	met  *strand // what may have met the key
	most float64 // how much of its allowance may have been spent, at most
}

// wronglyRejected returns the rejections of the group that nothing explains,
// and how many there are in all. Several checks ask, so it is kept.
func (c *Case) wronglyRejected() (wrong []wrongful, judged int) {
	if c.floor == nil {
		c.floor = &floorResult{}
		c.floor.wrong, c.floor.judged = c.wrongUnder(c.possibleKeys(), 0)
	}
	return c.floor.wrong, c.floor.judged
}

type floorResult struct {
	wrong  []wrongful
	judged int
}

// consumes reports whether a rejected request may have spent allowance: one
// limit of several may count what another refused.
func (c *Case) consumes() bool {
	return len(c.Promise.Limits) > 1 || slices.ContainsFunc(c.Promise.Limits, func(l limiter.Limit) bool { return l.RejectsConsume })
}

// wrongUnder is wronglyRejected with lanes of the same number on one key, for
// each limit of the promise. It ends when it has found enough; 0: all.
func (c *Case) wrongUnder(key [][]int, enough int) (wrong []wrongful, judged int) {
	own := func(r *Row) bool { return r.Outcome == limiter.Rejected && c.Header.Lanes[r.Lane].Group == c.Group }
	for i := range c.Rows {
		if own(&c.Rows[i]) {
			judged++
		}
	}
	// What a limit explains is not asked of the next one, so the last one finds
	// what none explains, and the others are asked again only for that.
	var explained marks
	asked := func(r *Row) bool { return own(r) && !explained.has(r.Ordinal) }
	last := len(c.Promise.Limits) - 1
	for i := range c.Promise.Limits {
		c.weigh(i, key[i], asked, func(w wrongful, is bool) bool {
			if !is {
				explained.add(w.row.Ordinal)
			} else if i == last {
				wrong = append(wrong, w)
			}
			return enough == 0 || len(wrong) < enough
		})
	}
	slices.SortFunc(wrong, func(a, b wrongful) int {
		return cmp.Or(cmp.Compare(a.row.Sent, b.row.Sent), cmp.Compare(a.row.Ordinal, b.row.Ordinal))
	})
	if len(wrong) > 0 && enough == 0 {
		for i := last - 1; i >= 0; i-- {
			c.tighten(i, key[i], asked, wrong)
		}
	}
	return wrong, judged
}

// weigh tells for each asked rejection how much of a limit may have been
// spent, and whether that is too little to explain it, as long as yield wants
// more.
func (c *Case) weigh(limit int, key []int, asked func(*Row) bool, yield func(w wrongful, is bool) bool) {
	l := c.Promise.Limits[limit]
	room, own := c.room(l), 0.0
	if c.consumes() {
		own = 1 // the rejected request itself is among those that may have spent
	}
	for _, s := range c.strands(key, l, c.decisions(l)) {
		for place, used := range room.of(s, room.spends, asked) {
			used -= own
			if !yield(wrongful{row: s.decided(place), room: &room, met: &s, most: used - room.capacity + float64(l.Capacity())}, used <= room.capacity-1) {
				return
			}
		}
	}
}

// tighten puts another limit into wrongful rejections that it comes closer to
// explaining.
func (c *Case) tighten(limit int, key []int, asked func(*Row) bool, wrong []wrongful) {
	at := map[uint32]int{}
	for i, w := range wrong {
		at[w.row.Ordinal] = i
	}
	c.weigh(limit, key, asked, func(w wrongful, _ bool) bool {
		if i := at[w.row.Ordinal]; w.over() >= wrong[i].over() {
			wrong[i] = w
		}
		return true
	})
}

// over is by how much more is spent than there is; negative.
func (w wrongful) over() float64 { return w.most - float64(w.room.limit.Capacity()) }

// possibleKeys returns for each limit which lanes may share a key of it.
func (c *Case) possibleKeys() [][]int {
	var all [][]int
	for _, l := range c.Promise.Limits {
		all = append(all, keys(c.Header, []limiter.Limit{l}).possible)
	}
	return all
}

// finding turns a wrongful rejection into a failure with its witness: the
// rejected request, and everything that may have spent the allowance.
func (w wrongful) finding(c *Case, n int) Finding {
	l, spent := w.room.limit, w.room.trailing(*w.met, w.row)
	shown := append([]Row{w.row}, spent[max(0, len(spent)-MaxEvidence+1):]...)
	lane := c.Header.Lanes[w.row.Lane]
	witness := &Witness{
		From: w.row.Sent, To: w.row.Answered, Counted: len(spent), Allowed: float64(l.Capacity()) - 1,
		Requests: c.Evidence(shown), More: len(spent) + 1 - len(shown),
	}
	witness.spanned()
	witness.From, witness.To = min(witness.From, w.row.Sent), w.row.Answered
	witness.Sentence = fmt.Sprintf("the request sent at %s (%s) was rejected, though of an allowance of %d at most %s can have been spent: %s leaves room for it",
		secs(w.row.Sent), laneName(lane), l.Capacity(), atMost(max(0, w.most)), limitWords(l))
	if l.Reading == limiter.Concurrency {
		witness.Sentence = fmt.Sprintf("the request sent at %s (%s) was rejected, though at most %s of the others can have been under way: %d at once leave room for it",
			secs(w.row.Sent), laneName(lane), atMost(max(0, w.most)), l.Limit)
	}
	message := witness.Sentence
	if n > 1 {
		message += fmt.Sprintf("; %d rejections in all are wrong like this", n)
	}
	return Finding{Outcome: Fail, Message: message, Witness: witness}
}
