package analyze

import (
	"math"
	"slices"

	"duckload/limiter"
)

// Readings are what a run says about the algorithm behind it: which families
// explain every answer, whatever their parameters.
type readings struct {
	promised []string           // the models that the documented reading may mean
	explain  []string           // the models that explain the run, the simplest first
	bucket   *bucketFit         // if a token bucket was fitted
	windows  map[string]allowed // if a window was
}

// Allowed is what a run says about a window whose allowance is not known.
type allowed struct {
	limits []int // that explain the run
	whole  bool  // no other limit does
	fit    windowFit
	limit  int // that the fit is of
}

// readings works out what explains the run of a promise of one limit; nil if
// there is no such limit, or nothing to tell the families apart by.
func (c *Case) readings() *readings {
	if c.read != nil || c.asked {
		return c.read
	}
	c.asked = true
	limits := verified(c.Promise, func(limiter.Reading) bool { return true })
	if len(limits) != 1 || len(c.Promise.Limits) != 1 || c.tooMany() || !c.refutable() || isHeld(limits[0]) {
		return nil
	}
	if !slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Outcome == limiter.Rejected }) {
		return nil
	}
	l := limits[0]
	if s := c.measuredScope(); l.Scope == limiter.ScopeUnknown && s != unknownScope {
		l.Scope = limiter.Scope(s)
	}
	r := &readings{windows: map[string]allowed{}}
	r.bucket = c.fitBucket(l)
	if !r.bucket.region.empty {
		r.explain = append(r.explain, "token-bucket")
	}
	traffic := c.restedTraffic(l)
	for _, f := range families {
		a := c.search(f, traffic, l)
		r.windows[f.name] = a
		if len(a.limits) > 0 {
			r.explain = append(r.explain, f.name)
		}
	}
	if l.Reading == limiter.TokenBucket || l.Reading == limiter.Open {
		r.promised = append(r.promised, "token-bucket")
	}
	for _, f := range familiesOf(l.Reading) {
		r.promised = append(r.promised, f.name)
	}
	c.read = r
	return r
}

// fitBucket fits a token bucket, whatever was documented.
func (c *Case) fitBucket(l limiter.Limit) *bucketFit {
	if l == c.Promise.Limits[0] && l.Reading == limiter.TokenBucket {
		return c.fit(l)
	}
	l.Reading, l.Burst, l.Tolerance = limiter.TokenBucket, l.Capacity(), 0
	return c.alone(l).fit(l)
}

// restedTraffic is the traffic of a limit. What it measures begins, like the
// plans, with a key that had time to fill.
func (c *Case) restedTraffic(l limiter.Limit) []traffic {
	all := trafficOf(c.alone(l), l)
	rested := len(c.Rows) > 0 && c.Rows[0].Sent >= l.FullRest()
	for i := range all {
		all[i].fresh = all[i].fresh || rested
	}
	return all
}

// Bounds of the search for the allowance of a window: so many looks at a
// request in all, and so many limits where that does not do for all.
const (
	mostWindowLooks = 1 << 18
	fewLimits       = 12
)

// search looks for the allowances with which a family explains the run: at
// most as many as were admitted before the first rejection.
func (c *Case) search(f family, keys []traffic, l limiter.Limit) allowed {
	most := math.MaxInt
	n := 0
	for _, t := range keys {
		n += t.spent.len() + t.rejected.len()
		if m, ok := t.mostHeld(); ok {
			most = min(most, m)
		}
	}
	a := allowed{whole: true}
	candidates := []int{int(l.Capacity()), int(l.Limit)}
	if most < math.MaxInt && most <= mostWindowLooks/(n+1) {
		candidates = nil
		for k := most; k > 0; k-- {
			candidates = append(candidates, k)
		}
	} else {
		a.whole = false
		for k := most; most < math.MaxInt && k > max(0, most-fewLimits); k-- {
			candidates = append(candidates, k)
		}
	}
	slices.Sort(candidates)
	best := math.Inf(1)
	for _, k := range slices.Compact(candidates) {
		h := holding{most: k, least: k, each: k}
		if l.Reading == limiter.SteppedBucket {
			h.each = min(k, int(l.Limit))
		}
		fit := f.fitAll(keys, h)
		if !fit.explains() {
			continue
		}
		a.limits = append(a.limits, k)
		// The documented window first, then the one that is known best.
		width := fit.high.value - fit.low.value
		if fit.holds(float64(l.Window), l.Tolerance) && k == holdingOf(l).most {
			width = -1
		}
		if width < best || len(a.limits) == 1 {
			best, a.fit, a.limit = width, fit, k
		}
	}
	return a
}

// mostHeld returns the most that a window can hold: what may have been spent
// before the first rejection.
func (t traffic) mostHeld() (int, bool) {
	most, found := math.MaxInt, false
	if !t.fresh {
		return most, false
	}
	for k := range t.rejected.len() {
		to := t.rejected.to[k]
		if n := t.spent.begun(to); n < most {
			most, found = n, true
		}
	}
	return most, found
}

// family is the one that the promise means if it explains the run, or the
// simplest that is known well enough. Without either it is "unknown" where
// several might be, and "none" where none is.
func (r *readings) family() string {
	for _, name := range r.promised {
		if slices.Contains(r.explain, name) {
			return name
		}
	}
	for _, name := range r.explain {
		if r.identified(name) {
			return name
		}
	}
	if len(r.explain) > 0 {
		return "unknown"
	}
	return "none"
}

// identified reports whether a family is known well enough to be named: the
// limit of its window, and the window or the rate of its bucket to a tenth. A sliding counter of some
// length explains almost anything that is not looked at for long.
func (r *readings) identified(name string) bool {
	low, high := r.bucket.rates.Low, r.bucket.rates.High
	if name != "token-bucket" {
		a := r.windows[name]
		if len(a.limits) != 1 {
			return false
		}
		low, high = a.fit.low.value, a.fit.high.value
	}
	return high-low <= high/10
}

// alone returns the case as if only one limit had been promised.
func (c *Case) alone(l limiter.Limit) *Case {
	other := &Case{Header: c.Header, Group: c.Group, Promise: c.Promise, Whole: c.Whole, apart: c.apart, Rows: c.Rows, Evidence: c.Evidence, order: c.order}
	other.Promise.Limits = []limiter.Limit{l}
	return other
}

// measureReadings fills in which families explain the run, whether rejected
// requests consume, and where a window does, its limit and length.
func (c *Case) measureReadings(m *Measured) {
	m.RejectsConsume = c.rejectsConsume()
	r := c.readings()
	if r == nil {
		return
	}
	m.Family, m.Consistent = r.family(), r.explain
	a, ok := r.windows[m.Family]
	if !ok || len(a.limits) == 0 {
		return
	}
	if a.whole {
		m.LimitPerWindow = &Interval{float64(a.limits[0]), float64(a.limits[len(a.limits)-1])}
	}
	if low, high := a.fit.low.value, a.fit.high.value; a.whole && len(a.limits) == 1 && !math.IsInf(high, 1) {
		m.Window = &Interval{inSeconds(low), inSeconds(high)}
	}
}
