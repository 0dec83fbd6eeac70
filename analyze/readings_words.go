package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// otherReading says what explains the run where the documented reading does
// not, or not with its own numbers: "no token bucket explains this run; a
// fixed window of 100 per 60.0 s, aligned at :12, does". Empty if the
// documented one does.
func (c *Case) otherReading(l limiter.Limit) string {
	r := c.readings()
	if r == nil || len(r.promised) == 0 {
		return ""
	}
	if slices.ContainsFunc(r.promised, func(name string) bool { return slices.Contains(r.explain, name) }) {
		return c.sameNumbers(r, l)
	}
	none := fmt.Sprintf("no %s explains this run", either(plainly(r.promised)))
	for _, name := range r.explain {
		if r.identified(name) {
			return fmt.Sprintf("%s; %s does", none, c.inWords(r, name, l))
		}
	}
	if len(r.explain) > 0 {
		return none
	}
	return none + c.closest(r, l)
}

// sameNumbers says that another window than the documented reading explains
// the run with the documented limit, or with the documented burst if that was
// measured, and the documented window.
func (c *Case) sameNumbers(r *readings, l limiter.Limit) string {
	most := int(l.Limit)
	if b := r.bucket; b != nil && len(b.region.whole) > 0 && !slices.Contains(b.region.whole, l.Limit) && slices.Contains(b.region.whole, l.Burst) {
		most = int(l.Burst) // so many were admitted at once, and nothing came back
	}
	for _, name := range []string{"fixed-window", "anchored-window", "sliding-log"} {
		a, n := r.windows[name], holding{most: most, least: most, each: most}
		if slices.Contains(r.promised, name) || !slices.Contains(a.limits, n.most) {
			continue
		}
		for _, f := range families {
			if f.name == name && f.fitAll(c.restedTraffic(l), n).holds(float64(l.Window), l.Tolerance) {
				return fmt.Sprintf("a %s of %d per %s would explain every answer", modelWords[name], n.most, limiter.Per(l.Window))
			}
		}
	}
	return ""
}

func plainly(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, modelWords[n])
	}
	return all
}

var modelWords = map[string]string{
	"token-bucket":    "token bucket",
	"stepped-bucket":  "stepped bucket",
	"fixed-window":    "fixed window",
	"anchored-window": "window from the first request on",
	"sliding-log":     "sliding log",
	"sliding-counter": "sliding counter",
}

// inWords describes a family with what was measured of it.
func (c *Case) inWords(r *readings, name string, l limiter.Limit) string {
	if name == "token-bucket" {
		return fmt.Sprintf("a token bucket, %s, refilled at %s,", measuredBurst(r.bucket), measuredRate(r.bucket.rates, l))
	}
	a := r.windows[name]
	return fmt.Sprintf("a %s of %d per %s%s,", modelWords[name], a.limit, about(a.fit), c.alignedAt(a.fit, l.Window))
}

// about says a length as one number if it is known to a hundredth: "60.0 s".
func about(fit windowFit) string {
	low, high := inSeconds(fit.low.value), inSeconds(fit.high.value)
	if mid := (low + high) / 2; high-low <= mid/50 {
		return fmt.Sprintf("%.3g s", mid)
	}
	return lengths(fit)
}

// closest says by how little the best of the families misses.
func (c *Case) closest(r *readings, l limiter.Limit) string {
	miss, name := math.Inf(1), ""
	traffic := c.restedTraffic(l)
	for _, f := range families {
		fit := f.fitAll(traffic, holdingOf(l))
		if gap := fit.low.value - fit.high.value; fit.refuted == nil && gap > 0 && gap < miss {
			miss, name = gap, modelWords[f.name]
		}
	}
	text := ", nor does any other limiter that is known here"
	if region := r.bucket.region; region.empty && !math.IsInf(region.low.least, 0) && !math.IsInf(region.low.most, 0) {
		text += fmt.Sprintf("; the closest token bucket misses by %s", requests(region.low.least-region.low.most))
	}
	if name != "" {
		text += fmt.Sprintf("; a %s of %d misses by %s", name, holdingOf(l).most, brief(time.Duration(miss)))
	}
	return text
}
