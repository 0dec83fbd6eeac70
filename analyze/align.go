package analyze

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"
)

// A bound is a limit of an interval, and the rows that prove it.
type bound struct {
	value float64 // nanoseconds of the limiter's clock
	rows  []Row
}

// A windowFit is what a run says about the length of a window of one family.
type windowFit struct {
	low, high bound     // high may be infinite
	phase     *Interval // where one boundary lies, in nanoseconds of the run; nil: unknown or none
	refuted   []Row     // not nil: the rows prove that no length explains the run
	gap       *gap      // between low and high; nil: none is known
}

// A gap is a stretch of lengths that explain nothing, though some below and
// some above it do.
type gap struct {
	low, high float64
	rows      []Row // that prove it
}

func (f windowFit) explains() bool { return f.refuted == nil && f.low.value <= f.high.value }

// holds reports whether a length explains the run, within a tolerance.
func (f windowFit) holds(window, tolerance float64) bool {
	shortest, longest := within(window, tolerance)
	return f.explains() && longest >= f.low.value && shortest <= f.high.value && !f.missing(shortest, longest)
}

// missing reports whether all lengths between two lie in a gap.
func (f windowFit) missing(shortest, longest float64) bool {
	return f.gap != nil && f.gap.low <= shortest && longest <= f.gap.high
}

// within returns the lengths that a documented one stands for.
func within(window, tolerance float64) (shortest, longest float64) {
	return window / (1 + tolerance), window / (1 - tolerance)
}

// atLeast and atMost narrow a fit by a length that was seen on our clock,
// which the limiter's may be faster or slower than.
func (f *windowFit) atLeast(v float64, rows ...Row) {
	if v *= 1 - clockDrift; v > f.low.value {
		f.low = bound{v, rows}
	}
}

func (f *windowFit) atMost(v float64, rows ...Row) {
	if v *= 1 + clockDrift; v < f.high.value {
		f.high = bound{v, rows}
	}
}

// improves reports whether a length narrows a fit from above.
func (f *windowFit) improves(v float64) bool { return v*(1+clockDrift) < f.high.value }

// lieIn returns what takes an extent that lies in so many windows.
func (f *windowFit) lieIn(windows int) func(extent) {
	return func(s extent) {
		if v := s.length() / float64(windows); v*(1-clockDrift) > f.low.value {
			f.atLeast(v, s.about()...)
		}
	}
}

// spans takes an extent that is no shorter than so many windows.
func (f *windowFit) spans(s extent, windows int) {
	if v := s.length() / float64(windows); f.improves(v) {
		f.atMost(v, s.about()...)
	}
}

func newWindowFit() windowFit { return windowFit{high: bound{value: math.Inf(1)}} }

// A strip says where a boundary lies: the k-th after the one that is counted
// from.
type strip struct {
	k                 int
	low, high         float64
	lowRows, highRows []Row
}

// An alignment fits evenly spaced boundaries: each stretch of must holds one,
// none lies within a stretch of never.
//
// For every boundary whose number is certain this is a strip in the plane of
// phase and length; the strips of each two boundaries bound the length, and
// together those bounds are exact.
type alignment struct {
	windowFit
	strips []strip
	origin extent
}

// mostStretches is how many stretches around the first one are looked at: to
// leave some out can only widen the result.
const mostStretches = 200

func align(fit windowFit, must, never []extent) windowFit {
	a := alignment{windowFit: fit}
	lie := a.lieIn(1)
	for _, z := range never {
		lie(z)
	}
	for i, j := 0, 0; i < len(must); i++ {
		for j < len(must) && must[j].from <= must[i].to {
			j++
		}
		if j < len(must) { // not the same boundary, so a window lies between
			if v := float64(must[j].to - must[i].from); a.improves(v) {
				a.atMost(v, slices.Concat(must[i].about(), must[j].about())...)
			}
		}
	}
	if len(must) == 0 || !a.explains() {
		return a.windowFit
	}
	a.origin = slices.MinFunc(must, func(x, y extent) int { return compareExtents(x.to-x.from, y.to-y.from, x.from, y.from) })
	a.strips = []strip{{0, float64(a.origin.from), float64(a.origin.to), a.origin.about(), a.origin.about()}}
	must, never = a.nearest(must), a.nearest(never)
	for range 3 {
		before := a.high.value - a.low.value
		for _, s := range must {
			a.holdsOne(s)
		}
		for _, z := range never {
			a.holdsNone(z)
		}
		if !a.explains() || a.high.value-a.low.value == before {
			break
		}
	}
	zero := a.strips[0]
	a.phase = &Interval{zero.low, zero.high}
	return a.windowFit
}

