package analyze

import (
	"math"
	"time"

	"duckload/limiter"
)

// A room answers how much of a limit's allowance may have been spent on one
// key, and how much there is. It never answers too little of the one, nor too
// much of the other.
type room struct {
	usage
	limit    limiter.Limit
	spends   func(*Row) bool
	capacity float64 // the full allowance, at the least
}

// room returns the room that a limit leaves by its documentation.
func (c *Case) room(l limiter.Limit) room {
	r := room{limit: l, capacity: float64(l.Capacity()) * (1 - l.Tolerance)}
	r.fresh = true // what was spent before is taken off below
	slowed := (1 - l.Tolerance) * (1 - clockDrift)
	switch l.Reading {
	case limiter.TokenBucket, limiter.LeakyQueue:
		r.rate = float64(l.Limit) / float64(l.Window) * slowed
	case limiter.SteppedBucket:
		// In any stretch one step fewer may fall than its length suggests.
		r.rate = float64(l.Limit) / float64(l.Window) * slowed
		r.capacity -= float64(l.Limit) * (1 - l.Tolerance)
	case limiter.FixedWindow, limiter.SlidingLog:
		r.window = slow(l.Window)
	case limiter.SlidingCounter:
		r.window = slow(2 * l.Window)
	case limiter.Concurrency:
		// What is done gives its place back within a step of the clock, by which
		// intervals begin earlier here than a request was sent.
		r.window = 1
	case limiter.Open:
		// A window counts all of the one before, too; a bucket is full after
		// its own time, whatever came before.
		r.window = slow(l.FullRest())
		r.capacity = float64(leastAtOnce(l)) * (1 - l.Tolerance)
	}
	if !c.Header.Groups[c.Group].Fresh {
		r.missing = float64(l.Capacity())
	}
	spends := mayConsume(c.consumes())
	r.spends = func(row *Row) bool { return spends(*row) }
	return r
}

// trailing returns what may have spent the allowance that a row of a strand
// found gone.
func (r room) trailing(s strand, row Row) []Row {
	from := time.Duration(math.MinInt64)
	if r.window > 0 {
		from = s.from(&row) - r.window
	}
	var all []Row
	for i := range s.len() {
		o := s.row(i)
		if r.spends(o) && o.Ordinal != row.Ordinal && s.from(o) <= row.Answered && s.until(o) >= from {
			all = append(all, *o)
		}
	}
	return all
}

// A meter reads a room at moments that do not fall.
type meter struct {
	room
	walk   walk
	strand strand
	next   int // the first row that has not begun
}

func (r room) meter(s strand) *meter {
	return &meter{room: r, walk: walk{usage: r.usage, best: math.Inf(-1)}, strand: s}
}

// left returns what was certainly left of the allowance at a moment.
func (m *meter) left(d time.Duration) float64 {
	for ; m.next < m.strand.len() && m.strand.from(m.strand.row(m.next)) <= d; m.next++ {
		if r := m.strand.row(m.next); m.spends(r) {
			m.walk.begun++
			m.walk.ends.push(ending{at: m.strand.until(r)})
		}
	}
	return m.capacity - m.walk.at(d)
}
