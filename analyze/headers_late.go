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

// late judges resets that come too late, in two ways.
func (h *headerCase) late() {
	h.beyondAny()
	if len(h.Promise.Limits) == 1 && h.returnsAtOnce(h.Promise.Limits[0]) {
		h.returnedBefore()
	}
}

// beyondAny looks for resets that lie further away than any that the limit can
// mean: the time that its whole allowance takes to come back, or its window.
// For each claim the longest that was told is enough.
func (h *headerCase) beyondAny() {
	var all []resetKey
	for key := range h.teller.longest {
		if key.group == h.Group && key.claim < lastClaim {
			all = append(all, key)
		}
	}
	slices.SortFunc(all, func(a, b resetKey) int { return cmp.Or(cmp.Compare(a.claim, b.claim), cmp.Compare(a.at, b.at)) })
	for _, key := range all {
		of := h.spoken[key.claim]
		if int(key.at) >= len(of) || len(of[key.at]) == 0 {
			continue
		}
		most, told := time.Duration(0), h.teller.longest[key]
		for _, limit := range of[key.at] {
			most = max(most, longestReset(h.Promise.Limits[limit]))
		}
		if told.in-told.rounding <= most {
			continue
		}
		hint := ""
		if told.in/1000 <= most && told.in > 50*most {
			hint = " (milliseconds, it seems)"
		}
		h.add(lie{
			kind:    resetBeyond,
			example: fmt.Sprintf("%s are told, where everything is back after %s%s", brief(told.in), brief(most), hint),
			sentence: fmt.Sprintf("the request answered at %s was told a reset in %s; under %s everything is back within %s, and rounding explains no more than %s",
				secs(told.row.Answered), secs(told.in), limitsOf(h.Promise), secs(most), secs(told.rounding)),
			rows: []Row{told.row}, allowed: most.Seconds(),
		})
	}
}

// longestReset is the longest time until an allowance is whole again, or until
// the end of its window, whatever a limiter calls its reset.
func longestReset(l limiter.Limit) time.Duration {
	// A best effort may also hold more than is documented. Steps are whole, so
	// that may take one step more: ⌈B/q⌉ of W each is less than B·W/q + W.
	rest := float64(l.FullRest()) * (1 + l.Tolerance)
	if l.Reading == limiter.SteppedBucket && l.Tolerance > 0 {
		rest = float64(l.Burst)/float64(l.Limit)*float64(l.Window)*(1+l.Tolerance) + float64(l.Window)
	}
	most := max(l.Window, time.Duration(min(rest, math.MaxInt64/4)))
	if l.RejectsConsume {
		most = max(most, 2*l.Window)
	}
	return stretch(most, l)
}

// returnsAtOnce reports whether a limit gives its whole allowance back in one
// moment, so that a reset can mean no other one.
func (h *headerCase) returnsAtOnce(l limiter.Limit) bool {
	return l.Tolerance == 0 && !l.RejectsConsume && l.Reading == limiter.FixedWindow
}

// returnedBefore judges the resets of rejections by the admissions that came
// after them: the window had begun anew by then.
func (h *headerCase) returnedBefore() {
	pairs := h.returns()
	var rows []Row
	for _, p := range pairs {
		rows = append(rows, p.rejected)
	}
	clock := slowest(h.Promise.Limits)
	for i, e := range h.Evidence(rows) {
		p := pairs[i]
		of := h.spoken[p.rejected.Claim]
		for at, s := range parseAllowance(e.Fields).accounts {
			in, rounding, ok := resetIn(s.reset, e.Fields)
			if !ok || at >= len(of) || len(of[at]) != 1 || in-rounding <= clock.fast(p.shown.Answered-p.rejected.Sent) {
				continue
			}
			h.add(lie{
				kind: resetTooLate,
				sentence: fmt.Sprintf("a rejection sent at %s told a reset in %s; a request sent after its answer was admitted and answered at %s, only %s later, when the window had begun anew",
					secs(p.rejected.Sent), secs(in), secs(p.shown.Answered), secs(p.shown.Answered-p.rejected.Sent)),
				rows: []Row{p.rejected, p.shown},
			})
			break
		}
	}
}

// returns returns the first admissions after rejections of the same key, each
// with the latest rejection that was certainly decided before it: at most
// mostDroughts, those that came soonest.
func (h *headerCase) returns() []pair {
	certain := keys(h.Header, h.Promise.Limits).certain
	last := make([]Row, len(certain))
	var all []pair
	soonest := func() {
		slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(a.wait, b.wait) })
		all = all[:min(len(all), mostDroughts)]
	}
	for _, r := range h.Rows {
		was := &last[certain[r.Lane]]
		switch {
		case r.Outcome == limiter.Rejected && h.own(r) && r.Claim > 0 && r.Answered > was.Answered:
			*was = r
		case r.Outcome == limiter.Admitted && r.Answered != history.Never && was.Answered > 0 && was.Answered < r.Sent:
			all = append(all, pair{*was, r, r.Answered - was.Sent})
			*was = Row{}
		}
		if len(all) >= 2*mostDroughts {
			soonest()
		}
	}
	soonest()
	return all
}
