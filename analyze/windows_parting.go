package analyze

import (
	"cmp"
	"math"
	"slices"
)

// A parting says how many of the requests that a boundary may part, as it may
// part a burst, count in the window before it.
type parting struct {
	window        float64 // begins with the boundary
	to            float64 // when all of them are decided
	all           int
	before, after float64
	row           Row // one of them
}

// brokenApart returns the requests that no counter of a box explains, however
// its boundaries part what they may part; nil if some way may explain all.
// It takes one look for each way.
func (c *counting) brokenApart(b box, rule float64, looks *int) []Row {
	var all []parting
	for k := -mostApart; k <= mostApart; k++ {
		early, late := b.boundary(k)
		begun := c.admitted.before(late)
		n := begun - c.admitted.ended(early)
		if n > 0 && c.spent.before(late)-c.spent.ended(early) == n && c.within(b, k, begun) {
			all = append(all, parting{window: k, to: c.admitted.last[begun-1], all: n, row: c.admitted.rows[begun-1]})
		}
	}
	// Two suffice: one in the burst that used the limit up, one at the first return.
	middle := (b.early + b.late) / 2
	slices.SortStableFunc(all, func(x, y parting) int {
		return cmp.Compare(math.Abs(x.to-middle), math.Abs(y.to-middle))
	})
	all = all[:min(len(all), 2)]
	slices.SortStableFunc(all, func(x, y parting) int { return cmp.Compare(x.all, y.all) })
	return c.brokenBy(b, rule, nil, all, looks)
}

// brokenBy parts what is left to be parted in each way, one boundary after the
// other, until something is broken.
func (c *counting) brokenBy(b box, rule float64, done, left []parting, looks *int) []Row {
	if len(left) == 0 || *looks < 0 {
		return nil
	}
	s := left[0]
	rows := []Row{s.row}
	for m := range s.all + 1 {
		s.before, s.after = float64(m), float64(s.all-m)
		parted := append(slices.Clip(done), s)
		if c.overfull(b, rule, parted) {
			continue
		}
		*looks--
		if row := c.broken(b, rule, parted); row != nil {
			rows = append(rows, *row)
			continue
		}
		more := c.brokenBy(b, rule, parted, left[1:], looks)
		if more == nil {
			return nil
		}
		rows = append(rows, more...)
	}
	return rows
}

// overfull reports whether a window does not hold what is said to count in it.
func (c *counting) overfull(b box, rule float64, parted []parting) bool {
	for _, s := range parted {
		early, _ := b.boundary(s.window)
		_, before := b.boundary(s.window - 1)
		previous := float64(max(0, c.admitted.ended(early)-c.admitted.before(before))) + s.before
		for _, other := range parted {
			if other.window == s.window-1 {
				previous += other.after
			}
		}
		passed := min(1, (s.to-early)*(1+clockDrift)/b.shortest)
		if previous > c.most+slack || s.after > 0 && previous*(1-passed)+s.after > c.most+rule+slack {
			return true
		}
	}
	return false
}

// within reports whether what a boundary may part lies in the two windows that
// it parts: nothing of what has begun by then also touches a third.
func (c *counting) within(b box, k float64, begun int) bool {
	early, _ := b.boundary(k)
	_, before := b.boundary(k - 1)
	after, _ := b.boundary(k + 1)
	old := c.admitted.before(before)
	return c.admitted.last[begun-1] < after && (old == 0 || c.admitted.last[old-1] < early)
}
