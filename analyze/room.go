package analyze

import (
	"math"
	"time"

	"duckload/limiter"
)

// A room answers how much of a limit's allowance may have been spent on one
// key: theorem T4 of theory.md for buckets, the universal rule of §4.2 for
// windows. It never answers too little.
type room struct {
	limit    limiter.Limit
	spans    spans         // what may have spent it
	capacity float64       // the full allowance, at the least
	rate     float64       // what comes back per nanosecond, at the least; 0 for windows
	window   time.Duration // what may count against a request; 0 for buckets
	missing  float64       // of the allowance at moment 0, at the most

	best []float64 // of the first k ends u in order: largest r·u less the number that ended before u
	peak rangeMax  // of the use at the start of each span
}

func newRoom(l limiter.Limit, s spans, fresh bool) *room {
	r := &room{limit: l, spans: s, capacity: float64(l.Capacity()) * (1 - l.Tolerance)}
	slowed := (1 - l.Tolerance) * (1 - clockDrift)
	switch l.Reading {
	case limiter.TokenBucket:
		r.rate = float64(l.Limit) / float64(l.Window) * slowed
	case limiter.SteppedBucket:
		// In any stretch one step fewer may fall than its length suggests.
		r.rate = float64(l.Limit) / float64(l.Window) * slowed
		r.capacity -= float64(l.Limit) * (1 - l.Tolerance)
	case limiter.FixedWindow, limiter.SlidingLog:
		r.window = slow(l.Window)
	case limiter.SlidingCounter:
		r.window = slow(2 * l.Window)
	case limiter.Open:
		// A window counts all of the one before, too; a bucket is full after
		// its own time, whatever came before.
		r.window = slow(l.FullRest())
		r.capacity = float64(leastAtOnce(l)) * (1 - l.Tolerance)
	}
	if !fresh {
		r.missing = float64(l.Capacity())
	}
	if r.window == 0 {
		r.rankEnds()
	}
	peaks := make([]float64, s.len())
	for i, d := range s.from {
		peaks[i] = r.useAt(d)
	}
	r.peak = newRangeMax(peaks)
	return r
}

// rankEnds prepares useAt. M(u, d) is the number begun by d less the number
// over before u, so what depends on u alone is r·u − over(u).
func (r *room) rankEnds() {
	r.best = make([]float64, len(r.spans.ends)+1)
	r.best[0] = math.Inf(-1)
	before := 0 // how many ended before this end
	for k, u := range r.spans.ends {
		if k > 0 && u != r.spans.ends[k-1] {
			before = k
		}
		r.best[k+1] = max(r.best[k], r.rate*float64(u)-float64(before))
	}
}

// used returns the most of the allowance that may have been spent at any
// moment at which a row may have been decided. Between the starts of spans
// less and less is spent, so only those and the row's own start matter.
func (r *room) used(row Row) float64 {
	from := row.Sent - stale(r.limit.Clock())
	return max(r.useAt(from), r.peak.max(r.spans.begun(from), r.spans.begun(row.Answered)))
}

// useAt returns the most that may have been spent at a moment: of a bucket,
// the largest M(u, d) − r·(d − u) over all u ≤ d; of windows, M(d − W, d).
func (r *room) useAt(d time.Duration) float64 {
	begun := float64(r.spans.begun(d))
	if r.window > 0 {
		from := d - r.window
		n := begun - float64(r.spans.over(from))
		if from < 0 {
			n += r.missing // before the run, anything may have been spent
		}
		return n
	}
	now := begun - float64(r.spans.over(d)) // u = d: what may be decided at this moment
	ended := r.best[r.spans.over(d+1)] + begun - r.rate*float64(d)
	start := r.missing + begun - r.rate*float64(max(d, 0))
	return max(now, ended, start)
}

// trailing returns what may have spent the allowance that a row found gone.
func (r *room) trailing(row Row) []Row {
	from := time.Duration(math.MinInt64)
	if r.window > 0 {
		from = row.Sent - stale(r.limit.Clock()) - r.window
	}
	var all []Row
	for i := range r.spans.from {
		if s := r.spans.row(i); s.Ordinal != row.Ordinal && r.spans.from[i] <= row.Answered && r.spans.to[i] >= from {
			all = append(all, s)
		}
	}
	return all
}
