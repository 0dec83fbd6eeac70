package analyze

import (
	"fmt"
	"slices"
	"strings"
)

// A HeaderFact is one thing that rate-limit headers told, and whether it can be
// true.
type HeaderFact struct {
	Says string // "a limit of 100", "what remains: 0 to 199"
	N    int    // answers that told it
	Lies int    // of them: those that cannot be true
	Why  string // the first of those, as a sentence; empty: nothing contradicts it
}

// mostHeaderFacts is how many are shown.
const mostHeaderFacts = 20

// names notes a limit or a policy that answers named.
func (h *headerCase) names(says string, claim Row, wrong bool) {
	n, lies := h.claimed[claim.Claim], 0
	if wrong {
		lies = n
	}
	if i := slices.IndexFunc(h.named, func(f HeaderFact) bool { return f.Says == says }); i >= 0 {
		h.named[i].N += n
		h.named[i].Lies += lies
		return
	}
	h.named = append(h.named, HeaderFact{Says: says, N: n, Lies: lies})
}

// headerFacts returns what headers told about the limits, what remains and
// when there will be more. It needs the check of the headers to have been made.
func (c *Case) headerFacts() []HeaderFact {
	h := c.told
	if h == nil {
		return nil
	}
	all := slices.Clone(h.named[:min(len(h.named), mostHeaderFacts)])
	for i := range all {
		if all[i].Lies > 0 {
			all[i].Why = "documented is " + limitsOf(h.Promise)
		}
	}
	if f, told := h.remainders(); told {
		all = append(all, f)
	}
	for _, kind := range []string{resetTooEarly, resetTooLate, resetBeyond} {
		if n := h.count[kind]; n > 0 {
			all = append(all, HeaderFact{Says: "when there will be more", N: n, Lies: n, Why: h.firstLie(kind)})
		}
	}
	if len(h.broken) > 0 {
		all = append(all, HeaderFact{Says: strings.Join(h.broken, ", "), Why: "cannot be parsed, so clients must ignore it"})
	}
	return all
}

// remainders sums up what answers said is left.
func (h *headerCase) remainders() (HeaderFact, bool) {
	var least, most Remaining
	f := HeaderFact{}
	for i := range h.Rows {
		r := &h.Rows[i]
		if r.Remaining == 0 || !h.own(*r) {
			continue
		}
		if f.N == 0 || r.Remaining < least {
			least = r.Remaining
		}
		most = max(most, r.Remaining)
		f.N++
	}
	if f.N == 0 {
		return f, false
	}
	f.Says = fmt.Sprintf("what remains: %d to %d", least-1, most-1)
	if least == most {
		f.Says = fmt.Sprintf("what remains: always %d", least-1)
	}
	for _, kind := range []string{leftAfterRejection, leftTooMuch, leftTooLittle, leftByNone, leftUpAndDown, leftStanding} {
		if n := h.count[kind]; n > 0 {
			f.Lies += n
			if f.Why == "" {
				f.Why = h.firstLie(kind)
			}
		}
	}
	f.Lies = min(f.Lies, f.N)
	return f, true
}

func (h *headerCase) firstLie(kind string) string {
	for _, l := range h.lies {
		if l.kind == kind {
			return l.sentence
		}
	}
	return ""
}
