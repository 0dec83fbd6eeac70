package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"duckload/capacity"
)

var findCapacity = Pace{
	Name:     "find-capacity",
	Doc:      "Searches for the highest rate at which the objectives hold (Search): trial after trial, each at an even rate, whatever the answers do.",
	Next:     nextTrial,
	Requests: func(p Phase) int { return p.Search.Most },
}

func nextTrial(p Phase, v View) Move {
	mine := own(v)
	slices.SortStableFunc(mine, func(a, b Seen) int { return cmp.Compare(a.Intended, b.Intended) })
	answers := make([]capacity.Answer, len(mine))
	for i, s := range mine {
		answers[i] = capacity.Answer{Intended: s.Intended, Answered: s.Answered, Outcome: s.Outcome, Ours: s.Ours}
	}
	t, more := p.Search.Next(answers)
	if !more {
		return Move{Done: true}
	}
	shots := make([]Shot, t.N)
	for i := range shots {
		shots[i] = Shot{At: v.Now + t.Rest + t.At(i), Lane: p.Lane(i), Phase: v.Phase}
	}
	return Move{Shots: apart(shots)}
}

// The search of find-capacity: {}.
var usualSearch = capacity.Search{From: 10, To: 1000, Each: 3 * time.Second, Precision: 0.03, Most: 10_000}

func readCapacity(r *reader, w written) []Phase {
	s := usualSearch
	from, to := "10/s", "1000/s"
	found := r.mapping(w.value, []key{
		{"from", func(n node) { s.From, from = r.steady(n, w) }},
		{"to", func(n node) { s.To, to = r.steady(n, w) }},
		{"each", func(n node) { s.Each = r.duration(n) }},
		{"precision", func(n node) { s.Precision = r.precision(n) }},
		{"requests", func(n node) { s.Most = int(r.whole(n, 1, 1_000_000_000)) }},
	})
	switch {
	case found == nil:
		return nil
	case s.To < s.From:
		r.bad(w.value, "from %s is faster than to %s", from, to)
		return nil
	case s.Each < 100*time.Millisecond || s.Each > maxDuration:
		r.bad(w.value, "each trial must last from 100ms to %s, got %s", maxDuration, s.Each)
		return nil
	}
	if first := s.From * s.Each.Seconds(); found["requests"] && float64(s.Most) < first {
		r.bad(w.value, "the first trial alone has %.0f requests (%s for %s); give it more than %d", math.Ceil(first), from, s.Each, s.Most)
	}
	return []Phase{{Pace: findCapacity.Name, Search: &s, Label: fmt.Sprintf("find capacity from %s to %s", from, to)}}
}

// precision reads how narrow the bracket must be.
func (r *reader) precision(n node) float64 {
	if n.Kind != yaml.ScalarNode {
		r.bad(n, "must be a percentage, got %s", n.kind())
		return usualSearch.Precision
	}
	share, wrong := parsePercent(n.Value)
	if wrong == "" && (share < 0.005 || share > 0.5) {
		wrong = fmt.Sprintf("must be from 0.5%% to 50%%, got %s", shortened(n.Value))
	}
	if wrong != "" {
		r.bad(n, "%s", wrong)
		return usualSearch.Precision
	}
	return share
}

// trialsForeseen is about how many trials a search needs: one for each doubling
// of half of the way, and some to narrow the bracket.
func trialsForeseen(s capacity.Search) int { return int(math.Log2(s.To/s.From)/2) + 8 }
