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
	order ranks // of the first so many, as they were when it was last asked for
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

// sorted returns the sample in rising order. It stays so if more is added.
func (s *sample) sorted() ranks {
	if s.order.len() == s.n {
		return s.order
	}
	if len(s.parts) > 1 && s.n <= partSize {
		s.parts = [][]uint32{slices.Concat(s.parts...)} // quicker to look up
	}
	for i, part := range s.parts {
		slices.Sort(part)
		s.parts[i] = slices.Clip(part) // nothing is added to it
	}
	r := ranks{parts: slices.Clone(s.parts), n: s.n, long: slices.Clone(s.long)}
	slices.Sort(r.long)
	s.order = r
	return r
}

// Ranks are durations that can be asked for the i-th smallest. The short ones
// lie in parts, each in rising order, because one order of ten million would
// take as much memory again.
type ranks struct {
	parts [][]uint32
	long  []time.Duration // in rising order; they follow the short ones
	n     int
}

func (r ranks) len() int { return r.n }

// at returns the i-th smallest value, from 0.
func (r ranks) at(i int) time.Duration {
	short := r.n - len(r.long)
	switch {
	case i >= short:
		return r.long[i-short]
	case len(r.parts) == 1:
		return time.Duration(r.parts[0][i])
	}
	return time.Duration(nth(slices.Clone(r.parts), i))
}

// nth returns the i-th smallest value, from 0, of parts that are in order. It
// settles one bit of the value after the other, and cuts off what has another.
func nth(parts [][]uint32, i int) uint32 {
	var value uint32
	cuts := make([]int, len(parts))
	for bit := uint32(1 << 31); bit > 0; bit >>= 1 {
		below := 0
		for k, part := range parts {
			cuts[k], _ = slices.BinarySearch(part, value|bit)
			below += cuts[k]
		}
		if i >= below {
			i -= below
			value |= bit
		}
		for k, part := range parts {
			if value&bit != 0 {
				parts[k] = part[cuts[k]:]
			} else {
				parts[k] = part[:cuts[k]]
			}
		}
	}
	return value
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
	i, _ := slices.BinarySearch(r.long, d+1)
	n := len(r.long) - i
	if d >= math.MaxUint32 {
		return n
	}
	for _, part := range r.parts {
		i, _ := slices.BinarySearch(part, uint32(max(d+1, 0)))
		n += len(part) - i
	}
	return n
}
