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
	admitted []strand // of each key
	rejected []refusals
	spends   func(*Row) bool
	asked    func(*Row) bool // rejections that no other limit explains; nil if rejections prove nothing
	own      float64         // what a rejected request counts in what was spent
	fresh    bool
	rows     int
	seen     map[float64]slice
	bounds   map[[2]float64]float64 // what most has worked out
}

// Refusals are the requests that may have met one key, and those of them that
// met one for certain: their rejections are asked for, and their admissions
// show what was there at moment 0. Nobody asks that of a key that was fresh, nor
// of more senders than a few: each is a walk along all that may have met it.
type refusals struct {
	spent strand
	asked strand
	among func(*Row) bool // asked, if it is not all of spent
}

const manySenders = 64

// A slice is a plane at one rate. No burst explains the run there if the least
// is not below the most.
type slice struct {
	rate  float64
	least float64 // burst that explains the admissions
	most  float64 // burst below which the rejections are explained; Inf if every one is
	peak  excess  // the stretch that needs the least burst
	on    int     // and its key
	tight *Row    // the rejection that allows the least; nil if none bounds the burst
}

// planeOf returns the plane of one limit of a promise.
func planeOf(c *Case, l limiter.Limit) *plane {
	ring := keys(c.Header, []limiter.Limit{l})
	spends := mayConsume(c.consumes())
	p := &plane{
		admitted: c.strands(ring.certain, l, reach{}),
		spends:   func(r *Row) bool { return spends(*r) },
		fresh:    c.Header.Groups[c.Group].Fresh,
		rows:     len(c.Rows),
		seen:     map[float64]slice{},
		bounds:   map[[2]float64]float64{},
	}
	if c.consumes() {
		p.own = 1
	}
	if !c.refutable() {
		return p
	}
	p.asked = c.unexplained(l)
	possible := c.strands(ring.possible, l, reach{})
	p.rejected = make([]refusals, 0, len(possible))
	if p.fresh {
		for _, s := range possible {
			p.rejected = append(p.rejected, refusals{spent: s})
		}
		return p
	}
	certain := map[int][]strand{} // by what they possibly share
	for _, s := range p.admitted {
		key := ring.possible[s.row(0).Lane]
		certain[key] = append(certain[key], s)
	}
	for _, possible := range possible {
		its := certain[ring.possible[possible.row(0).Lane]]
		if len(its) > manySenders {
			p.rejected = append(p.rejected, refusals{spent: possible})
			continue
		}
		for _, asked := range its {
			r := refusals{spent: possible, asked: asked}
			if asked.len() < possible.len() {
				key := ring.certain[asked.row(0).Lane]
				r.among = func(row *Row) bool { return ring.certain[row.Lane] == key }
			}
			p.rejected = append(p.rejected, r)
		}
	}
	return p
}

// unexplained chooses the rejections of the group that only one limit may
// explain: wherever another one may, they say nothing.
func (c *Case) unexplained(l limiter.Limit) func(*Row) bool {
	var explained marks
	for _, other := range c.Promise.Limits {
		if other == l {
			continue
		}
		room := c.room(other)
		for _, s := range c.strands(keys(c.Header, []limiter.Limit{other}).possible, other, reach{}) {
			for place, used := range room.usage.of(s, room.spends, func(r *Row) bool { return r.Outcome == limiter.Rejected }) {
				if used-1 > room.capacity-1 {
					explained.add(s.row(place).Ordinal)
				}
			}
		}
	}
	return func(r *Row) bool {
		return r.Outcome == limiter.Rejected && c.Header.Lanes[r.Lane].Group == c.Group && !explained.has(r.Ordinal)
	}
}

