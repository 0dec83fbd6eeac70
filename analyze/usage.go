package analyze

import (
	"iter"
	"math"
	"sort"
	"time"
)

// A usage tells how much of a limit's allowance may have been spent when a
// request was decided: theorem T4 of theory.md for buckets, the universal rule
// of §4.2 for windows. It never tells too little.
//
// What it tells does not depend on the capacity: where not even the rest that
// was there at moment 0 and what came since leave one request, it is infinite.
type usage struct {
	rate    float64       // what comes back per nanosecond, at the least; 0 for windows
	window  time.Duration // what may count against a request; 0 for buckets
	fresh   bool          // nothing is asked about what was there at moment 0
	start   float64       // if it is: what was there, at the least
	missing float64       // of the allowance at moment 0, at the most
	margin  float64       // what is added against rounding
}

// of tells for each asked row of a strand, in order of their answers, its
// place and the most that may have been spent at any moment at which it may
// have been decided.
//
// What may have been spent falls between the starts of requests, so only those
// and the row's own start matter. One walk along the strand finds them all:
// O(n log k) where k requests are under way at once, or in a window.
func (u usage) of(s strand, spends, asked func(*Row) bool) iter.Seq2[int, float64] {
	return func(yield func(int, float64) bool) {
		w := walk{usage: u, best: math.Inf(-1)}
		for i := 0; i < s.len(); {
			d := s.from(s.row(i))
			if !w.answer(d, yield) {
				return
			}
			first := i
			for ; i < s.len() && s.from(s.row(i)) == d; i++ {
				r := s.row(i)
				if spends(r) {
					w.begun++
					w.ends.push(ending{at: s.until(r)})
				}
				if asked(r) {
					w.open.push(ending{at: s.until(r), id: i})
				}
			}
			w.peaks.push(i-1, w.at(d)) // at the last place that begins then
			w.forget(first)
		}
		w.answer(math.MaxInt64, yield)
	}
}

// A walk is how far a usage has come along a strand.
type walk struct {
	usage
	begun int      // requests that may have been decided
	ended int      // requests of them that certainly have, or lie before the window
	ends  underway // of the others
	last  time.Duration
	ties  int      // requests that ended before the last that did
	best  float64  // largest rate·u − (ended before u) over the ends u
	peaks skyline  // what may have been spent at the moments at which requests began
	open  underway // ends of the asked rows, and their places
}

// at returns the most that may have been spent at a moment: of a bucket, the
// largest M(u, d) − r·(d − u) over all u ≤ d; of windows, M(d − W, d). Moments
// may not fall from one call to the next.
func (w *walk) at(d time.Duration) float64 {
	begun := float64(w.begun)
	if w.window > 0 {
		from := d - w.window
		for w.ends.before(from) {
			w.ends.pop()
			w.ended++
		}
		n := begun - float64(w.ended)
		if from < 0 {
			n += w.missing // before the run, anything may have been spent
		}
		return n
	}
	for w.ends.before(d) {
		end := w.ends.pop().at
		if end != w.last {
			w.last, w.ties = end, w.ended
		}
		w.best = max(w.best, w.rate*float64(end)-float64(w.ties))
		w.ended++
	}
	back := w.rate * float64(max(d, 0))
	if !w.fresh && w.start+back-begun < 1+slack {
		return math.Inf(1)
	}
	most := max(begun-float64(w.ended), w.best+begun-w.rate*float64(d)+w.margin)
	if w.missing > 0 {
		most = max(most, w.missing+begun-back)
	}
	return most
}

// answer settles the questions whose last moment has passed, as long as
// somebody listens.
func (w *walk) answer(now time.Duration, yield func(int, float64) bool) bool {
	for w.open.before(now) {
		if place := w.open.pop().id; !yield(place, w.peaks.since(place)) {
			return false
		}
	}
	return true
}

// manyPeaks is from how many on it is worth the time to look which are still
// asked for.
const manyPeaks = 1024

// forget drops what no question asks for any more.
func (w *walk) forget(place int) {
	if len(w.open) == 0 {
		w.peaks.dropBefore(place)
		return
	}
	if len(w.peaks.values) < max(manyPeaks, 2*w.peaks.kept) {
		return
	}
	oldest := place
	for _, m := range w.open {
		oldest = min(oldest, m.id)
	}
	w.peaks.dropBefore(oldest)
	w.peaks.kept = len(w.peaks.values)
}

// A skyline answers which of the numbers from some place to the last is the
// largest: it keeps those that are larger than everything behind them.
type skyline struct {
	places []int
	values []float64
	kept   int // how many were left when it was last looked at
}

func (s *skyline) push(place int, v float64) {
	for n := len(s.values); n > 0 && s.values[n-1] <= v; n = len(s.values) {
		s.places, s.values = s.places[:n-1], s.values[:n-1]
	}
	s.places, s.values = append(s.places, place), append(s.values, v)
}

// since returns the largest number at a place or behind it. There must be one.
func (s *skyline) since(place int) float64 { return s.values[sort.SearchInts(s.places, place)] }

func (s *skyline) dropBefore(place int) {
	n := sort.SearchInts(s.places, place)
	if n == 0 {
		return
	}
	s.places = append(s.places[:0], s.places[n:]...)
	s.values = append(s.values[:0], s.values[n:]...)
}

// began returns what was in a bucket at moment 0, at the least: what was
// admitted until some moment and cannot have come since.
func (s strand) began(rate float64) float64 {
	least, n, last := 0.0, 0, time.Duration(0)
	for i := range s.len() {
		if r := s.row(i); isAdmitted(*r) {
			n++
			last = max(last, r.Answered) // by then all until here are decided
			least = max(least, float64(n)-rate*float64(last))
		}
	}
	return least
}