// nearest returns the stretches around the origin, the nearest first. They are
// given in order.
func (a *alignment) nearest(all []extent) []extent {
	away := func(s extent) time.Duration { return (s.from - a.origin.from).Abs() }
	at := sort.Search(len(all), func(i int) bool { return all[i].from >= a.origin.from })
	around := slices.Clone(all[max(0, at-mostStretches):min(len(all), at+mostStretches)])
	slices.SortStableFunc(around, func(x, y extent) int { return cmp.Compare(away(x), away(y)) })
	return around[:min(len(around), mostStretches)]
}

// last returns the number of the last boundary that may lie at a moment or
// before, and first that of the first that may lie at it or after.
func (a *alignment) last(moment float64) float64 {
	d := moment - float64(a.origin.from)
	if d >= 0 {
		return math.Floor(d / (a.low.value / (1 + clockDrift)))
	}
	return math.Floor(min(d/(a.high.value/(1-clockDrift)), -math.SmallestNonzeroFloat64))
}

func (a *alignment) first(moment float64) float64 {
	d := moment - float64(a.origin.to)
	if d <= 0 {
		return math.Ceil(d / (a.low.value / (1 + clockDrift)))
	}
	return math.Ceil(max(d/(a.high.value/(1-clockDrift)), math.SmallestNonzeroFloat64))
}

// holdsOne takes a stretch that holds a boundary.
func (a *alignment) holdsOne(s extent) {
	first, last := a.first(float64(s.from)), a.last(float64(s.to))
	switch {
	case first > last:
		a.refute(s)
	case first == last:
		a.put(strip{int(first), float64(s.from), float64(s.to), s.about(), s.about()})
	}
}

// holdsNone takes a stretch that holds no boundary but for its start.
func (a *alignment) holdsNone(z extent) {
	first, last := a.first(float64(z.to))-1, a.last(float64(z.from))
	switch {
	case first > last:
		a.refute(z)
	case first == last:
		a.put(strip{int(first), math.Inf(-1), float64(z.from), nil, z.about()})
		a.put(strip{int(first) + 1, float64(z.to), math.Inf(1), z.about(), nil})
	}
}

func (a *alignment) refute(s extent) {
	if a.refuted == nil {
		a.refuted = slices.Concat(a.origin.about(), s.about(), a.low.rows, a.high.rows)
	}
}

// put adds what is known of one boundary, and what follows for the length.
func (a *alignment) put(s strip) {
	at := slices.IndexFunc(a.strips, func(o strip) bool { return o.k == s.k })
	ok, old := at >= 0, strip{}
	if ok {
		old = a.strips[at]
	}
	if ok && old.low >= s.low {
		s.low, s.lowRows = old.low, old.lowRows
	}
	if ok && old.high <= s.high {
		s.high, s.highRows = old.high, old.highRows
	}
	if ok && s.low == old.low && s.high == old.high {
		return
	}
	if ok {
		a.strips[at] = s
	} else {
		a.strips = append(a.strips, s)
	}
	if s.low > s.high && a.refuted == nil {
		a.refuted = slices.Concat(s.lowRows, s.highRows)
	}
	for _, o := range a.strips {
		early, late, n := s, o, float64(o.k-s.k)
		if n == 0 {
			continue
		}
		if n < 0 {
			early, late, n = o, s, -n
		}
		if v := (late.low - early.high) / n; v > 0 {
			a.atLeast(v, slices.Concat(early.highRows, late.lowRows)...)
		}
		if v := (late.high - early.low) / n; !math.IsInf(v, 1) {
			a.atMost(v, slices.Concat(early.lowRows, late.highRows)...)
		}
	}
}
