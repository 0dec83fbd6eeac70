package analyze

import (
	"fmt"
	"slices"

	"duckload/limiter"
)

var limitWindow = Check{
	ID:       "limit.window",
	Question: "what are the limit and its window really?",
	Doc: `The lengths of the window that explain every admission and every rejection at the documented limit form an interval, which is
certified: no other length explains the run. It fails if the documented length lies outside for every algorithm that the
reading may mean, passes if it lies inside and the interval has two ends no further than 1 % away (or four steps of the limiter's
clock; an open reading, and a sliding counter below 10 or one that counts rejected requests: a half and a double), and is inconclusive otherwise.

A rejection needs a full window, so the n-th last admission before it lies within one window. One admission more than the limit
needs two windows; and as a full window ended between a rejection and what was admitted after it, one admission more than the
limit after a rejection takes one window from there. For aligned windows, every return of allowance after a rejection holds a boundary, no full window holds one,
and boundaries lie a whole number of windows apart; for anchored ones, a full window began with the n-th last admission before the
rejection and ended before the next admission. Of a sliding counter the lengths and the phases are examined together: those remain for
which, by one of its two rules (the limit is not exceeded with a request, or not reached without it), what the window before
counts for explains every admission and every rejection; the documented length may lie between two that remain and be none of them. Each bound is widened by the clock (A2).

Rejections say nothing where others share the keys or records are lost; then there is no lower bound.

Typical causes of failure: a clock that ticks once a second; a window that begins with the first request where an aligned one is
documented; rejected requests that extend the window; the limit of one of several servers.`,
	Applies: func(p limiter.Promise) bool { return len(windowed(p)) > 0 },
	Judge:   judgeEach(windowed, (*Case).window),
}

// windowed returns the limits to be verified that have a window, or may have
// one.
func windowed(p limiter.Promise) []limiter.Limit {
	return verified(p, func(r limiter.Reading) bool {
		return r != limiter.TokenBucket && r != limiter.LeakyQueue && r != limiter.Concurrency
	})
}

// closeEnough returns how far the ends of a measured window may be from the
// documented one, as a share of it. A window of which two ends are seen is
// measured between steps of the limiter's clock, two at each.
func closeEnough(l limiter.Limit) float64 {
	few := l.Limit < 10 // too few come back in a window to measure by
	if l.Reading == limiter.Open || l.Reading == limiter.SlidingCounter && (few || l.RejectsConsume) {
		return 0.5
	}
	return min(0.5, max(0.01, 4*float64(l.Clock())/float64(l.Window)))
}

// mostWindowRows is how many requests are looked at: more take more memory than
// a window is worth.
const mostWindowRows = 1_000_000

func (c *Case) window(l limiter.Limit) Finding {
	if len(c.Rows) > mostWindowRows {
		f := c.first(mostWindowRows).window(l)
		f.Message += fmt.Sprintf(" (by the first %d requests)", mostWindowRows)
		return f
	}
	traffic := trafficOf(c, l)
	n := holdingOf(l)
	document := float64(l.Window)
	var seen []string
	var best windowFit
	found := false
	fits := map[string]windowFit{}
	for _, f := range familiesOf(l.Reading) {
		fit := f.fitAll(traffic, n)
		fits[f.name] = fit
		if !fit.holds(document, l.Tolerance) {
			continue
		}
		seen = append(seen, modelWords[f.name])
		if !found || fit.high.value-fit.low.value < best.high.value-best.low.value {
			best, found = fit, true
		}
	}
	if !found && l.Reading == limiter.Open {
		if bucket := c.someBucket(l, traffic); bucket != "" {
			return Finding{Outcome: Pass, Message: fmt.Sprintf("%s of %d/%s explains the run", bucket, l.Limit, limiter.Per(l.Window))}
		}
	}
	if !found {
		return c.otherWindow(l, fits)
	}
	said := fmt.Sprintf("%s%s", c.described(l, best), asOne(seen))
	near := closeEnough(l)
	if best.low.value < document*(1-near)/(1+l.Tolerance) || best.high.value > document/(1-near)/(1-min(l.Tolerance, 0.9)) {
		return Finding{Outcome: Inconclusive, Message: fmt.Sprintf("%s, which holds %s but proves little: %s", said, secondsOf(document), c.wouldShow())}
	}
	return Finding{Outcome: Pass, Message: said}
}

// wouldShow says what would narrow a window.
func (c *Case) wouldShow() string {
	if !c.refutable() {
		return c.wouldNarrow(1, 1)
	}
	return "use the limit up, look for the moments at which allowance comes back, and take all of it (leave pacing out)"
}

// someBucket names a bucket that an open reading may mean and that explains
// the run; empty if none does.
func (c *Case) someBucket(l limiter.Limit, traffic []traffic) string {
	if c.bucketExplains(l) {
		return "a token bucket"
	}
	l.Reading = limiter.SteppedBucket
	for _, f := range familiesOf(l.Reading) {
		if l.Burst > 0 && f.fitAll(traffic, holdingOf(l)).holds(float64(l.Window), l.Tolerance) {
			return "a stepped bucket"
		}
	}
	return ""
}

// bucketExplains reports whether a token bucket of some burst, refilled at the
// rate of a limit, explains the run.
func (c *Case) bucketExplains(l limiter.Limit) bool {
	bucket := l
	bucket.Reading, bucket.Burst = limiter.TokenBucket, max(l.Burst, l.Limit)
	p := planeOf(c.promising(l, bucket), bucket)
	low, high := perNano(l)*(1-l.Tolerance), perNano(l)*(1+l.Tolerance)
	return p.possible(low, high)
}

// promising returns the case as if another limit had been promised in place of
// one, with all others.
func (c *Case) promising(of, l limiter.Limit) *Case {
	other := c.with(l)
	other.Promise.Limits = slices.Clone(c.Promise.Limits)
	other.Promise.Limits[slices.Index(c.Promise.Limits, of)] = l
	return other
}

// with returns the case as if one other limit had been promised.
func (c *Case) with(l limiter.Limit) *Case {
	other := &Case{Header: c.Header, Group: c.Group, Promise: c.Promise, Whole: c.Whole, apart: c.apart, Rows: c.Rows, Evidence: c.Evidence, order: c.order}
	other.Promise.Limits = []limiter.Limit{l}
	return other
}
