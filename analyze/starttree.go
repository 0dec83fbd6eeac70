package analyze

import (
	"math"
	"math/bits"
)

// A startTree answers what [starts] do where many requests were overtaken by
// many. Marking takes O(log n), the answer none. 64 places share a leaf, so it
// needs a few bits for each.
type startTree struct {
	strand strand
	rate   float64 // per nanosecond
	marked []uint64
	leaves int
	count  []int32   // marked in each subtree
	best   []float64 // of each subtree, as if nothing were marked behind it
}

func newStartTree(s strand, rate float64) *startTree {
	words := (s.len() + 63) / 64
	leaves := 1
	for leaves < words {
		leaves *= 2
	}
	t := &startTree{strand: s, rate: rate, marked: make([]uint64, words), leaves: leaves, count: make([]int32, 2*leaves), best: make([]float64, 2*leaves)}
	for i := range t.best {
		t.best[i] = math.Inf(-1)
	}
	return t
}

// put adds the request at a place to its leaf alone: grow follows.
func (t *startTree) put(place int) { t.marked[place/64] |= 1 << (place % 64) }

// grow sums up what was put.
func (t *startTree) grow() {
	for word, set := range t.marked {
		t.count[t.leaves+word] = int32(bits.OnesCount64(set))
		t.best[t.leaves+word], _ = t.scan(word)
	}
	for node := t.leaves - 1; node > 0; node-- {
		t.sum(node)
	}
}

// mark adds the request at a place.
func (t *startTree) mark(place int) {
	word := place / 64
	t.put(place)
	node := t.leaves + word
	t.count[node]++
	t.best[node], _ = t.scan(word)
	for node /= 2; node > 0; node /= 2 {
		t.sum(node)
	}
}

func (t *startTree) sum(node int) {
	t.count[node] = t.count[2*node] + t.count[2*node+1]
	t.best[node] = max(t.best[2*node]+float64(t.count[2*node+1]), t.best[2*node+1])
}

// scan looks at each marked place of a leaf, the last first.
func (t *startTree) scan(word int) (best float64, place int) {
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
func (t *startTree) max() float64 { return t.best[1] }

// where returns a place of the largest value. Something must be marked.
func (t *startTree) where() int {
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
