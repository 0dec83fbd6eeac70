package analyze

import (
	"math"
	"math/bits"
)

// A tree holds a number at each place, adds to all places below one, and knows
// the largest number among those. Each step takes O(log n).
type tree struct {
	n     int
	best  []float64 // of each subtree, with what was added to it as a whole
	added []float64 // to the subtree as a whole
	place []int32   // of the best
}

// newTree returns a tree of numbers, one at least.
func newTree(n int, number func(int) float64) *tree {
	t := &tree{n: n, best: make([]float64, 4*n), added: make([]float64, 4*n), place: make([]int32, 4*n)}
	t.build(1, 0, n, number)
	return t
}

func (t *tree) build(node, from, to int, number func(int) float64) {
	if to-from == 1 {
		t.best[node], t.place[node] = number(from), int32(from)
		return
	}
	mid := (from + to) / 2
	t.build(2*node, from, mid, number)
	t.build(2*node+1, mid, to, number)
	t.pull(node)
}

func (t *tree) pull(node int) {
	child := 2 * node
	if t.best[child+1] > t.best[child] {
		child++
	}
	t.best[node], t.place[node] = t.best[child]+t.added[node], t.place[child]
}

// add adds v to all places below one.
func (t *tree) add(below int, v float64) { t.addIn(1, 0, t.n, below, v) }

func (t *tree) addIn(node, from, to, below int, v float64) {
	switch {
	case below <= from:
	case below >= to:
		t.best[node] += v
		t.added[node] += v
	default:
		mid := (from + to) / 2
		t.addIn(2*node, from, mid, below, v)
		t.addIn(2*node+1, mid, to, below, v)
		t.pull(node)
	}
}

// max returns the largest number below a place, and where it is. There is none
// below place 0.
func (t *tree) max(below int) (place int, v float64) { return t.maxIn(1, 0, t.n, below) }

func (t *tree) maxIn(node, from, to, below int) (int, float64) {
	switch {
	case below <= from:
		return -1, math.Inf(-1)
	case below >= to:
		return int(t.place[node]), t.best[node]
	}
	mid := (from + to) / 2
	place, v := t.maxIn(2*node, from, mid, below)
	if p, w := t.maxIn(2*node+1, mid, to, below); w > v {
		place, v = p, w
	}
	return place, v + t.added[node]
}

// A fenwick counts at places, and sums the counts before one.
type fenwick []int32

func (f fenwick) add(place int) {
	for i := place + 1; i < len(f); i += i & -i {
		f[i]++
	}
}

// sum counts what was added at places below one.
func (f fenwick) sum(place int) int {
	n := 0
	for i := place; i > 0; i -= i & -i {
		n += int(f[i])
	}
	return n
}

// A rangeMax knows the largest of any numbers that stand side by side, in O(1)
// after O(n log n).
type rangeMax [][]float64

func newRangeMax(numbers []float64) rangeMax {
	r := rangeMax{numbers}
	for width := 1; 2*width <= len(numbers); width *= 2 {
		last := r[len(r)-1]
		next := make([]float64, len(numbers)-2*width+1)
		for i := range next {
			next[i] = max(last[i], last[i+width])
		}
		r = append(r, next)
	}
	return r
}

// max returns the largest number from one place to below another; -Inf if
// there is none.
func (r rangeMax) max(from, below int) float64 {
	if from >= below {
		return math.Inf(-1)
	}
	level := bits.Len(uint(below-from)) - 1
	return max(r[level][from], r[level][below-(1<<level)])
}
