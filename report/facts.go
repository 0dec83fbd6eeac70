package report

import (
	"fmt"
	"math"
	"strings"

	"duckload/analyze"
	"duckload/limiter"
)

// What a line about a group says, in the words of every format that people
// read.

const unmeasured = "not measured"

// documented is the promise of a group: "100/min, burst 200".
func documented(p limiter.Promise) string {
	var all []string
	for _, l := range p.Limits {
		s := l.String()
		if l.Tolerance > 0 {
			s += fmt.Sprintf(", best effort ±%g %%", 100*l.Tolerance)
		}
		if l.Unverified {
			s += ", not judged"
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return "no limit"
	}
	return strings.Join(all, " and ")
}

// measuredRate says what the limit really is, in requests per documented
// window: "99.98–100.03".
func measuredRate(g analyze.Group) string {
	if g.Measured == nil || len(g.Promise.Limits) == 0 {
		return unmeasured
	}
	if i := g.Measured.AtOnce; i != nil {
		return span(*i) + " at once"
	}
	if i := g.Measured.LimitPerWindow; i != nil {
		return span(*i)
	}
	if i, w := g.Measured.RatePerSecond, g.Promise.Limits[0].Window.Seconds(); i != nil {
		return span(analyze.Interval{Low: i.Low * w, High: i.High * w})
	}
	return unmeasured
}

// measuredBurst says what the burst really is: "200", "198–203", "at least 201".
// A bucket holds whole requests, so only whole numbers in the interval count.
func measuredBurst(g analyze.Group) string {
	if g.Measured == nil || g.Measured.Burst == nil {
		return unmeasured
	}
	if n, ok := whole(*g.Measured.Burst); ok {
		return fmt.Sprint(n)
	}
	b := *g.Measured.Burst
	low, high := math.Ceil(b.Low-1e-9), math.Floor(b.High+1e-9)
	if low > high || math.Abs(low) > 1<<53 {
		return span(b)
	}
	if low <= 1 && low < high { // every bucket holds one
		low = 0
	}
	return span(analyze.Interval{Low: low, High: high})
}

// rateOff and burstOff report that the documented value lies outside of what
// was measured. A single limit is compared; of several, nobody knows which one
// was seen.
func rateOff(g analyze.Group) bool {
	if g.Measured == nil || len(g.Promise.Limits) != 1 {
		return false
	}
	l := g.Promise.Limits[0]
	return outside(g.Measured.AtOnce, float64(l.Limit), l.Tolerance) || outside(g.Measured.LimitPerWindow, float64(l.Limit), l.Tolerance) || outside(g.Measured.RatePerSecond, l.Rate(), l.Tolerance)
}

func burstOff(g analyze.Group) bool {
	if g.Measured == nil || len(g.Promise.Limits) != 1 || g.Promise.Limits[0].Burst == 0 {
		return false
	}
	l := g.Promise.Limits[0]
	return outside(g.Measured.Burst, float64(l.Burst), l.Tolerance)
}

func outside(i *analyze.Interval, x, tolerance float64) bool {
	return i != nil && (x*(1+tolerance) < i.Low-1e-9*x || x*(1-tolerance) > i.High+1e-9*x)
}

// retryAfter sums up the checks of Retry-After; empty if none was made.
func retryAfter(g analyze.Group) string {
	verdict, sufficient, made := analyze.Pass, false, false
	for _, f := range g.Findings {
		if strings.HasPrefix(f.Check, "retry_after.") {
			made = true
			verdict = verdict.Worse(f.Outcome)
			sufficient = sufficient || f.Check == "retry_after.sufficient" && f.Outcome == analyze.Pass
		}
	}
	switch {
	case !made:
		return ""
	case verdict == analyze.Fail:
		return "Retry-After wrong"
	case verdict == analyze.Inconclusive:
		return "Retry-After undecided"
	case sufficient:
		return "Retry-After honest"
	}
	return "Retry-After present"
}

// outcomes says what became of a group's requests: "298 admitted, 10 rejected".
func outcomes(g analyze.Group) string {
	s := fmt.Sprintf("%s admitted, %s rejected", thousands(g.Admitted), thousands(g.Rejected))
	if g.Unknown > 0 {
		s += fmt.Sprintf(", %s unknown", thousands(g.Unknown))
	}
	return s
}

// tally counts findings by verdict.
func tally(groups []analyze.Group) (pass, fail, inconclusive int) {
	for _, g := range groups {
		for _, f := range g.Findings {
			switch f.Outcome {
			case analyze.Pass:
				pass++
			case analyze.Fail:
				fail++
			default:
				inconclusive++
			}
		}
	}
	return pass, fail, inconclusive
}

// brokenOff says why a run is not whole.
func brokenOff(f analyze.Findings) string {
	if f.Run.Reason != "" {
		return f.Run.Reason
	}
	return "not everything that was planned was sent and recorded"
}
