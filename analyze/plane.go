package analyze

import (
	"cmp"
	"math"
	"slices"

	"duckload/limiter"
)

// A plane holds what a run says about the rate and the burst of a token
// bucket: its version space (theory.md §4.7). At a rate, the admissions need a
// burst of some least size, and each rejection one that is smaller than what
// may have been spent and one more. Both bounds fall as the rate rises, so a
// stretch of rates explains nothing if the least burst at its upper end is too
// large for the most at its lower end: that is how rates are excluded for
// certain, though the region is not convex.
//
// Rates are in requests per nanosecond of the limiter's clock, which may run
// faster or slower than ours at any time (A2): the least burst is that of the
// fastest rate on our clock, the most that of the slowest.
type plane struct {
	admitted []spans // of each key
	rejected []refusals
	consumes bool // rejected requests consume, and are in spent
	seen     map[float64]slice
	bounds   map[[2]float64]float64 // what most has worked out
}

// Refusals are the rejections of one key that no other limit explains.
type refusals struct {
	asked spans
	spent spans
	begun spans // admitted by the same key for certain: what was there at moment 0; not looked at if fresh
	fresh bool
}

// A slice is a plane at one rate. No burst explains the run there if the least
// is not below the most.
type slice struct {
	rate  float64
	least float64 // burst that explains the admissions
	most  float64 // burst below which the rejections are explained; Inf if every one is
	peak  excess  // the stretch that needs the least burst
	on    int     // and its key
	which int     // key of the rejection that allows the least
	tight int     // and its number; -1 if none bounds the burst
}

// manyAdmitted is from where on admissions that overtake each other are put in
// one order, because a plane looks at them again and again.
const manyAdmitted = 20_000

// planeOf returns the plane of one limit of a promise. Where rejections prove
// nothing, it holds none.
func planeOf(c *Case, l limiter.Limit) *plane {
	p := &plane{seen: map[float64]slice{}, bounds: map[[2]float64]float64{}, consumes: c.consumes()}
	for _, rows := range byKey(c.Rows, keys(c.Header, []limiter.Limit{l}).certain) {
		admitted := spansOf(rows, l.Clock(), isAdmitted)
		if admitted.len() > manyAdmitted {
			admitted = admitted.inOneOrder()
		}
		p.admitted = append(p.admitted, admitted)
	}
	if !c.refutable() {
		return p
	}
	fresh := c.Header.Groups[c.Group].Fresh
	ring := keys(c.Header, c.Promise.Limits)
	for _, rows := range byKey(c.Rows, ring.possible) {
		spent := spansOf(rows, l.Clock(), mayConsume(p.consumes))
		unexplained := c.unexplained(l, rows)
		for _, own := range byKey(rows, ring.certain) {
			r := refusals{asked: spansOf(own, l.Clock(), unexplained).decisive(spent), spent: spent, fresh: fresh}
			if !fresh {
				r.begun = spansOf(own, l.Clock(), isAdmitted)
			}
			if r.asked.len() > 0 {
				p.rejected = append(p.rejected, r)
			}
		}
	}
	return p
}

// unexplained chooses the rejections of the group that only one limit may
// explain: wherever another one may, they say nothing.
func (c *Case) unexplained(l limiter.Limit, rows []Row) func(Row) bool {
	explained := map[uint32]bool{}
	for _, other := range c.Promise.Limits {
		if other == l {
			continue
		}
		room := newRoom(other, spansOf(rows, other.Clock(), mayConsume(c.consumes())), c.Header.Groups[c.Group].Fresh)
		for _, r := range rows {
			if r.Outcome == limiter.Rejected && room.used(r)-1 > room.capacity-1 {
				explained[r.Ordinal] = true
			}
		}
	}
	return func(r Row) bool {
		return r.Outcome == limiter.Rejected && c.Header.Lanes[r.Lane].Group == c.Group && !explained[r.Ordinal]
	}
}

// at returns the plane at a rate; at an infinite one only that a bucket holds
// something is known.
func (p *plane) at(rate float64) slice {
	if s, ok := p.seen[rate]; ok {
		return s
	}
	s := slice{rate: rate, least: 1, most: math.Inf(1), tight: -1}
	if !math.IsInf(rate, 1) {
		for i, a := range p.admitted {
			if n, x := a.most(rate*(1+clockDrift), math.Inf(1)); n > s.least {
				s.least, s.peak, s.on = n, x, i
			}
		}
		p.refuse(&s, rate)
	}
	p.seen[rate] = s
	return s
}

// refuse bounds the burst of a slice by the rejections. What was there at
// moment 0 is at least what the admissions needed beyond a rate, which may be
// a faster one.
func (p *plane) refuse(s *slice, faster float64) {
	for i, r := range p.rejected {
		u := usage{rate: s.rate * (1 - clockDrift), fresh: r.fresh}
		if !r.fresh && !math.IsInf(faster, 1) {
			u.start = r.begun.began(faster * (1 + clockDrift))
		}
		u.used(r.spent, r.asked, func(k int, used float64) {
			if !p.consumes {
				used++
			}
			if used < s.most {
				s.most, s.which, s.tight = used, i, k
			}
		})
	}
}

// most bounds the burst from above for all rates from a slow one to a fast
// one. With a key that was fresh the slow one does; else it is not known what
// was there at moment 0, and the fast one tells the least of it.
func (p *plane) most(slow, fast float64) float64 {
	if slow == fast || !slices.ContainsFunc(p.rejected, func(r refusals) bool { return !r.fresh }) {
		return p.at(slow).most
	}
	between := [2]float64{slow, fast}
	if most, ok := p.bounds[between]; ok {
		return most
	}
	s := slice{rate: slow, most: math.Inf(1)}
	p.refuse(&s, fast)
	p.bounds[between] = s.most
	return s.most
}

