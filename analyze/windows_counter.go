package analyze

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"
)

// A counting is what one key saw, held against sliding counters whose windows
// begin at some phase: admitted while previous·(1 − f) + current is below a
// bound, f being the part of the current window that has passed (theory.md
// §4.4). It examines boxes of lengths and phases: a box is out of the question
// if no counter in it explains some admission, or some rejection.
//
// Boundaries drift apart from ours by what the clocks may differ (A2), so they
// are counted from a moment in the middle of what is to be explained.
type counting struct {
	most, least float64 // the limit, at the most and at the least
	fresh       bool    // nothing was spent before moment 0
	own         float64 // what a rejected request counts in what was spent
	origin      float64 // the phase is that of the boundary nearest to this moment

	admitted, spent ends
	taken           []event // admissions that are worth a look
	refused         []event // and rejections
}

// An event is a request that must be explained: its decision lies between two
// moments.
type event struct {
	from, to float64
	row      Row
}

// ends are the first and the last moments of some decisions, each in rising
// order, and for each the last moment of it and of those that began before.
type ends struct {
	from, to, last []float64
	rows           []Row // in the order of from
}

// begun counts the decisions that may have been made by a moment, ended those
// that certainly were before it, or at it.
func (e ends) begun(at float64) int {
	return sort.Search(len(e.from), func(i int) bool { return e.from[i] > at })
}
func (e ends) ended(at float64) int { return sort.SearchFloat64s(e.to, at) }
func (e ends) endedBy(at float64) int {
	return sort.Search(len(e.to), func(i int) bool { return e.to[i] > at })
}
func (e ends) before(at float64) int { return sort.SearchFloat64s(e.from, at) }

func endsOf(s spans) ends {
	var e ends
	last := math.Inf(-1)
	for i := range s.len() {
		last = max(last, float64(s.to[i]))
		e.rows = append(e.rows, s.row(i))
		e.from, e.to, e.last = append(e.from, float64(s.from[i])), append(e.to, float64(s.ends[i])), append(e.last, last)
	}
	return e
}

// countingOf prepares the traffic of a key.
func countingOf(t traffic, n holding) counting {
	c := counting{most: float64(n.most), least: float64(n.least), fresh: t.fresh, admitted: endsOf(t.admitted), spent: endsOf(t.spent)}
	if t.consumes {
		c.own = 1
	}
	c.taken, c.refused = t.decisive()
	if n := len(c.refused); n > 0 {
		c.origin = c.refused[n/2].from
	}
	c.taken, c.refused = c.nearest(c.taken), c.nearest(c.refused)
	return c
}

// nearest returns the events around the origin, if there are many.
func (c *counting) nearest(all []event) []event {
	slices.SortStableFunc(all, func(a, b event) int {
		return cmp.Compare(math.Abs(a.from-c.origin), math.Abs(b.from-c.origin))
	})
	return all[:min(len(all), mostEvents)]
}

// decisive returns the admissions after which nothing more was admitted for a
// moment, and the last rejections before something more may have been spent:
// between admissions what counts only falls, so the others say less.
func (t traffic) decisive() (taken, refused []event) {
	order := t.admitted.orderOfEnds()
	for k, i := range order {
		to := t.admitted.to[i]
		if k+1 < len(order) && t.admitted.to[order[k+1]]-to < time.Millisecond {
			continue
		}
		taken = append(taken, event{float64(t.admitted.from[i]), float64(to), t.admitted.row(int(i))})
	}
	s := t.rejected
	for i := range s.len() {
		if i+1 < s.len() && t.spent.begun(s.to[i+1]) <= t.spent.begun(s.to[i]) {
			continue
		}
		refused = append(refused, event{float64(s.from[i]), float64(s.to[i]), s.row(i)})
	}
	return taken, refused
}
