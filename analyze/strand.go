package analyze

import (
	"slices"
	"time"

	"duckload/history"
)

// A strand is the rows that may have met one key, in order of Sent. There may
// be ten million, so it points into the rows of the counter and the rules walk
// along it, holding no more than what is under way.
type strand struct {
	rows []Row
	at   []uint32      // the places in rows; nil: all of them
	lag  time.Duration // by how much the limiter's clock may be behind
	reach
}

// A reach says until when requests may have been decided, where more is known
// than that it was before the answer. The zero value knows no more.
type reach struct {
	within time.Duration // so soon after the sending; 0: unknown
	surely time.Duration // so long before the answer
}

// until is the last moment at which a request may have been decided.
func (m reach) until(r *Row) time.Duration {
	at := r.Answered
	if m.within > 0 {
		at = min(at, r.Sent+m.within)
	}
	if m.surely > 0 && at != history.Never {
		at = max(r.Sent, at-m.surely)
	}
	return at
}

func (s strand) len() int {
	if s.at == nil {
		return len(s.rows)
	}
	return len(s.at)
}

func (s strand) row(i int) *Row {
	if s.at == nil {
		return &s.rows[i]
	}
	return &s.rows[s.at[i]]
}

// place is where in the rows a row of the strand is.
func (s strand) place(i int) uint32 {
	if s.at == nil {
		return uint32(i)
	}
	return s.at[i]
}

// from is the first moment that a decision may carry on the limiter's clock.
func (s strand) from(r *Row) time.Duration { return r.Sent - s.lag }

// decided returns a row of the strand, with the last moment at which it may have
// been decided in place of that of its answer.
func (s strand) decided(i int) Row {
	r := *s.row(i)
	r.Answered = s.until(&r)
	return r
}

// before returns the strand as far as it lies before a place in the rows. Rules
// see less of it, and nothing else: requests that are sent later cannot change
// what was decided before.
func (s strand) before(place int) strand {
	if s.at == nil {
		s.rows = s.rows[:min(place, len(s.rows))]
		return s
	}
	n, _ := slices.BinarySearch(s.at, uint32(place))
	s.at = s.at[:n]
	return s
}

// within returns the chosen rows whose decisions lie inside [a, b] for
// certain: N(a, b) of theory.md §4.
func (s strand) within(a, b time.Duration, chosen func(*Row) bool) []Row {
	var inside []Row
	for i := range s.len() {
		r := s.row(i)
		if s.from(r) > b {
			break
		}
		if chosen(r) && s.from(r) >= a && s.until(r) <= b {
			inside = append(inside, *r)
		}
	}
	return inside
}

// An ending is when something ends, and what.
type ending struct {
	at time.Duration
	id int
}

// Underway is a heap of what has begun; the first to end is at the front. What
// never ends is not kept.
type underway []ending

func (h *underway) push(m ending) {
	if m.at == history.Never {
		return
	}
	all := append(*h, m)
	i := len(all) - 1
	for i > 0 {
		up := (i - 1) / 2
		if all[up].at <= m.at {
			break
		}
		all[i] = all[up]
		i = up
	}
	all[i] = m
	*h = all
}

func (h *underway) pop() ending {
	all := *h
	first, last := all[0], all[len(all)-1]
	all = all[:len(all)-1]
	i := 0
	for 2*i+1 < len(all) {
		down := 2*i + 1
		if down+1 < len(all) && all[down+1].at < all[down].at {
			down++
		}
		if last.at <= all[down].at {
			break
		}
		all[i] = all[down]
		i = down
	}
	if len(all) > 0 {
		all[i] = last
	}
	*h = all
	return first
}

// before reports whether something ends before a moment.
func (h underway) before(d time.Duration) bool { return len(h) > 0 && h[0].at < d }
