package analyze

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"
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
	return strand{rows: s.rows, at: s.place, lag: row.Sent - s.from[0]}.least(rate, enough)
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
			if r.Answered < last {
				return false
			}
			last = r.Answered
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
		open.push(ending{r.Answered, i})
	}
	for len(*open) > 0 && !enough() {
		end()
	}
}

// Starts answer, while requests of a strand are marked one by one, the largest
// count(a) + rate·a over the starts a of marked ones, count(a) being how many
// of the marked ones start at a or later. Marking takes O(log n), the answer
// none. 64 places share a leaf, so it needs a few bits for each.
type starts struct {
	strand strand
	rate   float64 // per nanosecond
	marked []uint64
	leaves int
	count  []int32   // marked in each subtree
	best   []float64 // of each subtree, as if nothing were marked behind it
}

func newStarts(s strand, rate float64) *starts {
	words := (s.len() + 63) / 64
	leaves := 1
	for leaves < words {
		leaves *= 2
	}
	t := &starts{strand: s, rate: rate, marked: make([]uint64, words), leaves: leaves, count: make([]int32, 2*leaves), best: make([]float64, 2*leaves)}
	for i := range t.best {
		t.best[i] = math.Inf(-1)
	}
	return t
}

// mark adds the request at a place.
func (t *starts) mark(place int) {
	word := place / 64
	t.marked[word] |= 1 << (place % 64)
	node := t.leaves + word
	t.count[node]++
	t.best[node], _ = t.scan(word)
	for node /= 2; node > 0; node /= 2 {
		t.count[node] = t.count[2*node] + t.count[2*node+1]
		t.best[node] = max(t.best[2*node]+float64(t.count[2*node+1]), t.best[2*node+1])
	}
}

// scan looks at each marked place of a leaf, the last first.
func (t *starts) scan(word int) (best float64, place int) {
	best = math.Inf(-1)
	n := 0.0
	for rest := t.marked[word]; rest != 0; {
		bit := 63 - bits.LeadingZeros64(rest)
		rest &^= 1 << bit
		n++
		if v := n + t.rate*float64(t.strand.from(t.strand.row(64*word+bit))); v > best {
			best, place = v, 64*word+bit
		}
	}
	return best, place
}

// max returns the largest value.
func (t *starts) max() float64 { return t.best[1] }

// where returns a place of the largest value. Something must be marked.
func (t *starts) where() int {
	node := 1
	for node < t.leaves {
		node *= 2
		if t.best[node+1] >= t.best[node]+float64(t.count[node+1]) {
			node++
		}
	}
	_, place := t.scan(node - t.leaves)
	return place
}
