package analyze

import (
	"math"
	"slices"
	"time"

	"github.com/montanaflynn/stats"
)

// A sample is a multitude of durations that can be asked for exact percentiles.
// It takes four bytes for each that is below 4.29 s: there may be ten million.
type sample struct {
	parts [][]uint32 // nanoseconds; parts never move, so growing costs no copy
	long  []time.Duration
	n     int
	sum   float64
	max   time.Duration
	order ranks // of the first so many, as they were when they were last asked for
}

const partSize = 1 << 14

func (s *sample) add(d time.Duration) {
	d = max(d, 0) // a clock's step can make a moment look earlier than its cause
	s.n++
	s.sum += float64(d)
	s.max = max(s.max, d)
	if d > math.MaxUint32 {
		s.long = append(s.long, d)
		return
	}
	last := len(s.parts) - 1
	if last < 0 || len(s.parts[last]) == cap(s.parts[last]) {
		size := partSize
		if last < 0 {
			size = 64 // most samples are small
		}
		s.parts = append(s.parts, make([]uint32, 0, size))
		last++
	}
	s.parts[last] = append(s.parts[last], uint32(d))
}

func (s *sample) mean() time.Duration {
	if s.n == 0 {
		return 0
	}
	return time.Duration(s.sum / float64(s.n))
}

// sorted returns the sample in rising order.
func (s *sample) sorted() ranks {
	if s.order.len() == s.n {
		return s.order
	}
	r := ranks{short: make([]uint32, 0, s.n-len(s.long)), long: slices.Clone(s.long)}
	for _, part := range s.parts {
		r.short = append(r.short, part...)
	}
	slices.Sort(r.short)
	slices.Sort(r.long)
	s.parts, s.order = [][]uint32{r.short}, r // full, so that nothing is added to it
	return r
}

// Ranks are durations in rising order: the long ones follow the short ones.
type ranks struct {
	short []uint32
	long  []time.Duration
}

func (r ranks) len() int { return len(r.short) + len(r.long) }

func (r ranks) at(i int) time.Duration {
	if i < len(r.short) {
		return time.Duration(r.short[i])
	}
	return r.long[i-len(r.short)]
}

// librarySize is up to how many values the percentiles come from package
// stats, which copies and sorts the values for every question.
const librarySize = 2048

// percentile returns a percentile by nearest rank: the smallest value that at
// least p % of the values do not exceed, which is always one of them. p is
// above 0 and at most 100. Without values it returns 0.
//
// The definition is stats.PercentileNearestRank's, down to the rounding of the
// rank; samples that are too large for it are looked up here.
func (r ranks) percentile(p float64) time.Duration {
	n := r.len()
	if n == 0 {
		return 0
	}
	if n > librarySize {
		return r.at(rank(n, p) - 1)
	}
	data := make(stats.Float64Data, n)
	for i := range data {
		data[i] = float64(r.at(i))
	}
	value, err := stats.PercentileNearestRank(data, p)
	if err != nil {
		panic(err) // there is data, and every p in use is between 0 and 100
	}
	return time.Duration(value)
}

// rank is the place, from 1, of a percentile among n values.
func rank(n int, p float64) int {
	if p >= 100 {
		return n
	}
	return max(1, int(math.Ceil(float64(n)*p/100)))
}

// over counts the values above a duration.
func (r ranks) over(d time.Duration) int {
	i := 0
	if d <= math.MaxUint32 {
		i, _ = slices.BinarySearch(r.short, uint32(max(d, 0)))
		for i < len(r.short) && time.Duration(r.short[i]) == d {
			i++
		}
		return r.len() - i
	}
	i, _ = slices.BinarySearch(r.long, d+1)
	return len(r.long) - i
}
