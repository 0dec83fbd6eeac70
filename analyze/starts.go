package analyze

import (
	"cmp"
	"math"
	"slices"
	"time"

	"duckload/history"
)

// least returns the largest N(a, b) − rate·(b − a), and the stretch [a, b]: the
// least burst that explains the admissions of a strand at a rate (theorem T3 of
// theory.md). It stops at the first b for which this is more than enough. O(n)
// where no request overtook another, O(n log n) else.
func (s strand) least(rate, enough float64) (float64, excess) {
	if s.inOrder() {
		return s.leastAtOnce(rate, enough)
	}
	return s.leastInAnyOrder(rate, enough)
}

// most is least for the spans of admitted requests.
func (s spans) most(rate, enough float64) (float64, excess) {
	if s.len() == 0 {
		return 0, excess{}
	}
	row := s.row(0)
	return strand{rows: s.rows, at: s.place, lag: row.Sent - s.from[0], reach: s.reach}.least(rate, enough)
}

// orderOfEnds returns the spans in order of their ends.
func (s spans) orderOfEnds() []uint32 {
	if s.order != nil {
		return s.order
	}
	order := make([]uint32, s.len())
	for i := range order {
		order[i] = uint32(i)
	}
	if s.agreeable() {
		return order
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(s.to[a], s.to[b]), cmp.Compare(a, b))
	})
	return order
}

// inOrder reports whether the admitted requests end in the order in which they
// begin.
func (s strand) inOrder() bool {
	var last time.Duration
	for i := range s.len() {
		if r := s.row(i); isAdmitted(*r) {
			if s.until(r) < last {
				return false
			}
			last = s.until(r)
		}
	}
	return true
}

// leastAtOnce counts those that ended by b, less those that began before a.
// That is N(a, b) unless a request was under way all through [a, b], and never
// more, so it proves as much where no request overtook another, and little less
// where many did. O(n log k) where k requests are under way at once.
func (s strand) leastAtOnce(rate, enough float64) (float64, excess) {
	most, x := 0.0, excess{}
	best, from, n, begun := math.Inf(-1), time.Duration(0), 0.0, 0
	var open underway
	end := func() {
		for !isAdmitted(*s.row(begun)) {
			begun++
		}
		start := s.from(s.row(begun))
		if v := rate*float64(start) - n; v > best {
			best, from = v, start
		}
		begun++
		n++
		to := open.pop().at
		if v := n + best - rate*float64(to); v > most {
			most, x = v, excess{from, to}
		}
	}
	s.ends(&open, end, func() bool { return most > enough })
	return most, x
}

// leastInAnyOrder walks along the ends; marking a request when it has ended
// leaves those that lie in [a, b] for every start a.
func (s strand) leastInAnyOrder(rate, enough float64) (float64, excess) {
	most, x := 0.0, excess{}
	t := newStarts(s, rate)
	var open underway
	s.ends(&open, func() {
		m := open.pop()
		t.mark(m.id)
		if v := t.max() - rate*float64(m.at); v > most {
			most, x = v, excess{s.from(s.row(t.where())), m.at}
		}
	}, func() bool { return most > enough })
	return most, x
}

// ends calls end for each end of an admitted request, in their order, until
// that was enough.
func (s strand) ends(open *underway, end func(), enough func() bool) {
	for i := range s.len() {
		r := s.row(i)
		if !isAdmitted(*r) {
			continue
		}
		for open.before(r.Sent) {
			if end(); enough() {
				return
			}
		}
		open.push(ending{s.until(r), i})
	}
	for len(*open) > 0 && !enough() {
		end()
	}
}

// Starts answer, while admitted requests of a strand are marked one by one, the
// largest count(a) + rate·a over the starts a of marked ones, count(a) being how
// many of the marked ones start at a or later.
//
// Most requests are answered soon after those before them. Of a start before
// which everything is marked, all later marks count alike, so only the best of
// those is kept; the others, which overtook somebody, are few and are looked at
// one by one. Where somebody is overtaken by very many, a tree takes over.
type starts struct {
	strand strand
	rate   float64 // per nanosecond
	marked int

	settled int        // every request at a place before this one is marked, or never will be
	before  int        // how many those are
	best    float64    // largest rate·start − (marked before it) of those
	place   int        // where that is
	ahead   []start    // marked at later places, in their order
	room    int        // for how many of those
	tree    *startTree // if there were more

	most float64
	at   int // a place of the largest value
}

// A start is the beginning of a marked request, times the rate.
type start struct {
	place int
	value float64
}

// mostAhead is how many requests may have overtaken one before a tree takes
// over: looking at each of them takes as long as its log n then.
const mostAhead = 64

func newStarts(s strand, rate float64) *starts {
	return &starts{strand: s, rate: rate, room: mostAhead, best: math.Inf(-1), most: math.Inf(-1)}
}

// mark adds the admitted request at a place.
func (t *starts) mark(place int) {
	t.marked++
	if t.tree != nil {
		t.tree.mark(place)
		t.most = t.tree.max()
		return
	}
	i := len(t.ahead)
	for i > 0 && t.ahead[i-1].place > place {
		i--
	}
	t.ahead = slices.Insert(t.ahead, i, start{place, t.rate * float64(t.strand.from(t.strand.row(place)))})
	t.settle()
	if len(t.ahead) > t.room {
		t.plant()
		return
	}
	most := t.best
	t.at = t.place
	for i, s := range t.ahead {
		if v := s.value - float64(t.before+i); v >= most {
			most, t.at = v, s.place
		}
	}
	t.most = most + float64(t.marked)
}

// settle goes on to the first admitted request that is not marked.
func (t *starts) settle() {
	n := 0
	for ; t.settled < t.strand.len(); t.settled++ {
		if n < len(t.ahead) && t.ahead[n].place == t.settled {
			if v := t.ahead[n].value - float64(t.before); v >= t.best {
				t.best, t.place = v, t.settled
			}
			t.before++
			n++
		} else if t.ends(t.settled) {
			break
		}
	}
	t.ahead = slices.Delete(t.ahead, 0, n)
}

// ends reports whether the request at a place is marked some time.
func (t *starts) ends(place int) bool {
	r := t.strand.row(place)
	return isAdmitted(*r) && t.strand.until(r) != history.Never
}

// plant puts everything that is marked into a tree.
func (t *starts) plant() {
	t.tree = newStartTree(t.strand, t.rate)
	for place := range t.settled {
		if t.ends(place) {
			t.tree.put(place)
		}
	}
	for _, s := range t.ahead {
		t.tree.put(s.place)
	}
	t.tree.grow()
	t.most, t.ahead = t.tree.max(), nil
}

// max returns the largest value.
func (t *starts) max() float64 { return t.most }

// where returns a place of the largest value. Something must be marked.
func (t *starts) where() int {
	if t.tree != nil {
		return t.tree.where()
	}
	return t.at
}
