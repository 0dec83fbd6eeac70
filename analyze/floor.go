package analyze

import (
	"fmt"
	"math"
	"slices"

	"duckload/limiter"
)

var limitFloor = Check{
	ID:       "limit.floor",
	Question: "was a request rejected although allowance was certainly there?",
	Doc: `A rejection is certainly wrong if even the least favourable placement of all decisions leaves room for the request, at every
moment at which it may have been decided. For a token bucket: for every d inside its interval and every u ≤ d, the requests
that may have spent allowance between u and d are at most B − 1 + r·(d − u). For windows: fewer than L of them in the
trailing window (two windows for the sliding counter and the open reading). Requests whose outcome is not known may always have
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
			"%s wrong by what is on record, but part of the record is missing and may explain it", plural(len(wrong), "rejection looks"))}}
	case len(wrong) > 0:
		return []Finding{wrong[0].finding(c, len(wrong))}
	case !c.Whole:
		return []Finding{{Outcome: Inconclusive, Message: unwhole}}
	case len(c.Rows) == 0:
		return []Finding{{Outcome: Inconclusive, Message: "nothing was sent"}}
	}
	return []Finding{{Outcome: Pass, Message: fmt.Sprintf("%s, each of them explained by %s", plural(judged, "rejection"), promised(c.Promise))}}
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
	consumes := c.consumes()
	rooms := make([]map[int]*room, len(key))
	for i, l := range c.Promise.Limits {
		rooms[i] = map[int]*room{}
		for _, rows := range byKey(c.Rows, key[i]) {
			rooms[i][key[i][rows[0].Lane]] = newRoom(l, spansOf(rows, l.Clock(), mayConsume(consumes)), c.Header.Groups[c.Group].Fresh)
		}
	}
	met := make([]*room, len(key))
	for _, r := range c.Rows {
		if r.Outcome != limiter.Rejected || c.Header.Lanes[r.Lane].Group != c.Group {
			continue
		}
		judged++
		for i := range met {
			met[i] = rooms[i][key[i][r.Lane]]
		}
		if w, is := wrongfully(met, r, consumes); is {
			wrong = append(wrong, w)
			if len(wrong) == enough {
				return wrong, judged
			}
		}
	}
	return wrong, judged
}

// possibleKeys returns for each limit which lanes may share a key of it.
func (c *Case) possibleKeys() [][]int {
	var all [][]int
	for _, l := range c.Promise.Limits {
		all = append(all, keys(c.Header, []limiter.Limit{l}).possible)
	}
	return all
}

func wrongfully(rooms []*room, r Row, consumes bool) (wrongful, bool) {
	w := wrongful{row: r, most: math.Inf(-1)}
	for _, room := range rooms {
		used := room.used(r)
		if consumes {
			used-- // the rejected request itself is among those that may have spent
		}
		if used > room.capacity-1 {
			return w, false
		}
		if used-room.capacity > w.most {
			w.most, w.room = used-room.capacity, room
		}
	}
	if len(rooms) == 0 {
		return w, false
	}
	w.most += float64(w.room.limit.Capacity())
	return w, true
}

// finding turns a wrongful rejection into a failure with its witness: the
// rejected request, and everything that may have spent the allowance.
func (w wrongful) finding(c *Case, n int) Finding {
	l, spent := w.room.limit, w.room.trailing(w.row)
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
	message := witness.Sentence
	if n > 1 {
		message += fmt.Sprintf("; %d rejections in all are wrong like this", n)
	}
	return Finding{Outcome: Fail, Message: message, Witness: witness}
}
