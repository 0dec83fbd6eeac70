package analyze

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// most returns the largest N(a, b) − rate·(b − a), and the stretch [a, b]: the
// least burst that explains the admissions at a rate (theorem T3 of theory.md). It
// stops at the first b for which this is more than enough. O(n) where no
// request overtook another, O(n log n) else.
func (s spans) most(rate, enough float64) (float64, excess) {
	if s.agreeable() {
		return s.mostInOrder(rate, enough)
	}
	return s.mostInAnyOrder(rate, enough)
}

// mostInOrder is the linear test for intervals in one order: the earliest
// possible schedule of intervals i to j fails if, and only if, the count from
// the start of i to the end of j is too large.
func (s spans) mostInOrder(rate, enough float64) (float64, excess) {
	most, x := 0.0, excess{}
	best, at := math.Inf(-1), 0
	for j := range s.len() {
		if v := rate*float64(s.from[j]) - float64(j); v > best {
			best, at = v, j
		}
		if v := float64(j+1) + best - rate*float64(s.to[j]); v > most {
			most, x = v, excess{s.from[at], s.to[j]}
			if v > enough {
				break
			}
		}
	}
	return most, x
}

// mostInAnyOrder sweeps the ends; marking a span when it has ended leaves
// those that lie in [a, b] for every start a.
func (s spans) mostInAnyOrder(rate, enough float64) (float64, excess) {
	most, x := 0.0, excess{}
	order := s.orderOfEnds()
	t := newStarts(s, rate)
	for k, i := range order {
		t.mark(int(i))
		if k+1 < len(order) && s.to[order[k+1]] == s.to[i] {
			continue // the last of those that end together has them all
		}
		if v := t.max() - rate*float64(s.to[i]); v > most {
			most, x = v, excess{s.from[t.where()], s.to[i]}
			if v > enough {
				break
			}
		}
	}
	return most, x
}

// orderOfEnds returns the spans in order of their ends.
func (s spans) orderOfEnds() []uint32 {
	order := make([]uint32, s.len())
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(s.to[a], s.to[b]), cmp.Compare(a, b))
	})
	return order
}

// Starts answer, while spans are marked one by one, the largest
// count(a) + rate·a over the starts a of marked spans, count(a) being how many
// of the marked ones start at a or later. Marking takes O(log n), the answer
// none. 64 places share a leaf, so it needs a few bits for each span.
type starts struct {
	spans  spans
	rate   float64 // per nanosecond
	marked []uint64
	leaves int
	count  []int32   // marked in each subtree
	best   []float64 // of each subtree, as if nothing were marked behind it
}

func newStarts(s spans, rate float64) *starts {
	words := (s.len() + 63) / 64
	leaves := 1
	for leaves < words {
		leaves *= 2
	}
	t := &starts{spans: s, rate: rate, marked: make([]uint64, words), leaves: leaves, count: make([]int32, 2*leaves), best: make([]float64, 2*leaves)}
	for i := range t.best {
		t.best[i] = math.Inf(-1)
	}
	return t
}

// mark adds the span at a place.
func (t *starts) mark(place int) {
	word := place / 64
	t.marked[word] |= 1 << (place % 64)
	node := t.leaves + word
	t.count[node]++
	t.best[node] = t.scan(word)
	for node /= 2; node > 0; node /= 2 {
		t.count[node] = t.count[2*node] + t.count[2*node+1]
		t.best[node] = max(t.best[2*node]+float64(t.count[2*node+1]), t.best[2*node+1])
	}
}

// scan looks at each marked place of a leaf, the last first.
func (t *starts) scan(word int) float64 {
	best, n := math.Inf(-1), 0.0
	for rest := t.marked[word]; rest != 0; {
		bit := 63 - bits.LeadingZeros64(rest)
		rest &^= 1 << bit
		n++
		best = max(best, n+t.rate*float64(t.spans.from[64*word+bit]))
	}
	return best
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
	word := node - t.leaves
	best, at, n := math.Inf(-1), 0, 0.0
	for rest := t.marked[word]; rest != 0; {
		bit := 63 - bits.LeadingZeros64(rest)
		rest &^= 1 << bit
		n++
		if v := n + t.rate*float64(t.spans.from[64*word+bit]); v > best {
			best, at = v, 64*word+bit
		}
	}
	return at
}
