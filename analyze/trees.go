package analyze

import (
	"math"
	"math/bits"
	"slices"
)

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

// A rangeMax knows the largest of any numbers that stand side by side. Beside
// the numbers it needs little memory: blocks of them share an entry, and what
// is no whole block is looked at one by one.
type rangeMax struct {
	numbers []float64
	blocks  [][]float64 // largest of 1, 2, 4, … blocks from each block on
}

const blockSize = 64

func newRangeMax(numbers []float64) rangeMax {
	r := rangeMax{numbers: numbers}
	var level []float64
	for block := range slices.Chunk(numbers, blockSize) {
		level = append(level, slices.Max(block))
	}
	for width := 1; len(level) > 0; width *= 2 {
		r.blocks = append(r.blocks, level)
		next := make([]float64, max(0, len(level)-width))
		for i := range next {
			next[i] = max(level[i], level[i+width])
		}
		level = next
	}
	return r
}

// max returns the largest number from one place to below another; -Inf if
// there is none.
func (r rangeMax) max(from, below int) float64 {
	most := math.Inf(-1)
	first, last := (from+blockSize-1)/blockSize, below/blockSize
	if first >= last {
		for _, v := range r.numbers[min(from, below):below] {
			most = max(most, v)
		}
		return most
	}
	level := bits.Len(uint(last-first)) - 1
	most = max(r.blocks[level][first], r.blocks[level][last-(1<<level)])
	for _, v := range r.numbers[from : first*blockSize] {
		most = max(most, v)
	}
	for _, v := range r.numbers[last*blockSize : below] {
		most = max(most, v)
	}
	return most
}
