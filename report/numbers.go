package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/english"
	"duckload/history"
)

// length writes a duration in two or three digits that count: "61 µs",
// "2.1 ms", "240 ms", "12.3 s", "1m14s", "2h05m".
func length(d time.Duration) string {
	switch {
	case d == history.Never:
		return "never"
	case d < 0:
		return "−" + length(-d)
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d)
	case d < time.Millisecond:
		return short(float64(d)/1e3, "µs")
	case d < time.Second:
		return short(float64(d)/1e6, "ms")
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", float64(d)/1e9)
	}
	s := int64(d.Round(time.Second) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
}

func short(x float64, unit string) string {
	if x < 9.95 {
		return fmt.Sprintf("%.1f %s", x, unit)
	}
	return fmt.Sprintf("%.0f %s", x, unit)
}

// when writes a moment of the run as witnesses do: "30.412 s".
func when(d time.Duration) string {
	if d == history.Never {
		return "never"
	}
	return fmt.Sprintf("%.3f s", d.Seconds())
}

// span writes a certified interval with as many digits as its width is worth,
// rounded outwards, so that what is shown is still certain: "99.98–100.03",
// "200", "at least 4.8", "at most 12". A bound far above the other says nothing to a reader
// and is left out: "at least 493", not "493–1156789".
func span(i analyze.Interval) string {
	switch {
	case math.IsNaN(i.Low) || math.IsNaN(i.High):
		return "unknown"
	case math.IsInf(i.High, 1) && i.Low <= 0:
		return "unknown"
	case math.IsInf(i.High, 1) || i.Low > 0 && i.High > farAbove*i.Low:
		return "at least " + rounded(i.Low, 2, math.Floor)
	case i.Low == i.High:
		return rounded(i.Low, 4, math.Round)
	case i.Low <= 0:
		return "at most " + rounded(i.High, 2, math.Ceil)
	}
	digits := max(0, int(math.Ceil(-math.Log10((i.High-i.Low)/4)))) // rounding adds at most half of the width
	return rounded(i.Low, digits, math.Floor) + "–" + rounded(i.High, digits, math.Ceil)
}

// farAbove is how many times the lower bound of an interval the upper one may
// be before it is left out.
const farAbove = 100

// rounded writes a number with at most some digits behind the point. A number
// within a millionth of the last digit counts as being there already: binary
// fractions are never quite what they say.
func rounded(x float64, digits int, direction func(float64) float64) string {
	unit := math.Pow(10, float64(digits))
	near := math.Round(x * unit)
	if math.Abs(near-x*unit) > 1e-6 {
		near = direction(x * unit)
	}
	s := strconv.FormatFloat(near/unit, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// whole returns the only whole number in an interval. Bursts are whole.
func whole(i analyze.Interval) (int64, bool) {
	low, high := math.Ceil(i.Low-1e-9), math.Floor(i.High+1e-9)
	return int64(low), low == high && math.Abs(low) < 1<<53
}

// thousands writes a count: "2,124".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural counts things: "1 check", "42 checks".
func plural(n int, thing string) string {
	return thousands(n) + " " + english.Noun(n, thing)
}
