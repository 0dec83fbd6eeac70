package analyze

import (
	"slices"
	"sort"
	"time"

	"duckload/limiter"
)

// Spans are the intervals in which decisions of one kind were made, on one
// key. They are closed, and in order of their start. There may be ten million,
// so they share the rows, and what is sorted already is not sorted again.
type spans struct {
	rows  []Row           // of the key, in order of Sent
	place []uint32        // of each span's row
	from  []time.Duration // start of each, made earlier by what the limiter's clock may lag; rising
	to    []time.Duration // end of each; history.Never if the answer never came
	ends  []time.Duration // the ends in rising order
	order []uint32        // of the ends, if it was kept; see orderOfEnds
	reach
}

// spans takes the intervals of the rows that a condition chooses. A limiter's
// clock shows a moment up to one step old, so a decision may carry a moment
// before the request was sent.
func (t strand) spans(chosen func(*Row) bool) spans {
	s := spans{rows: t.rows, reach: t.reach}
	n := 0
	for i := range t.len() {
		if chosen(t.row(i)) {
			n++
		}
	}
	s.place, s.from, s.to = make([]uint32, 0, n), make([]time.Duration, 0, n), make([]time.Duration, 0, n)
	for i := range t.len() {
		if r := t.row(i); chosen(r) {
			s.place = append(s.place, t.place(i))
			s.from = append(s.from, t.from(r))
			s.to = append(s.to, t.until(r))
		}
	}
	s.ends = s.to
	if !s.agreeable() {
		s.ends = slices.Clone(s.to)
		slices.Sort(s.ends)
	}
	return s
}

func (s spans) len() int { return len(s.from) }

// row is the row of a span, and at is where it lies.
func (s spans) row(i int) Row { return s.rows[s.place[i]] }
func (s spans) at(i int) *Row { return &s.rows[s.place[i]] }

// agreeable reports whether the intervals end in the order in which they
// begin: no request overtook another.
func (s spans) agreeable() bool { return slices.IsSorted(s.to) }

// begun counts the intervals that begin at a moment or before.
func (s spans) begun(d time.Duration) int {
	return sort.Search(len(s.from), func(i int) bool { return s.from[i] > d })
}

// within returns the rows whose intervals lie inside [a, b] for certain, N(a, b)
// of theory.md §4 in number.
func (s spans) within(a, b time.Duration) []Row {
	var inside []Row
	for i := sort.Search(len(s.from), func(i int) bool { return s.from[i] >= a }); i < len(s.from) && s.from[i] <= b; i++ {
		if s.to[i] <= b {
			inside = append(inside, s.row(i))
		}
	}
	return inside
}

func isAdmitted(r Row) bool { return r.Outcome == limiter.Admitted }

// mayConsume chooses what possibly spent allowance.
func mayConsume(rejectsToo bool) func(Row) bool {
	return func(r Row) bool { return rejectsToo || r.Outcome != limiter.Rejected }
}