// at returns the plane at a rate; at an infinite one only that a bucket holds
// something is known.
func (p *plane) at(rate float64) slice {
	if s, ok := p.seen[rate]; ok {
		return s
	}
	s := slice{rate: rate, least: 1, most: math.Inf(1)}
	if !math.IsInf(rate, 1) {
		for i, a := range p.admitted {
			least := a.least
			if a.len() > manyRows {
				least = a.leastAtOnce
			}
			if n, x := least(rate*(1+clockDrift), math.Inf(1)); n > s.least {
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
	for _, r := range p.rejected {
		u := usage{rate: s.rate * (1 - clockDrift), fresh: p.fresh, margin: slack}
		if !p.fresh && !math.IsInf(faster, 1) {
			u.start = r.asked.began(faster * (1 + clockDrift))
		}
		asked := p.asked
		if r.among != nil {
			asked = func(row *Row) bool { return r.among(row) && p.asked(row) }
		}
		for place, used := range u.of(r.spent, p.spends, asked) {
			if most := used - p.own + 1; most < s.most {
				s.most, s.tight = most, r.spent.row(place)
			}
		}
	}
}

// most bounds the burst from above for all rates from a slow one to a fast
// one. With a key that was fresh the slow one does; else it is not known what
// was there at moment 0, and the fast one tells the least of it.
func (p *plane) most(slow, fast float64) float64 {
	if slow == fast || p.fresh {
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

// A search for the bounds of a rate ends at a share of the rate, or after so
// many looks at all requests.
const (
	fineness  = 1e-4
	mostLooks = 240
	fewWhole  = 8
)

// manyRows is from where on admissions are counted at once, because a plane
// looks at them again and again.
const manyRows = 20_000

// search looks for the bounds of what explains the run, beginning around the
// documented rate. Whole says that a burst is a whole number if any fits.
//
// A run of millions of requests is searched by its beginning first: what does
// not explain that does not explain the whole, so that few rates are left to
// look at.
func (p *plane) search(documented float64, whole bool) region {
	rates, fine := Interval{0, math.Inf(1)}, fineness
	for _, n := range []int{beginning, 10 * beginning} {
		if 2*n > p.rows {
			break
		}
		r := p.until(n).searchIn(documented, rates, fine, whole)
		if r.empty {
			return r
		}
		rates, fine = Interval{r.low.rate, r.high.rate}, 8*fineness // little more than the clocks' difference
	}
	return p.searchIn(documented, rates, fine, whole)
}

// beginning is how many requests of a long run are looked at first.
const beginning = 20_000

// until returns a plane of the requests before the n-th, and of the
// rejections that were answered before it was sent.
func (p *plane) until(n int) *plane {
	end := p.admitted[0].from(&p.admitted[0].rows[n]) // the rows of all keys
	short := *p
	short.rows = n
	short.seen, short.bounds = map[float64]slice{}, map[[2]float64]float64{}
	short.admitted, short.rejected = make([]strand, 0, len(p.admitted)), make([]refusals, 0, len(p.rejected))
	for _, a := range p.admitted {
		short.admitted = append(short.admitted, a.before(n))
	}
	for _, r := range p.rejected {
		r.spent, r.asked = r.spent.before(n), r.asked.before(n)
		short.rejected = append(short.rejected, r)
	}
	short.asked = func(r *Row) bool { return r.Answered < end && p.asked(r) }
	return &short
}

// searchIn looks for the bounds between two rates.
func (p *plane) searchIn(documented float64, rates Interval, fine float64, whole bool) region {
	edges := []float64{rates.Low, rates.High}
	for x := 0.0; x < 20; x = max(2*x, fine) {
		for _, edge := range []float64{documented * math.Exp(x), documented * math.Exp(-x)} {
			if rates.Low < edge && edge < rates.High {
				edges = append(edges, edge)
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	low, found := p.first(edges, fine)
	if !found {
		near := p.nearest()
		return region{empty: true, low: near, high: near}
	}
	slices.Reverse(edges)
	high, _ := p.first(edges, fine)
	r := region{low: p.at(low), high: p.at(high), rates: Interval{low, high}}
	r.bursts = Interval{r.high.least, p.most(low, high)}
	if whole {
		p.wholeNumbers(&r, fine)
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
func (p *plane) first(edges []float64, fine float64) (float64, bool) {
	looks := len(p.seen) + len(p.bounds) + mostLooks
	for i := range len(edges) - 1 {
		if rate, ok := p.within(edges[i], edges[i+1], fine, looks); ok {
			return rate, true
		}
	}
	return 0, false
}

// within halves a stretch of rates, the half that comes first at first.
func (p *plane) within(from, to, fine float64, looks int) (float64, bool) {
	if !p.possible(min(from, to), max(from, to)) {
		return 0, false
	}
	far := from == 0 || to == 0 || math.IsInf(from+to, 1)
	if far || math.Abs(math.Log(to/from)) < fine/2 || len(p.seen)+len(p.bounds) > looks {
		return from, true
	}
	mid := math.Sqrt(from * to)
	if rate, ok := p.within(from, mid, fine, looks); ok {
		return rate, true
	}
	return p.within(mid, to, fine, looks)
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
func (p *plane) wholeNumbers(r *region, fine float64) {
	first, last := math.Ceil(r.bursts.Low-slack), math.Ceil(r.bursts.High)-1
	if last-first >= fewWhole || r.low.rate == 0 || math.IsInf(r.high.rate, 1) {
		return
	}
	rates := Interval{math.Inf(1), 0}
	for burst := first; burst <= last; burst++ {
		low, high := r.low.rate, r.high.rate
		slow, slowOut := bisect(low, high, fine/4, func(rate float64) bool { return p.at(rate).least > burst+slack })
		fast, fastOut := bisect(high, low, fine/4, func(rate float64) bool { return p.most(rate, high) <= burst })
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
func bisect(from, to, fine float64, out func(float64) bool) (float64, bool) {
	switch {
	case !out(from):
		return from, false
	case out(to):
		return to, true
	}
	for math.Abs(math.Log(to/from)) > fine {
		if mid := math.Sqrt(from * to); out(mid) {
			from = mid
		} else {
			to = mid
		}
	}
	return from, true
}
