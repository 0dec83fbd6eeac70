package analyze

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"duckload/limiter"
)

// Clues are the contradictions of what may speak of one of several limits: by
// the place of the account in its answer, and the limit.
type clues map[[2]int]*clue

// A clue is in which answers a number is more than can be left under a limit,
// or less than must be.
type clue struct{ over, under marks }

func (c clues) of(at, limit int) *clue {
	if c[[2]int{at, limit}] == nil {
		c[[2]int{at, limit}] = &clue{}
	}
	return c[[2]int{at, limit}]
}

// remaining judges what was told to remain. What speaks of one limit is a lie
// if that limit contradicts it; what may speak of several, if each of them
// does. It returns why it cannot be told what is meant, if that is so.
func (h *headerCase) remaining() string {
	if !slices.ContainsFunc(h.Rows, func(r Row) bool { return r.Remaining > 0 }) {
		return ""
	}
	h.clues = clues{}
	h.refusals()
	for i, l := range h.Promise.Limits {
		h.highest(l, func(r Row, most float64) {
			h.weighAgainst(i, r, true, func(n int64) bool { return float64(n) > math.Floor(most+nearly)+1 }, func(n int64) lie {
				return lie{
					kind:     leftTooMuch,
					sentence: fmt.Sprintf("the request answered at %s was told that %d remain; after the requests certainly admitted before it on the same key at most %.1f can (%s)", secs(r.Answered), n, max(0, most), l),
					rows:     []Row{r}, allowed: max(0, most),
				}
			})
		})
		if l.Reading == limiter.FixedWindow {
			h.renewals(i, l)
		}
		h.lowest(l, func(r Row, least float64) {
			h.weighAgainst(i, r, false, func(n int64) bool { return float64(n) < math.Floor(least) }, func(n int64) lie {
				return lie{
					kind:     leftTooLittle,
					sentence: fmt.Sprintf("the request answered at %s was told that %d remain; after every request that can have been decided before it at least %.1f must (%s)", secs(r.Answered), n, least, l),
					rows:     []Row{r}, allowed: least,
				}
			})
		})
	}
	return h.settle()
}

// weighAgainst holds what an answer says is left under a limit against it.
func (h *headerCase) weighAgainst(limit int, r Row, over bool, wrong func(int64) bool, as func(int64) lie) {
	if !h.own(r) {
		return
	}
	for at, of := range h.spoken[r.Claim] {
		if !slices.Contains(of, limit) {
			continue
		}
		n, told := h.teller.left(r, at)
		switch {
		case !told || !wrong(n):
		case len(of) == 1:
			h.add(as(n))
		case over:
			h.clues.of(at, limit).over.add(r.Ordinal)
		default:
			h.clues.of(at, limit).under.add(r.Ordinal)
		}
	}
}

// highest tells the most that can be left under a limit, as [highest] does, for
// each key that is certainly one.
func (h *headerCase) highest(l limiter.Limit, tell func(Row, float64)) {
	for _, among := range split(h.Rows, keys(h.Header, []limiter.Limit{l}).certain, isAdmitted) {
		highest(h.Rows, among, l, tell)
	}
}

// lowest tells the least that must be left under a limit, as [lowest] does,
// where nobody else uses the key and nothing is lost.
func (h *headerCase) lowest(l limiter.Limit, tell func(Row, float64)) {
	group := h.Header.Groups[h.Group]
	if !h.Whole || !group.Exclusive {
		return
	}
	ring := keys(h.Header, []limiter.Limit{l})
	decided := func(r Row) time.Duration {
		return decidedBy(r, h.Header.Groups[h.Header.Lanes[r.Lane].Group].DecidedWithin, h.apart)
	}
	for _, among := range split(h.Rows, ring.possible, mayConsume(h.consumes())) {
		lowest(h.Rows, among, decided, l, group.Fresh, tell)
	}
}

// refusals looks for rejections that say of every limit that something remains.
func (h *headerCase) refusals() {
	for _, r := range h.Rows {
		if r.Outcome != limiter.Rejected || r.Claim == 0 || !h.own(r) {
			continue
		}
		if least := h.nothingUsedUp(r); least > 0 {
			h.add(lie{
				kind:     leftAfterRejection,
				sentence: fmt.Sprintf("the rejection answered at %s says that %d remain", secs(r.Answered), least),
				rows:     []Row{r},
			})
		}
	}
}

