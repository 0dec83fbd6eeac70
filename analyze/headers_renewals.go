package analyze

import (
	"fmt"
	"slices"
	"time"

	"duckload/english"
	"duckload/limiter"
)

// A renewal is a stretch of time in which a window must have begun anew, by
// what two answers said: after from, and not after to.
type renewal struct {
	from, to time.Duration
	rows     []Row
	why      string
	rise     bool
}

// mostRenewals is how many renewals are kept for comparison with the next one,
// and mostBefore how many requests before an answer are counted.
const (
	mostRenewals = 8
	mostBefore   = 64
)

// renewals looks for a fixed window that must have begun anew twice in a time
// that is shorter than a window. Two things tell that it did: what remains
// rises between two requests that were decided one after the other; and more
// is said to remain than can, if all of the last requests before were in the
// same window.
func (h *headerCase) renewals(limit int, l limiter.Limit) {
	window := time.Duration(float64(l.Window)*(1-clockDrift)) - stale(l.Clock())
	most := int64(float64(l.Limit)*(1+l.Tolerance) + nearly)
	for _, among := range split(h.Rows, keys(h.Header, []limiter.Limit{l}).certain, isAdmitted) {
		var kept []renewal
		before := newPredecessors(h.Rows, among)
		last, left := Row{}, int64(-1)
		for _, i := range among {
			r := h.Rows[i]
			before.upTo(r.Sent)
			n := h.leftUnder(r, limit)
			if n < 0 {
				continue
			}
			var found []renewal
			if left >= 0 && last.Answered < r.Sent && n > left {
				found = append(found, renewal{last.Sent, r.Answered, []Row{last, r}, fmt.Sprintf("rose from %d to %d", left, n), true})
			}
			if first, ok := before.back(int(min(max(0, most-n), mostBefore))); ok && most-n < mostBefore {
				found = append(found, renewal{first.Sent, r.Answered, []Row{first, r}, fmt.Sprintf("was %d after %s", n, english.Count(int(max(0, most-n))+1, "request")), false})
			}
			for _, f := range found {
				kept = h.renewed(kept, f, window, l)
			}
			if r.Answered > last.Answered || left < 0 {
				last, left = r, n
			}
		}
	}
}

// renewed compares a renewal with those before, and keeps it.
func (h *headerCase) renewed(kept []renewal, f renewal, window time.Duration, l limiter.Limit) []renewal {
	for _, was := range kept {
		if was.to < f.from && f.to-was.from < window {
			kind := leftStanding
			if was.rise && f.rise {
				kind = leftUpAndDown
			}
			h.add(lie{
				kind: kind,
				sentence: fmt.Sprintf("within %s what is said to remain %s, and %s; a window of %s begins anew once in that time",
					secs(f.to-was.from), was.why, f.why, l.Window),
				rows: slices.Concat(was.rows, f.rows), allowed: 1,
			})
			return nil // count each pair once
		}
	}
	if len(kept) == mostRenewals {
		kept = append(kept[:0], kept[1:]...)
	}
	return append(kept, f)
}

// Predecessors walk along the requests of a key in the order of their answers.
type predecessors struct {
	rows     []Row
	byAnswer []uint32
	done     int // how many were answered before the moment
}

func newPredecessors(rows []Row, among []uint32) *predecessors {
	return &predecessors{rows: rows, byAnswer: inOrder(among, func(i uint32) time.Duration { return rows[i].Answered })}
}

func (p *predecessors) upTo(moment time.Duration) {
	for p.done < len(p.byAnswer) && p.rows[p.byAnswer[p.done]].Answered < moment {
		p.done++
	}
}

// back returns, of the last n+1 requests that were answered before the moment,
// the one that was sent first. It reports false if there are not so many.
func (p *predecessors) back(n int) (Row, bool) {
	if p.done <= n {
		return Row{}, false
	}
	first := p.rows[p.byAnswer[p.done-1]]
	for _, i := range p.byAnswer[p.done-1-n : p.done] {
		if p.rows[i].Sent < first.Sent {
			first = p.rows[i]
		}
	}
	return first, true
}
