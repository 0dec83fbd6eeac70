package analyze

import "math"

// A box holds the lengths of a window and the phases, as moments of one
// boundary, that are examined together.
type box struct{ shortest, longest, early, late float64 }

// boundary returns between which moments the k-th boundary of a box lies.
func (b box) boundary(k float64) (early, late float64) {
	short, long := b.shortest/(1+clockDrift), b.longest/(1-clockDrift)
	if k < 0 {
		short, long = long, short
	}
	return b.early + k*short, b.late + k*long
}

// around returns the numbers of the windows in which a decision may lie.
func (b box) around(from, to float64) (first, last float64) {
	guess := func(at, phase float64) float64 {
		d := at - phase
		return d / b.shortest * (1 + clockDrift)
	}
	first, last = math.Floor(min(guess(from, b.late), (from-b.late)/b.longest*(1-clockDrift)))-1, math.Ceil(max(guess(to, b.early), (to-b.early)/b.longest*(1-clockDrift)))+1
	for first < last {
		if _, late := b.boundary(first + 1); late > from {
			break // it may begin after the decision
		}
		first++
	}
	for last > first {
		if early, _ := b.boundary(last); early <= to {
			break
		}
		last--
	}
	return first, last
}

// The two rules of sliding counters: one more is admitted as long as the limit
// is not exceeded with it (0), or as long as it is not reached without it (1).
var counterRules = []float64{0, 1}

// broken returns the request that no counter of a box explains by one of the
// rules; nil if each may be explained.
func (c *counting) broken(b box, rule float64, parted []parting) *Row {
	for i := range c.refused {
		if c.unrefused(b, rule, &c.refused[i], parted) {
			return &c.refused[i].row
		}
	}
	for i := range c.taken {
		if c.untaken(b, rule, &c.taken[i], parted) {
			return &c.taken[i].row
		}
	}
	return nil
}

// untaken reports whether, in every window in which an admission may have been
// decided, too many were certainly admitted until then, with what the window
// before counts for.
func (c *counting) untaken(b box, rule float64, e *event, parted []parting) bool {
	first, last := b.around(e.from, e.to)
	if last-first >= mostUncertain {
		return false
	}
	for k := first; k <= last; k++ {
		early, late := b.boundary(k)
		end, latest := b.boundary(k + 1)
		_, before := b.boundary(k - 1)
		// With it, those that certainly lie in this window and were decided by then.
		others := c.admitted.endedBy(e.to)
		certain := e.from >= late && e.to < end
		if e.to >= end {
			others = c.admitted.ended(end)
		}
		current := float64(max(0, others-c.admitted.before(late)))
		if !certain {
			current++
		}
		previous := float64(max(0, c.admitted.ended(early)-c.admitted.before(before)))
		for _, s := range parted {
			switch {
			case e.from < s.to:
			case s.window == k:
				current, previous = current+s.after, previous+s.before
			case s.window == k-1:
				previous += s.after
			}
		}
		passed := min(1, (min(e.to, latest)-early)*(1+clockDrift)/b.shortest)
		// By either rule one window alone never holds more than the limit.
		if current <= c.most+slack && previous*(1-passed)+current <= c.most+rule+slack {
			return false
		}
	}
	return true
}

// unrefused reports whether a rejection certainly had room in every window in
// which it may have been decided. What may count in either of two windows
// counts in the later one, where it counts whole.
func (c *counting) unrefused(b box, rule float64, e *event, parted []parting) bool {
	first, last := b.around(e.from, e.to)
	if last-first >= mostUncertain {
		return false
	}
	for k := first; k <= last; k++ {
		early, late := b.boundary(k)
		_, end := b.boundary(k + 1)
		before, _ := b.boundary(k - 1)
		if before < 0 && !c.fresh {
			return false
		}
		current := max(0, float64(c.spent.begun(min(e.to, end))-c.spent.ended(early))-c.own)
		previous := float64(c.spent.ended(early) - c.spent.ended(before))
		for _, s := range parted {
			switch {
			case e.from < s.to:
			case s.window == k:
				current, previous = current-s.before, previous+s.before
			case s.window == k-1:
				previous -= s.before
			}
		}
		passed := min(1, max(0, (e.from-late)*(1-clockDrift)/b.longest))
		if previous*(1-passed)+current+1 > c.least+rule-slack {
			return false
		}
	}
	return true
}