// explains reports whether some burst explains the run at a rate.
func (s slice) explains() bool { return fits(s.least, s.most) }

// possible reports whether some rate between two may explain the run.
func (p *plane) possible(low, high float64) bool { return fits(p.at(high).least, p.most(low, high)) }

// fits reports whether there is a burst from the least on and below the most.
// The margin keeps rounding from excluding anything; the most is rounded up
// already. A bucket that holds less than one request never admits any.
func fits(least, most float64) bool { return least-slack < most && most > 1 }

// A region is what is left of a plane: bounds outside of which no rate and no
// burst explain the run.
type region struct {
	empty     bool
	low, high slice // at the slowest and the fastest rate; if empty, both where a fit is closest
	rates     Interval
	bursts    Interval
	whole     []int64 // the whole numbers among the bursts, if they are few
	slices    []slice // in rising order of rate: what was looked at and explains the run
}

// Where the search for the bounds of a rate ends: at a share of the rate, or
// after so many looks at all requests.
const (
	fineness  = 1e-4
	fewLooks  = 60
	mostLooks = 240
	fewWhole  = 8
)

// search looks for the bounds of what explains the run, beginning around the
// documented rate. Whole says that a burst is a whole number if any fits.
func (p *plane) search(documented float64, whole bool) region {
	n := 0
	for _, a := range p.admitted {
		n += a.len()
	}
	looks, growth := mostLooks, 2.0
	if n > 1e5 {
		looks, growth = fewLooks, 4
	}
	edges := []float64{0, documented, math.Inf(1)}
	for x := fineness; x < 20; x *= growth {
		edges = append(edges, documented*math.Exp(x), documented*math.Exp(-x))
	}
	slices.Sort(edges)
	low, found := p.first(edges, looks)
	if !found {
		near := p.nearest()
		return region{empty: true, low: near, high: near}
	}
	slices.Reverse(edges)
	high, _ := p.first(edges, len(p.seen)+looks/2)
	r := region{low: p.at(low), high: p.at(high), rates: Interval{low, high}}
	r.bursts = Interval{r.high.least, p.most(low, high)}
	if whole {
		p.wholeNumbers(&r)
	}
	for _, s := range p.seen {
		if s.explains() && low <= s.rate && s.rate <= high && !math.IsInf(s.rate, 1) {
			r.slices = append(r.slices, s)
		}
	}
	slices.SortFunc(r.slices, func(a, b slice) int { return cmp.Compare(a.rate, b.rate) })
	return r
}

// first returns an edge before which no rate explains the run. The edges may
// rise or fall.
func (p *plane) first(edges []float64, looks int) (float64, bool) {
	for i := range len(edges) - 1 {
		if rate, ok := p.within(edges[i], edges[i+1], looks); ok {
			return rate, true
		}
	}
	return 0, false
}

// within halves a stretch of rates, the half that comes first at first.
func (p *plane) within(from, to float64, looks int) (float64, bool) {
	if !p.possible(min(from, to), max(from, to)) {
		return 0, false
	}
	far := from == 0 || to == 0 || math.IsInf(from+to, 1)
	if far || math.Abs(math.Log(to/from)) < fineness/2 || len(p.seen) > looks {
		return from, true
	}
	mid := math.Sqrt(from * to)
	if rate, ok := p.within(from, mid, looks); ok {
		return rate, true
	}
	return p.within(mid, to, looks)
}

// nearest returns the slice that misses by the fewest requests.
func (p *plane) nearest() slice {
	var near slice
	best := math.Inf(1)
	for _, s := range p.seen {
		if miss := s.least - s.most; miss < best || miss == best && s.rate < near.rate {
			best, near = miss, s
		}
	}
	return near
}

// wholeNumbers narrows a region to bursts that are whole numbers, if there are
// any: with the burst given, each bound of the rate is a simple one, because
// least and most both fall as the rate rises.
func (p *plane) wholeNumbers(r *region) {
	first, last := math.Ceil(r.bursts.Low-slack), math.Ceil(r.bursts.High)-1
	if last-first >= fewWhole || r.low.rate == 0 || math.IsInf(r.high.rate, 1) {
		return
	}
	rates := Interval{math.Inf(1), 0}
	for burst := first; burst <= last; burst++ {
		low, high := r.low.rate, r.high.rate
		slow, slowOut := bisect(low, high, func(rate float64) bool { return p.at(rate).least > burst+slack })
		fast, fastOut := bisect(high, low, func(rate float64) bool { return p.most(rate, high) <= burst })
		if slowOut && fastOut && slow >= fast || slowOut && slow >= high || fastOut && fast <= low {
			continue
		}
		r.whole = append(r.whole, int64(burst))
		rates = Interval{min(rates.Low, slow), max(rates.High, fast)}
	}
	if len(r.whole) > 0 {
		r.rates = rates
	}
}

// bisect returns the last rate on the way from one to another that is found
// out of the question, if the first is; all before the last are.
func bisect(from, to float64, out func(float64) bool) (float64, bool) {
	switch {
	case !out(from):
		return from, false
	case out(to):
		return to, true
	}
	for math.Abs(math.Log(to/from)) > fineness/10 {
		if mid := math.Sqrt(from * to); out(mid) {
			from = mid
		} else {
			to = mid
		}
	}
	return from, true
}
