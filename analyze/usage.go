package analyze

import (
	"math"
	"sort"
	"time"
)

// A usage tells how much of a bucket's allowance may have been spent when a
// request was decided: theorem T4 of theory.md. It never tells too little.
//
// What it tells does not depend on the capacity: where not even the rest that
// was there at moment 0 and what came since leave one request, it is infinite.
type usage struct {
	rate  float64 // what comes back per nanosecond, at the least
	fresh bool    // the allowance was whole at moment 0
	start float64 // if not: what was there at moment 0, at the least
}

// of tells for each asked row of a strand, in order of their answers, the most
// that may have been spent at any moment at which it may have been decided.
//
// What may have been spent falls between the starts of requests, so only those
// and the row's own start matter. One walk along the strand finds them all:
// O(n log k) where k requests are under way at once.
func (u usage) of(s strand, spends, asked func(*Row) bool, tell func(place int, most float64)) {
	w := walk{usage: u, best: math.Inf(-1)}
	for i := 0; i < s.len(); {
		d := s.from(s.row(i))
		w.answer(d, tell)
		first := i
		for ; i < s.len() && s.from(s.row(i)) == d; i++ {
			if r := s.row(i); spends(r) {
				w.begun++
				w.ends.push(ending{at: r.Answered})
			}
		}
		w.peaks.push(w.groups, w.at(d))
		for k := first; k < i; k++ {
			if r := s.row(k); asked(r) {
				w.open.push(ending{at: r.Answered, id: len(w.asked)})
				w.asked = append(w.asked, question{place: k, since: w.groups})
			}
		}
		w.groups++
		w.forget()
	}
	w.answer(math.MaxInt64, tell)
}

// A walk is how far a usage has come along a strand.
type walk struct {
	usage
	begun  int      // requests that may have been decided
	ended  int      // requests of them that certainly have
	ends   underway // of the others
	last   time.Duration
	ties   int      // requests that ended before the last that did
	best   float64  // largest rate·u − (ended before u) over the ends u
	groups int      // moments at which requests began
	peaks  skyline  // what may have been spent at them
	open   underway // ends of the asked rows
	asked  []question
	done   int // questions that are answered
}

// A question is a row that waits for its last possible moment.
type question struct{ place, since int }

// at returns the most that may have been spent at a moment: the largest
// M(u, d) − r·(d − u) over all u ≤ d. Counts are exact, and what was rounded
// is rounded up.
func (w *walk) at(d time.Duration) float64 {
	for w.ends.before(d) {
		end := w.ends.pop().at
		if end != w.last {
			w.last, w.ties = end, w.ended
		}
		w.best = max(w.best, w.rate*float64(end)-float64(w.ties))
		w.ended++
	}
	begun := float64(w.begun)
	if !w.fresh && w.start+w.rate*float64(max(d, 0))-begun < 1+slack {
		return math.Inf(1)
	}
	return max(begun-float64(w.ended), w.best+begun-w.rate*float64(d)+slack)
}

// answer settles the questions whose last moment has passed.
func (w *walk) answer(now time.Duration, tell func(int, float64)) {
	for w.open.before(now) {
		q := w.asked[w.open.pop().id]
		tell(q.place, w.peaks.since(q.since))
		w.done++
	}
}

// forget drops what no question asks for any more.
func (w *walk) forget() {
	if len(w.open) == 0 {
		w.asked, w.done = w.asked[:0], 0
		w.peaks.dropBefore(w.groups)
		return
	}
	if w.done < 1024 || 2*w.done < len(w.asked) {
		return
	}
	oldest := w.groups
	kept := make([]question, 0, len(w.open))
	for i, m := range w.open {
		kept = append(kept, w.asked[m.id])
		oldest = min(oldest, kept[i].since)
		w.open[i].id = i
	}
	w.asked, w.done = kept, 0
	w.peaks.dropBefore(oldest)
}

// A skyline answers which of the numbers from some place to the last is the
// largest: it keeps those that are larger than everything behind them.
type skyline struct {
	places []int
	values []float64
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