// nothingUsedUp returns the least that remains by what an answer says, if it
// speaks of every limit; else 0.
func (h *headerCase) nothingUsedUp(r Row) int64 {
	least, spoken := int64(math.MaxInt64), uint64(0)
	for at, of := range h.spoken[r.Claim] {
		n, told := h.teller.left(r, at)
		if !told {
			continue
		}
		if least = min(least, n); least == 0 {
			return 0
		}
		if len(of) == 1 {
			spoken |= 1 << of[0]
		}
	}
	if bits.OnesCount64(spoken) < len(h.Promise.Limits) {
		return 0
	}
	return least
}

// split returns the places of the rows that something is true of, by the
// number of their lane.
func split(rows []Row, number []int, keep func(Row) bool) [][]uint32 {
	count := make([]int, len(number))
	for _, r := range rows {
		if keep(r) {
			count[number[r.Lane]]++
		}
	}
	all := make([][]uint32, len(number))
	for k, n := range count {
		all[k] = make([]uint32, 0, n)
	}
	for i, r := range rows {
		if keep(r) {
			all[number[r.Lane]] = append(all[number[r.Lane]], uint32(i))
		}
	}
	return all
}

// leftUnder returns what an answer says is left under a limit and no other;
// -1 if it does not.
func (h *headerCase) leftUnder(r Row, limit int) int64 {
	if h == nil || r.Claim == 0 {
		return -1
	}
	for at, of := range h.spoken[r.Claim] {
		if n, told := h.teller.left(r, at); told && len(of) == 1 && of[0] == limit {
			return n
		}
	}
	return -1
}

// settle judges what may speak of several limits. The server may tell the
// same limit in all answers that say the same about limits, or the tightest one
// in each, or another one each time; the last can be shown to be false, but
// helps no client.
func (h *headerCase) settle() string {
	if len(h.clues) == 0 {
		return ""
	}
	readings := map[[2]int]*severalOf{}
	for _, r := range h.Rows {
		if r.Outcome != limiter.Admitted || !h.own(r) {
			continue
		}
		for at, of := range h.spoken[r.Claim] {
			if _, told := h.teller.left(r, at); !told || len(of) < 2 {
				continue
			}
			which := [2]int{int(r.Claim), at}
			if readings[which] == nil {
				readings[which] = &severalOf{never: make([]bool, len(of))}
			}
			if readings[which].all(h.clues, at, of, r.Ordinal) {
				h.add(h.fitsNone(r, at, of))
			}
		}
	}
	for _, s := range readings {
		if s.notTightest && !slices.Contains(s.never, false) {
			return fmt.Sprintf("what is said to remain fits one of the limits in some answers and another one in others (%s), and is not the tightest: nothing says which is meant (a RateLimit-Policy would, or the limit beside what remains)", limitsOf(h.Promise))
		}
	}
	return ""
}

// severalOf is what a run says about an account that may speak of several
// limits: which of them it cannot always be, and that it is not always the
// tightest.
type severalOf struct {
	never       []bool
	notTightest bool
}

// all takes an answer, and reports whether all limits contradict it.
func (s *severalOf) all(clues clues, at int, of []int, ordinal uint32) bool {
	over, below, wrong := 0, 0, 0
	for i, limit := range of {
		c := clues.of(at, limit)
		o, u := c.over.has(ordinal), c.under.has(ordinal)
		over, below, wrong = over+one(o), below+one(u), wrong+one(o || u)
		s.never[i] = s.never[i] || o || u
	}
	s.notTightest = s.notTightest || over > 0 || below == len(of)
	return wrong == len(of)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// fitsNone is the lie that every limit contradicts, each in its own way.
func (h *headerCase) fitsNone(r Row, at int, of []int) lie {
	n, _ := h.teller.left(r, at)
	l := lie{kind: leftByNone, rows: []Row{r}}
	if h.count[l.kind] > 0 {
		return l // it is only counted
	}
	var why []string
	for _, limit := range of {
		p := h.Promise.Limits[limit]
		most, least := math.Inf(1), math.Inf(-1)
		h.highest(p, func(o Row, m float64) {
			if o.Ordinal == r.Ordinal {
				most = max(0, m)
			}
		})
		h.lowest(p, func(o Row, m float64) {
			if o.Ordinal == r.Ordinal {
				least = m
			}
		})
		if float64(n) > most {
			why = append(why, fmt.Sprintf("of %s at most %.1f can", p, most))
		} else {
			why = append(why, fmt.Sprintf("of %s at least %.1f must", p, least))
		}
	}
	l.sentence = fmt.Sprintf("the request answered at %s was told that %d remain; %s", secs(r.Answered), n, strings.Join(why, ", and "))
	return l
}
