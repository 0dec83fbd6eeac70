package analyze

import (
	"math"
	"slices"
)

// Bounds of the search for the lengths of a counter's window: how fine it is,
// as a share of the length, and how many boxes it looks at for each end. What
// it has not looked at by then counts as explained.
const (
	fineWindow     = 5e-4
	mostBoxes      = 8000
	apartWindow    = 0.02 // from how small a box on it is worth to part a burst
	mostEvents     = 150
	mostUncertain  = 4 // windows that one decision may lie in: beyond, a box says nothing
	mostCountBoxed = 20_000
	mostApart      = 2.0 // windows around the middle of what is explained
)

// A boxSearch looks for the shortest window, or the longest, with which some
// phase explains everything by one rule.
type boxSearch struct {
	counting *counting
	rule     float64
	longest  bool // looked for; else the shortest
	looks    int
	best     float64
	rows     []Row // what broke the boxes beyond the best, each once
}

// extreme returns the shortest or the longest length between two that may
// explain everything; ok is false if none does. The rows prove it.
func (c *counting) extreme(rule, low, high float64, longest bool) (length float64, rows []Row, ok bool) {
	s := boxSearch{counting: c, rule: rule, longest: longest, looks: mostBoxes, best: math.Inf(1)}
	if longest {
		s.best = math.Inf(-1)
	}
	s.look(box{low, high, c.origin - high/(1-clockDrift), c.origin})
	return s.best, s.rows, !math.IsInf(s.best, 0)
}

// beyond reports whether a box can improve what was found.
func (s *boxSearch) beyond(b box) bool {
	if s.longest {
		return b.longest > s.best
	}
	return b.shortest < s.best
}

func (s *boxSearch) found(b box) {
	if s.best = b.shortest; s.longest {
		s.best = b.longest
	}
}

func (s *boxSearch) look(b box) {
	if !s.beyond(b) {
		return
	}
	if s.looks--; s.looks < 0 {
		s.found(b)
		return
	}
	if row := s.counting.broken(b, s.rule, nil); row != nil {
		s.note(*row)
		return
	}
	length, phase := b.longest-b.shortest, b.late-b.early
	fine := fineWindow * b.shortest
	if length <= apartWindow*b.shortest && phase <= apartWindow*b.shortest {
		if rows := s.counting.brokenApart(b, s.rule, &s.looks); rows != nil {
			s.note(rows...)
			return
		}
	}
	if length <= fine && phase <= fine {
		s.found(b)
		return
	}
	one, other := b, b
	if 2*length > phase {
		mid := (b.shortest + b.longest) / 2
		one.longest, other.shortest = mid, mid
		if s.longest {
			one, other = other, one
		}
	} else {
		mid := (b.early + b.late) / 2
		one.late, other.early = mid, mid
	}
	s.look(one)
	s.look(other)
}

func (s *boxSearch) note(rows ...Row) {
	for _, r := range rows {
		if !slices.ContainsFunc(s.rows, func(seen Row) bool { return seen.Ordinal == r.Ordinal }) {
			s.rows = append(s.rows, r)
		}
	}
}

// narrow narrows what is known of a counter's window to the lengths for which
// some phase and one of the two rules explain every admission and rejection.
func (t traffic) narrow(fit *windowFit, n holding) {
	low, high := fit.low.value, fit.high.value
	if !n.documented || low <= 0 || math.IsInf(high, 1) || low >= high || t.rejected.len() == 0 || t.admitted.len() == 0 || t.spent.len() > mostCountBoxed {
		return
	}
	c := countingOf(t, n)
	least, most := bound{value: math.Inf(1)}, bound{value: math.Inf(-1)}
	for _, rule := range counterRules {
		short, rows, ok := c.extreme(rule, low, high, false)
		if !ok {
			least.rows, most.rows = append(least.rows, rows...), append(most.rows, rows...)
			continue
		}
		least.value, least.rows = min(least.value, short), append(least.rows, rows...)
		long, rows, _ := c.extreme(rule, short, high, true)
		most.value, most.rows = max(most.value, long), append(most.rows, rows...)
	}
	switch {
	case math.IsInf(least.value, 1):
		fit.refuted = least.rows
		return
	case least.value > low:
		fit.low = bound{least.value, distinct(least.rows)}
	}
	if most.value < high {
		fit.high = bound{most.value, distinct(most.rows)}
	}
	c.part(fit, n)
}

// worthParting is how wide a fit is, as a share of the documented window, that
// may be parted: by then some look at it has been left open.
const worthParting = 0.01

// part looks whether what is documented lies in a gap. Where a boundary may have
// fallen among the requests that used the limit up, one more or one less of them
// in the window before makes another length: two that both explain the run,
// and none between them.
func (c *counting) part(fit *windowFit, n holding) {
	if fit.high.value-fit.low.value < worthParting*n.shortest || n.shortest <= fit.low.value || n.longest >= fit.high.value {
		return
	}
	g := gap{low: n.shortest, high: n.longest}
	for _, rule := range counterRules {
		_, rows, explains := c.extreme(rule, n.shortest, n.longest, false)
		if explains {
			return
		}
		g.rows = append(g.rows, rows...)
	}
	g.rows = distinct(g.rows)
	fit.gap = &g
}
