package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// early judges the resets of rejections by the retries that followed them
// while nothing was spent. A reset that has passed explains no rejection by its
// own limit; so it is a lie if no other limit can have caused the second one.
func (h *headerCase) early() {
	if !h.Header.Groups[h.Group].Exclusive || !h.Whole {
		return
	}
	pairs := h.droughts()
	var rows, shown []Row
	for _, p := range pairs {
		rows, shown = append(rows, p.rejected), append(shown, p.shown)
	}
	roomy := h.roomy(shown)
	for i, e := range h.Evidence(rows) {
		p := pairs[i]
		in, passed := h.passed(p, e.Fields)
		if in < 0 {
			continue
		}
		blamed := true
		for limit := range h.Promise.Limits {
			blamed = blamed && (passed[limit] || roomy[limit].has(p.shown.Ordinal))
		}
		if blamed {
			h.add(lie{
				kind: resetTooEarly,
				sentence: fmt.Sprintf("a rejection answered at %s told a reset in %s; a request sent at %s was rejected again, and no other request that could spend the key's allowance came between",
					secs(p.rejected.Answered), secs(in), secs(p.shown.Sent)),
				rows: []Row{p.rejected, p.shown},
			})
		}
	}
}

// passed returns the longest reset of a rejection that had passed when the key
// was shown to be exhausted still, and of which limits one had; -1 and none if
// none had.
func (h *headerCase) passed(p pair, fields limiter.Fields) (longest time.Duration, limits map[int]bool) {
	clock := slowest(h.Promise.Limits)
	longest, limits = -1, map[int]bool{}
	for at, s := range parseAllowance(fields).accounts {
		of := h.spoken[p.rejected.Claim]
		if at >= len(of) || len(of[at]) != 1 || s.left > 0 {
			continue
		}
		in, rounding, ok := resetIn(s.reset, fields)
		if !ok || in > time.Hour*24*365 || p.shown.Sent-clock.step < p.rejected.Answered+clock.slow(in)+rounding {
			continue
		}
		if s.soft {
			h.lapsed++
			continue
		}
		longest = max(longest, in, 0)
		limits[of[at][0]] = true
	}
	return longest, limits
}

// roomy tells for each of several limits which of some rejections it certainly
// does not explain. One alone is not asked.
func (h *headerCase) roomy(rejections []Row) []marks {
	all := make([]marks, len(h.Promise.Limits))
	if len(all) < 2 || len(rejections) == 0 {
		return all
	}
	var asked marks
	for _, r := range rejections {
		asked.add(r.Ordinal)
	}
	for i, key := range h.possibleKeys() {
		h.weigh(i, key, func(r *Row) bool { return asked.has(r.Ordinal) }, func(w wrongful, is bool) bool {
			if is {
				all[i].add(w.row.Ordinal)
			}
			return true
		})
	}
	return all
}

// mostDroughts is how many stretches without any admission are looked at.
const mostDroughts = 64

// droughts returns the longest stretches in which nothing that may have been
// spent was decided: from the first rejection of each to the last.
func (h *headerCase) droughts() []pair {
	ring := keys(h.Header, h.Promise.Limits)
	d := droughts{stretches: make([]drought, len(h.Header.Lanes)), pairs: make([]pair, len(h.Header.Lanes))}
	for i := range d.stretches {
		d.stretches[i].busy = math.MinInt64
	}
	spends := mayConsume(slices.ContainsFunc(h.Promise.Limits, func(l limiter.Limit) bool { return l.RejectsConsume }))
	for _, r := range h.Rows {
		s := &d.stretches[ring.possible[r.Lane]]
		if spends(r) {
			d.end(s, r.Sent)
			s.busy = max(s.busy, decidedBy(r, h.Header.Groups[h.Header.Lanes[r.Lane].Group].DecidedWithin, h.apart))
			continue
		}
		key := ring.certain[r.Lane]
		p := &d.pairs[key]
		switch {
		case p.rejected.Answered != 0:
			p.shown = r
		case h.own(r) && s.busy < r.Sent:
			p.rejected = r
			s.keys = append(s.keys, key)
		}
	}
	for i := range d.stretches {
		d.end(&d.stretches[i], history.Never)
	}
	return longest(d.found)
}

// Droughts are the stretches that are under way, and those that were found.
type droughts struct {
	stretches []drought // by what possibly shares a key
	pairs     []pair    // by what certainly does
	found     []pair
}

// A drought is the stretch of everything that may share one key: since when
// nothing that spends was under way, and who was rejected since.
type drought struct {
	busy time.Duration
	keys []int // places in pairs
}

// end ends a drought at a moment.
func (d *droughts) end(s *drought, before time.Duration) {
	for _, key := range s.keys {
		p := &d.pairs[key]
		if p.shown.Answered != 0 && p.shown.Answered < before && p.shown.Sent-p.rejected.Answered > time.Second {
			d.found = append(d.found, *p)
		}
		*p = pair{}
	}
	s.keys = s.keys[:0]
	if len(d.found) >= 2*mostDroughts {
		d.found = longest(d.found)
	}
}

func longest(all []pair) []pair {
	slices.SortStableFunc(all, func(a, b pair) int {
		return cmp.Compare(b.shown.Sent-b.rejected.Answered, a.shown.Sent-a.rejected.Answered)
	})
	return all[:min(len(all), mostDroughts)]
}
