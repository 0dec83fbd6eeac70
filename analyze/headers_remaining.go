package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// remaining judges what was told to remain.
func (h *headerCase) remaining() {
	l := h.Promise.Limits[0]
	ring := keys(h.Header, h.Promise.Limits)
	for _, r := range h.Rows {
		if r.Outcome == limiter.Rejected && r.Remaining > 1 && h.own(r) {
			h.add(lie{
				kind:     "a rejection says that something remains",
				sentence: fmt.Sprintf("the rejection answered at %s says that %d remain", secs(r.Answered), r.Remaining-1),
				rows:     []Row{r},
			})
		}
	}
	admitted := func(r Row) bool { return r.Outcome == limiter.Admitted }
	for _, among := range split(h.Rows, ring.certain, admitted) {
		highest(h.Rows, among, l, func(r Row, most float64) {
			if r.Remaining == 0 || !h.own(r) || float64(r.Remaining-1) <= math.Floor(most+nearly)+1 {
				return
			}
			h.add(lie{
				kind:     "more is said to remain than can",
				sentence: fmt.Sprintf("the request answered at %s was told that %d remain; after the requests certainly admitted before it on the same key at most %.1f can (%s)", secs(r.Answered), r.Remaining-1, max(0, most), l),
				rows:     []Row{r}, allowed: max(0, most),
			})
		})
		if l.Reading == limiter.FixedWindow {
			h.rises(among, l)
		}
	}
	if l.RejectsConsume || !h.Whole || !h.Header.Groups[h.Group].Exclusive {
		return
	}
	spent := func(r Row) bool { return r.Outcome != limiter.Rejected }
	decided := func(r Row) time.Duration {
		return decidedBy(r, h.Header.Groups[h.Header.Lanes[r.Lane].Group].DecidedWithin)
	}
	for _, among := range split(h.Rows, ring.possible, spent) {
		lowest(h.Rows, among, decided, l, h.Header.Groups[h.Group].Fresh, func(r Row, least float64) {
			if r.Remaining == 0 || !h.own(r) || float64(r.Remaining-1) >= math.Floor(least) {
				return
			}
			h.add(lie{
				kind:     "less is said to remain than must",
				sentence: fmt.Sprintf("the request answered at %s was told that %d remain; after every request that can have been decided before it at least %.1f must (%s)", secs(r.Answered), r.Remaining-1, least, l),
				rows:     []Row{r}, allowed: least,
			})
		})
	}
}

// split returns the places of the rows that something is true of, by the
// number of their lane.
func split(rows []Row, number []int, keep func(Row) bool) [][]uint32 {
	all := make([][]uint32, len(number))
	for i, r := range rows {
		if keep(r) {
			all[number[r.Lane]] = append(all[number[r.Lane]], uint32(i))
		}
	}
	return all
}

// rises looks for what remains rising twice within one window, between two
// requests each that were decided one after the other: it rises only when a
// new window begins, and windows do not begin closer together.
func (h *headerCase) rises(among []uint32, l limiter.Limit) {
	window := time.Duration(float64(l.Window)*(1-clockDrift)) - stale(l.Clock())
	var last Row    // the one before
	var since []Row // the rise before
	for _, i := range among {
		r := h.Rows[i]
		if r.Remaining == 0 {
			continue
		}
		if last.Remaining > 0 && last.Answered < r.Sent && r.Remaining > last.Remaining {
			if since != nil && since[1].Answered < last.Sent && r.Answered-since[0].Sent < window {
				h.add(lie{
					kind: "what remains goes up and down within one window",
					sentence: fmt.Sprintf("what remains rose from %d to %d and from %d to %d within %s; a window of %s begins anew once in that time",
						since[0].Remaining-1, since[1].Remaining-1, last.Remaining-1, r.Remaining-1, secs(r.Answered-since[0].Sent), l.Window),
					rows: append(slices.Clone(since), last, r), allowed: 1,
				})
			}
			since = []Row{last, r}
		}
		if r.Answered > last.Answered {
			last = r
		}
	}
}
