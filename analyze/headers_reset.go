package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// resets judges the -Reset of rejections by the retries that followed them
// while nothing was spent.
func (h *headerCase) resets() {
	if !h.Header.Groups[h.Group].Exclusive || !h.Whole {
		return
	}
	pairs := h.droughts()
	var rows []Row
	for _, p := range pairs {
		rows = append(rows, p.rejected)
	}
	step := slowest(h.Promise.Limits)
	for i, e := range h.Evidence(rows) {
		p := pairs[i]
		in, rounding, ok := resetIn(parseAllowance(e.Fields).reset, e.Fields)
		if !ok || p.rejected.Remaining > 1 || in > time.Hour*24*365 || p.shown.Sent-step.step < p.rejected.Answered+step.slow(in)+rounding {
			continue
		}
		h.add(lie{
			kind: "the reset comes too early",
			sentence: fmt.Sprintf("a rejection answered at %s told a reset in %s; a request sent at %s was rejected again, and no other request that could spend the key's allowance came between",
				secs(p.rejected.Answered), secs(in), secs(p.shown.Sent)),
			rows: []Row{p.rejected, p.shown},
		})
	}
}

// mostDroughts is how many stretches without any admission are looked at.
const mostDroughts = 64

// droughts returns the longest stretches in which nothing that may have been
// spent was decided: from the first rejection of each to the last.
func (h *headerCase) droughts() []pair {
	var all []pair
	ring := keys(h.Header, h.Promise.Limits)
	states := make([]drought, len(h.Header.Lanes))
	consume := slices.ContainsFunc(h.Promise.Limits, func(l limiter.Limit) bool { return l.RejectsConsume })
	close := func(s *drought, before time.Duration) {
		for i := range s.pairs {
			p := &s.pairs[i]
			if p.rejected.Answered != 0 && p.shown.Answered != 0 && p.shown.Answered < before && p.shown.Sent-p.rejected.Answered > time.Second {
				all = append(all, *p)
			}
		}
		clear(s.pairs)
		if len(all) >= 2*mostDroughts {
			all = longest(all)
		}
	}
	for i := range states {
		states[i] = drought{busy: math.MinInt64, pairs: make([]pair, len(h.Header.Lanes))}
	}
	for _, r := range h.Rows {
		s := &states[ring.possible[r.Lane]]
		group := h.Header.Lanes[r.Lane].Group
		if r.Outcome != limiter.Rejected || consume {
			close(s, r.Sent)
			s.busy = max(s.busy, decidedBy(r, h.Header.Groups[group].DecidedWithin))
			continue
		}
		p := &s.pairs[ring.certain[r.Lane]]
		if p.rejected.Answered == 0 {
			if h.own(r) && s.busy < r.Sent {
				p.rejected = r
			}
			continue
		}
		p.shown = r
	}
	for i := range states {
		close(&states[i], history.Never)
	}
	return longest(all)
}

// A drought is the state of everything that may share one key; its pairs are
// by what certainly does.
type drought struct {
	busy  time.Duration
	pairs []pair
}

func longest(all []pair) []pair {
	slices.SortStableFunc(all, func(a, b pair) int {
		return int(min(max((b.shown.Sent-b.rejected.Answered)-(a.shown.Sent-a.rejected.Answered), -1), 1))
	})
	return all[:min(len(all), mostDroughts)]
}
