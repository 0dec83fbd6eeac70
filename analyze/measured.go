package analyze

import (
	"cmp"
	"math"
	"slices"

	"duckload/limiter"
)

// measure says what the limiter of a group really does, beside all verdicts;
// nil if the run shows nothing of it.
func measure(c *Case) *Measured {
	if len(c.Rows) == 0 || len(c.Promise.Limits) == 0 {
		return nil
	}
	few := c.begun()
	m := &Measured{Scope: few.measuredScope()}
	c.measureBucket(m)
	few.measureReadings(m)
	few.measureHeld(m)
	return m
}

// measureBucket fills in rate, burst and their plane where one token bucket is
// promised. Of several limits nobody can tell which one a rejection measures,
// so their intervals stay with the findings of limit.rate and limit.burst.
func (c *Case) measureBucket(m *Measured) {
	if len(c.Promise.Limits) != 1 || c.Promise.Limits[0].Reading != limiter.TokenBucket {
		return
	}
	l := c.Promise.Limits[0]
	f := c.fit(l)
	m.Plane = f.drawn(l)
	if f.region.empty {
		return
	}
	if f.rates.Low > 0 || !math.IsInf(f.rates.High, 1) {
		rates, window := f.rates, l.Window.Seconds()
		m.RatePerSecond = &rates
		m.LimitPerWindow = &Interval{rates.Low * window, rates.High * window}
	}
	if f.bursts.Low > 1 || !math.IsInf(f.bursts.High, 1) {
		bursts := f.bursts
		m.Burst = &bursts
	}
}

// How finely a plane is drawn: at so many rates, as long as so many rows are
// looked at in all.
const (
	drawnRates = 70
	drawnRows  = 2_000_000
)

// drawn returns a plane for drawing: around what explains the run and the
// documented rate, with half as much again on both sides.
func (f *bucketFit) drawn(l limiter.Limit) *Plane {
	p := &Plane{Rate: l.Rate(), Burst: float64(l.Burst)}
	low, high := min(f.region.rates.Low, perNano(l)), max(f.region.rates.High, perNano(l))
	if math.IsInf(high, 1) {
		high = max(2*perNano(l), 2*f.region.rates.Low)
	}
	margin := max((high-low)/2, perNano(l)*fineness)
	low, high = max(low-margin, 0), high+margin
	rows := 1
	for _, a := range f.plane.admitted {
		rows += a.len()
	}
	for _, r := range f.plane.rejected {
		rows += r.asked.len() + r.spent.len()
	}
	n := min(drawnRates, drawnRows/rows)
	for i := range n {
		f.plane.at(low + (high-low)*(float64(i)+0.5)/float64(n))
	}
	for rate, s := range f.plane.seen {
		if low <= rate && rate <= high {
			p.Slices = append(p.Slices, PlaneSlice{Rate: rate * 1e9, Least: s.least, Most: s.most})
		}
	}
	slices.SortFunc(p.Slices, func(a, b PlaneSlice) int { return cmp.Compare(a.Rate, b.Rate) })
	return p
}
