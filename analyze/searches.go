package analyze

import (
	"cmp"
	"slices"

	"duckload/capacity"
	"duckload/history"
	"duckload/limiter"
)

// searches collects what was sent to find a capacity. What a search did follows
// from the answers that it saw, so the record tells it again; it holds at most
// as many requests as the search was allowed.
type searches map[int][]capacity.Answer

func (s *searches) observe(p *history.Phase, o *history.Observation, outcome limiter.Outcome) {
	if p.Search == nil || o.Resent {
		return
	}
	if *s == nil {
		*s = searches{}
	}
	(*s)[o.Phase] = append((*s)[o.Phase], capacity.Answer{Intended: o.Intended, Answered: o.Answered, Outcome: outcome, Ours: o.Error == local})
}

func (s searches) results(h *history.Header) []capacity.Result {
	var all []capacity.Result
	for i, p := range h.Phases {
		answers, ok := s[i]
		if !ok {
			continue
		}
		slices.SortFunc(answers, func(a, b capacity.Answer) int { return cmp.Compare(a.Intended, b.Intended) })
		all = append(all, p.Search.Result(answers))
	}
	return all
}
