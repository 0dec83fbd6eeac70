package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A tick is a place on an axis and what it says.
type tick struct {
	Value float64
	Label string
}

// root keeps the sign and takes the square root: the scale of counts.
func root(x float64) float64 { return math.Copysign(math.Sqrt(math.Abs(x)), x) }

// logOf places a latency on its axis; nothing is faster than 100 ns.
func logOf(d time.Duration) float64 { return math.Log10(max(float64(d), 100)) }

// nine places a percentile on its axis: 90 at 1, 99 at 2. The greatest of n
// values stands in the middle of the last n-th.
func nine(percentile float64, n int) float64 {
	return -math.Log10(max(1-percentile/100, 0.5/float64(max(n, 1))))
}

// timeTicks divides a part of a run into at most so many round stretches.
func timeTicks(begin, end time.Duration, most int) []tick {
	step := time.Duration(1)
	for _, s := range []time.Duration{
		time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
		1 * time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	} {
		if step = s; (end-begin)/s <= time.Duration(max(most, 1)) {
			break
		}
	}
	for (end-begin)/step > time.Duration(max(most, 1)) {
		step *= 2
	}
	var all []tick
	for at := (begin + step - 1) / step * step; at <= end; at += step {
		label := "0 s"
		if at > 0 {
			label = bare(length(at))
		}
		all = append(all, tick{at.Seconds(), label})
	}
	return all
}

// bare leaves out what is nothing: "20 s", "1m", "2h".
func bare(s string) string {
	s = strings.Replace(s, ".0 ", " ", 1)
	if minutes, ok := strings.CutSuffix(s, "m00s"); ok {
		return minutes + "m"
	}
	if hours, ok := strings.CutSuffix(s, "h00m"); ok {
		return hours + "h"
	}
	return s
}

// countTicks are round counts above and below zero that do not crowd. The
// greatest matter most: they say how far the picture reaches.
func countTicks(low, high float64) []tick {
	all := []tick{{0, "0"}}
	apart := (high - low) / 10
	for _, end := range []float64{high, low} {
		before := math.Inf(1)
		for decade := 1e12; decade >= 1; decade /= 10 {
			for _, digit := range []float64{5, 2, 1} {
				n := digit * decade
				y := root(n)
				if y <= math.Abs(end) && before-y >= apart && y >= apart {
					before = y
					all = append(all, tick{math.Copysign(y, end), thousands(int(n))})
				}
			}
		}
	}
	return all
}

// percentileTicks are 50 %, 90 %, 99 %, 99.9 % and so on.
func percentileTicks(most float64) []tick {
	all := []tick{{0, "0 %"}, {-math.Log10(0.5), "50 %"}}
	for n := 1; float64(n) <= most+0.05; n++ {
		label := strconv.FormatFloat(100-100*math.Pow(10, -float64(n)), 'f', max(0, n-2), 64)
		all = append(all, tick{float64(n), label + " %"})
	}
	return all[1:]
}

// latencyTicks are decades, and steps between them where the range is small.
func latencyTicks(low, high float64) []tick {
	digits := []float64{1}
	if high-low < 2.5 {
		digits = []float64{1, 2, 5}
	}
	if high-low < 0.7 {
		digits = []float64{1, 1.5, 2, 3, 4, 5, 7}
	}
	var all []tick
	for decade := 1e2; decade <= 1e13; decade *= 10 {
		for _, digit := range digits {
			if y := math.Log10(digit * decade); y >= low && y <= high {
				all = append(all, tick{y, bare(length(time.Duration(digit * decade)))})
			}
		}
	}
	return all
}

// roundTicks divides a stretch at round numbers, into about so many parts.
func roundTicks(low, high float64, parts int) []tick {
	rough := (high - low) / float64(max(parts, 1))
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := unit
	for _, digit := range []float64{2, 5, 10} {
		if step < rough {
			step = digit * unit
		}
	}
	digits := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	var all []tick
	for n := math.Ceil(low / step); n*step <= high; n++ {
		all = append(all, tick{n * step, strconv.FormatFloat(n*step+0, 'f', digits, 64)}) // −0 is 0
	}
	return all
}

// powerTicks are round numbers on a logarithmic axis, at most about so many.
func powerTicks(low, high float64, most int) []tick {
	for _, digits := range [][]float64{{1, 1.5, 2, 3, 4, 5, 7}, {1, 2, 5}, {1, 3}, {1}} {
		var all []tick
		for decade := math.Floor(low); decade <= high; decade++ {
			for _, digit := range digits {
				n := digit * math.Pow(10, decade)
				if y := math.Log10(n); y >= low && y <= high && (n >= 1 && n == math.Trunc(n)) {
					all = append(all, tick{y, thousands(int(n))})
				}
			}
		}
		if len(all) <= max(most, 2) || len(digits) == 1 {
			return all
		}
	}
	return nil
}
