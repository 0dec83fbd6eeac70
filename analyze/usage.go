package analyze

import (
	"math"
	"slices"
	"time"
)

// A usage answers how much of a limit's allowance may have been spent when a
// request was decided: theorem T4 of theory.md for buckets, the universal rule
// of §4.2 for windows. It never answers too little.
//
// The answer does not depend on the capacity: where not even the rest that was
// there at moment 0 and what came since leave something, it is infinite.
type usage struct {
	rate   float64       // of a bucket: what comes back per nanosecond, at the least
	step   time.Duration // of a stepped bucket: the longest time between two steps
	each   float64       // and what comes at each, at the least
	window time.Duration // of a window: how long a request may count, at the most
	fresh  bool          // the allowance was whole at moment 0
	start  float64       // of a bucket, if not: what was there at moment 0, at the least
}

// used tells for each span of asked, which must be decisive, the most that may
// have been spent at any moment of it. The spans of spent must have their ends.
//
// What may have been spent falls between the starts of spans, so only those
// and the start of the asked one matter. Decisive spans begin and end in one
// order, so the largest of a moving stretch of starts is asked for. O(n).
func (r usage) used(spent, asked spans, tell func(i int, most float64)) {
	own, peaks := r.sweep(spent), r.sweep(spent)
	var places []int // of starts that are higher than every later one, and how high they are
	var values []float64
	next, first := 0, 0
	for i, from := range asked.from {
		for ; next < spent.len() && spent.from[next] <= asked.to[i]; next++ {
			v := peaks.at(spent.from[next])
			for len(values) > first && values[len(values)-1] <= v {
				places, values = places[:len(places)-1], values[:len(values)-1]
			}
			places, values = append(places, next), append(values, v)
		}
		for first < len(places) && spent.from[places[first]] <= from {
			first++
		}
		most := own.at(from)
		if first < len(places) {
			most = max(most, values[first])
		} else {
			places, values, first = places[:0], values[:0], 0
		}
		tell(i, most)
	}
}

// decisive returns those rejections that say more than every other: between
// the starts of what may have spent allowance less and less of it is gone, so
// of two rejections the later one says more, unless more such starts lie
// before its end. That leaves no more of them than there are starts, and one.
func (s spans) decisive(spent spans) spans {
	var left []int
	ends := math.MaxInt // starts before the end of the first one left
	for i := s.len() - 1; i >= 0; i-- {
		if n := spent.begun(s.to[i]); n < ends {
			left, ends = append(left, i), n
		}
	}
	slices.Reverse(left)
	d := spans{rows: s.rows, place: make([]uint32, len(left)), from: make([]time.Duration, len(left)), to: make([]time.Duration, len(left))}
	for k, i := range left {
		d.place[k], d.from[k], d.to[k] = s.place[i], s.from[i], s.to[i]
	}
	d.ends = d.to
	return d
}

// A sweep moves through time and knows what may have been spent.
type sweep struct {
	usage
	spans spans
	begun int     // spans that begin at the moment or before
	ended int     // spans that end before it
	open  int     // spans that end at it or before
	ties  int     // spans that end before the last of those
	best  float64 // largest rate·u − (ended before u) over the ends u until the moment
	old   []sweep // of a stepped bucket: the ends before each of the last steps
}

// steps is how many steps of a bucket are counted one by one; before them one
// step less is taken than the time suggests.
const steps = 4

func (r usage) sweep(s spans) *sweep {
	if r.step > 0 {
		r.rate = r.each / float64(r.step)
	}
	w := &sweep{usage: r, spans: s, best: math.Inf(-1)}
	if r.step > 0 {
		w.old = make([]sweep, steps)
		for i := range w.old {
			w.old[i] = sweep{usage: r, spans: s, best: math.Inf(-1)}
		}
	}
	return w
}

// past counts the ends until a moment, which is never earlier than the last.
func (w *sweep) past(d time.Duration) {
	ends := w.spans.ends
	for ; w.open < len(ends) && ends[w.open] <= d; w.open++ {
		if w.open > 0 && ends[w.open] != ends[w.open-1] {
			w.ties = w.open
		}
		w.best = max(w.best, w.rate*float64(ends[w.open])-float64(w.ties))
	}
	for w.ended < len(ends) && ends[w.ended] < d {
		w.ended++
	}
}

// at returns the most that may have been spent at a moment, which is never
// earlier than the last: of a bucket, the largest M(u, d) − r·(d − u) over all
// u ≤ d; of windows, M(d − W, d). Counts are exact, and what was rounded is
// rounded up.
func (w *sweep) at(d time.Duration) float64 {
	for w.begun < w.spans.len() && w.spans.from[w.begun] <= d {
		w.begun++
	}
	begun := float64(w.begun)
	switch {
	case w.window > 0:
		if d < w.window && !w.fresh {
			return math.Inf(1) // who knows what was sent before moment 0
		}
		w.past(d - w.window)
		return begun - float64(w.ended)
	case w.step > 0:
		return w.stepped(d, begun)
	}
	if !w.fresh && w.start+w.rate*float64(max(d, 0))-begun < 1+slack {
		return math.Inf(1)
	}
	w.past(d)
	return max(begun-float64(w.ended), w.best+begun-w.rate*float64(d)+slack)
}

// stepped counts steps: in more than k times the longest wait for one, k of
// them have come for certain.
func (w *sweep) stepped(d time.Duration, begun float64) float64 {
	if came := float64(max(d, 0)/w.step) * w.each; !w.fresh && w.start+came-begun < 1+slack {
		return math.Inf(1)
	}
	most := math.Inf(-1)
	for k := range w.old {
		o := &w.old[k]
		o.past(d - time.Duration(k+1)*w.step)
		most = max(most, begun-float64(o.ended)-float64(k)*w.each)
	}
	return max(most, w.old[steps-1].best+begun-w.rate*float64(d)+w.each+slack)
}

// began returns what was in a bucket at moment 0, at the least: what was
// admitted until some moment and cannot have come since.
func (s spans) began(rate float64) float64 {
	least, last := 0.0, time.Duration(0)
	for i, to := range s.to {
		last = max(last, to) // by then all until i are decided
		least = max(least, float64(i+1)-rate*float64(last))
	}
	return least
}
