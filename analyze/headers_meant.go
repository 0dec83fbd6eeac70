package analyze

import (
	"slices"
)

// meant returns for each account of an answer which documented limits it may
// speak of, as places in the promise: one where the answer says so, all where
// it does not, none where it speaks of a limit that is not documented.
//
// A named item speaks of the limit that its policy tells, in the same answer.
// An account without a name speaks of the limit with the number told beside it,
// in the window of a policy with that quota if there is one.
func (h *headerCase) meant(a allowance) [][]int {
	var all [][]int
	for _, s := range a.accounts {
		all = append(all, h.meantBy(s, a.policies))
	}
	return all
}

func (h *headerCase) meantBy(s account, policies []policy) []int {
	var its []policy
	for _, p := range policies {
		if s.name != "" && p.name == s.name || s.name == "" && p.quota == s.limit {
			its = append(its, p)
		}
	}
	var all []int
	foreign := false // it has a policy of its own that contradicts no documented limit
	for _, p := range its {
		if p.other {
			return nil
		}
		of := h.policyOf(p)
		foreign = foreign || of == nil && h.permits(p)
		all = append(all, of...)
	}
	if len(its) == 0 && s.limit >= 0 {
		all = h.numbered(s.limit)
	}
	switch {
	case len(all) > 0:
		slices.Sort(all)
		return slices.Compact(all)
	case foreign:
		return nil
	}
	for i := range h.Promise.Limits {
		all = append(all, i)
	}
	return all
}

// policyOf returns the limits that a policy may tell: those in its own window,
// else those at its own rate, else those of which it names the burst.
func (h *headerCase) policyOf(p policy) []int {
	var best []int
	how := itsNothing
	for i, l := range h.Promise.Limits {
		switch its := p.tells(l); {
		case its == itsNothing || its < how:
		case its > how:
			best, how = []int{i}, its
		default:
			best = append(best, i)
		}
	}
	return best
}

// numbered returns the limits of which a number is the limit or the burst.
func (h *headerCase) numbered(n int64) []int {
	var all []int
	for i, l := range h.Promise.Limits {
		if near(n, l.Limit, l) || near(n, l.Burst, l) {
			all = append(all, i)
		}
	}
	return all
}
