package probe

import "math"

// A span is a closed interval of one parameter.
type span struct{ lo, hi float64 }

func (s span) mid(p parameter) float64 {
	switch {
	case p.whole:
		return math.Floor((s.lo + s.hi) / 2)
	case p.linear || s.lo <= 0:
		return (s.lo + s.hi) / 2
	}
	return math.Sqrt(s.lo * s.hi)
}

// A parameter is one axis of a space.
type parameter struct {
	name   string
	whole  bool    // whole numbers only
	linear bool    // halved in the middle; else at the geometric mean
	fine   float64 // how narrow is narrow enough: of a linear one absolute, else a share
}

// width returns how wide a span is, in units of what is narrow enough; at most
// 1 is narrow.
func (p parameter) width(s span) float64 {
	switch {
	case p.whole:
		return s.hi - s.lo + boolean(s.hi > s.lo) // 0, or above 1
	case p.linear:
		return (s.hi - s.lo) / p.fine
	}
	return math.Log(s.hi/s.lo) / p.fine
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// A box is a span for each parameter of a family.
type box [4]span

// How much work goes into one narrowing: looks at a box, and boxes that are
// kept. Both bound the precision, never the soundness.
const (
	mostLooks = 900
	mostBoxes = 160
)

// narrow returns boxes that hold everything in the given ones that explains
// the facts; none: nothing does.
func (f *Family) narrow(facts *Facts, from []box) []box {
	work := make([]box, 0, len(from))
	for _, b := range from {
		if f.explains(facts, &b) {
			work = append(work, b)
		}
	}
	for looks := len(from); looks < mostLooks && len(work) > 0 && len(work) < mostBoxes; looks += 2 {
		at, axis := f.widest(work)
		if axis < 0 {
			break
		}
		low, high := f.split(work[at], axis)
		work[at] = work[len(work)-1]
		work = work[:len(work)-1]
		for _, b := range []box{low, high} {
			if f.explains(facts, &b) {
				work = append(work, b)
			}
		}
	}
	return work
}

// widest returns the box, and its axis, that is least narrow; −1 if all are.
func (f *Family) widest(boxes []box) (at, axis int) {
	most := 1.0
	axis = -1
	for i := range boxes {
		for k, p := range f.parameters {
			if w := p.width(boxes[i][k]); w > most {
				most, at, axis = w, i, k
			}
		}
	}
	return at, axis
}

func (f *Family) split(b box, axis int) (low, high box) {
	mid := b[axis].mid(f.parameters[axis])
	low, high = b, b
	low[axis].hi, high[axis].lo = mid, mid
	if f.parameters[axis].whole {
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
