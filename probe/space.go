package probe

import (
	"cmp"
	"math"
	"slices"
)

// A span is a closed interval of one parameter.
type span struct{ lo, hi float64 }

func (s span) mid(p parameter) float64 {
	switch {
	case p.whole:
		return math.Floor((s.lo + s.hi) / 2)
	case p.linear:
		return (s.lo + s.hi) / 2
	}
	return math.Sqrt(s.lo * s.hi)
}

func (s span) low() float64  { return s.lo }
func (s span) high() float64 { return s.hi }

// A parameter is one axis of a space.
type parameter struct {
	name   string
	whole  bool    // whole numbers only
	linear bool    // a place within the time before it; halved in the middle
	fine   float64 // how narrow is narrow enough, as a share
}

// width returns how wide the span of a parameter of a box is, in units of what
// is narrow enough; at most 1 is narrow. How much longer than everything that
// was seen a time is, shows in nothing.
func (n *narrowing) width(b *box, axis int) float64 {
	p, s := n.parameters[axis], b[axis]
	switch {
	case p.whole && s.hi-s.lo <= fewWhole:
		return boolean(s.hi > s.lo) * math.Inf(1) // one by one they are refuted much sooner
	case p.whole:
		return 1 + s.hi/1e6 // they are shaved; halved only where nothing else is wide
	case s.lo > n.facts.span:
		return 0
	case p.linear:
		return (min(s.hi, n.facts.span*1.01) - s.lo) / (p.fine * min(b[axis-1].hi, n.facts.span))
	}
	return math.Log(s.hi/s.lo) / p.fine
}

// fewWhole is how many whole numbers more than one are looked at one by one.
const fewWhole = 3

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// A box is a span for each parameter of a family.
type box [4]span

// An effort is how much work goes into one narrowing: looks at a box, boxes
// that are kept, and by how much finer than usual they may get. It bounds the
// precision, never the soundness.
type effort struct {
	looks, boxes int
	finer        float64
}

// usual is for every day. doubt is for families that seem to explain what was
// seen while none of their points that were tried does. certainty is for whole
// numbers, of which no share is near enough.
var (
	usual     = effort{1000, 120, 1}
	doubt     = effort{3000, 400, 4}
	certainty = effort{3000, 400, 16}
)

// narrow returns boxes that hold everything in the given ones that explains
// the facts; none: nothing does.
func (f *Family) narrow(facts *Facts, from []box, e effort) []box {
	n := narrowing{Family: f, facts: facts, effort: e}
	work := make([]box, 0, len(from))
	for _, b := range from {
		if n.shave(&b) {
			work = append(work, b)
		}
	}
	for n.used = 0; n.used < e.looks && len(work) > 0 && len(work) < 2*e.boxes; {
		at, axis := n.widest(work)
		if axis < 0 {
			break
		}
		low, high := n.split(work[at], axis)
		work[at] = work[len(work)-1]
		work = work[:len(work)-1]
		for _, b := range []box{low, high} {
			if n.shave(&b) {
				work = append(work, b)
			}
		}
	}
	return f.joined(work, e.boxes)
}

// joined joins neighbours until there are few enough boxes to go on with next
// time. What lay between them comes back, and is thrown out again. Those of the
// same whole numbers are neighbours first: they were split by them at first,
// too, and it would be in vain every time.
func (f *Family) joined(boxes []box, most int) []box {
	for len(boxes) > most {
		slices.SortFunc(boxes, func(a, b box) int {
			for _, whole := range []bool{true, false} {
				for axis := len(f.parameters) - 1; axis >= 0; axis-- {
					if f.parameters[axis].whole == whole {
						if c := cmp.Compare(a[axis].lo, b[axis].lo); c != 0 {
							return c
						}
					}
				}
			}
			return 0
		})
		half := boxes[:0]
		for i := 0; i < len(boxes); i += 2 {
			b := boxes[i]
			if i+1 < len(boxes) {
				for axis := range b {
					b[axis] = span{min(b[axis].lo, boxes[i+1][axis].lo), max(b[axis].hi, boxes[i+1][axis].hi)}
				}
			}
			half = append(half, b)
		}
		boxes = half
	}
	return boxes
}

// A narrowing counts the looks that it takes.
type narrowing struct {
	*Family
	facts *Facts
	effort
	used int
	last int // the track that refuted last
}

func (n *narrowing) possible(b *box) bool {
	n.used++
	// What refuted one part refutes the next one, too, as a rule.
	tracks := n.facts.tracks
	if n.last < len(tracks) && !n.judge(tracks[n.last], b) {
		return false
	}
	for i, t := range tracks {
		if i != n.last && !n.judge(t, b) {
			n.last = i
			return false
		}
	}
	return true
}

// shave cuts from the ends of the whole numbers of a box what explains
// nothing, and reports whether anything is left. Too low a limit is refuted by
// admissions, too high a one by rejections, whatever the times; so halving
// finds the ends.
func (n *narrowing) shave(b *box) bool {
	if !n.possible(b) {
		return false
	}
	for axis, p := range n.parameters {
		if !p.whole || b[axis].lo == b[axis].hi {
			continue
		}
		b[axis].lo = n.end(*b, axis, b[axis].hi, func(x *box, to float64) { x[axis].hi = to })
		b[axis].hi = n.end(*b, axis, b[axis].lo, func(x *box, to float64) { x[axis].lo = to })
	}
	return true
}

// end returns the value nearest to the other end of a span up to which a box
// that is cut there explains the facts.
func (n *narrowing) end(b box, axis int, good float64, cut func(*box, float64)) float64 {
	bad := b[axis].lo
	if good == bad {
		bad = b[axis].hi
	}
	x := b
	if cut(&x, bad); n.possible(&x) {
		return bad
	}
	for math.Abs(good-bad) > 1 {
		mid := math.Floor((good + bad) / 2)
		x := b
		if cut(&x, mid); n.possible(&x) {
			good = mid
		} else {
			bad = mid
		}
	}
	return good
}

// widest returns the box, and its axis, that is least narrow; −1 if all are.
func (n *narrowing) widest(boxes []box) (at, axis int) {
	most := 1 / n.finer
	axis = -1
	for i := range boxes {
		for k := range n.parameters {
			if w := n.width(&boxes[i], k); w > most {
				most, at, axis = w, i, k
			}
		}
	}
	return at, axis
}

func (n *narrowing) split(b box, axis int) (low, high box) {
	p := n.parameters[axis]
	mid := b[axis].mid(p)
	if end := n.facts.span * 1.01; p.linear && b[axis].hi > end {
		mid = end
	}
	low, high = b, b
	low[axis].hi, high[axis].lo = mid, mid
	if p.whole {
		high[axis].lo = mid + 1
	}
	return low, high
}

// hull returns the span of a parameter over some boxes.
func hull(boxes []box, axis int) span {
	s := boxes[0][axis]
	for _, b := range boxes[1:] {
		s.lo, s.hi = min(s.lo, b[axis].lo), max(s.hi, b[axis].hi)
	}
	return s
}
