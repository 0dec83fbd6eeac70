package scenarios

import (
	"math"
	"time"

	"duckload/limiter"
)

var scope = Pace{
	Name:     "scope",
	Doc:      "While the key of the first lane is exhausted (Limit), asks from every other lane (Others), between two rejections on the first. The last of them may be disguises (Disguised), which are given up at the first answer that says nothing.",
	Next:     nextScope,
	Requests: mostScoped,
}

func mostScoped(p Phase) int {
	each := scopeProbes(p, maxSpan)
	if p.Limit.Reading == limiter.SlidingCounter {
		each = max(each, int(p.Limit.Limit)+2)
	}
	return len(p.Others)*scopeTries*(2+each) + scopeDrain
}

const (
	scopeTries = 3                      // how often a lane is asked until the first is rejected before and after
	scopeDrain = 40                     // what may be sent to exhaust the key
	maxSpan    = 250 * time.Millisecond // longest time between the two rejections that the bound counts with
)

// scopeProbes is enough that tokens which come back meanwhile cannot explain
// all of them.
func scopeProbes(p Phase, span time.Duration) int {
	return 2 + int(math.Ceil(p.Limit.Rate()*min(span, maxSpan).Seconds()))
}

// beyondCounter returns how many requests, together with those of the first
// lane, are more than a sliding counter admits. Its rejections alone prove
// little: what it admits again depends on where its windows begin.
func beyondCounter(p Phase, v View) int {
	if p.Limit.Reading != limiter.SlidingCounter {
		return 0
	}
	least := int(p.Limit.Limit) + 2
	n := 0
	for i := len(v.Seen) - 1; i >= 0; i-- {
		s := v.Seen[i]
		if s.Lane != p.Lanes[0] || s.Outcome != limiter.Admitted {
			continue
		}
		n++
		length := v.Now + 4*trip(v) - s.Sent
		least = min(least, int(p.Limit.Limit)+3+int(p.Limit.Rate()*length.Seconds())-n)
	}
	return least
}

// A scopeState is how far the questions have come.
type scopeState struct {
	other   int  // index into Others: who is asked next
	emptied bool // the last answer on the first lane was a rejection
	asked   bool // the other lane was asked since
	tried   int  // how often, since the key was exhausted
	tries   int
	drained int // admitted on the first lane in this phase
}

func nextScope(p Phase, v View) Move {
	mine := own(v)
	var state scopeState
	for _, s := range mine {
		state = state.after(p, s)
	}
	if state.other >= len(p.Others) || len(mine) >= mostScoped(p)-1 || state.drained >= scopeDrain {
		return Move{Done: true}
	}
	if !state.emptied || state.asked && !(p.disguised(state.other) && state.tried == 1) {
		return Move{Shots: emptying(p, v, state)}
	}
	n := min(max(scopeProbes(p, 4*trip(v)), beyondCounter(p, v)), mostScoped(p)-1-len(mine))
	if p.disguised(state.other) {
		// One alone, to see whether the server understands it at all; then the rest.
		if n = scopeProbes(p, 6*trip(v)) - 1; state.tried == 0 {
			n = 1
		}
		n = max(1, min(n, mostScoped(p)-1-len(mine)))
	}
	shots := make([]Shot, n)
	for i := range shots {
		shots[i] = Shot{At: v.Now, Lane: p.Others[state.other], Phase: v.Phase}
	}
	return Move{Shots: apart(shots)}
}

// disguised reports whether the i-th of the other lanes is the first one in
// disguise.
func (p Phase) disguised(i int) bool {
	return i < len(p.Others) && i >= len(p.Others)-p.Disguised
}

// emptying returns what exhausts the first lane, or shows that it still is.
func emptying(p Phase, v View, state scopeState) []Shot {
	n := 1
	if f := forecastOf(p, v); !state.asked && f.refused == 0 && p.Limit.Reading == limiter.TokenBucket {
		n = min(f.tokens(p.Limit.Interval(), v.Now)+1, scopeDrain-state.drained)
	}
	shots := make([]Shot, max(1, n))
	for i := range shots {
		shots[i] = shot(p, v, v.Now)
	}
	return apart(shots)
}

func (state scopeState) after(p Phase, s Seen) scopeState {
	switch {
	case s.Lane != p.Lanes[0]:
		if state.other < len(p.Others) && s.Lane != p.Others[state.other] {
			break // a disguise that was given up
		}
		state.asked, state.tried = true, state.tried+1
		if p.disguised(state.other) && s.Outcome == limiter.Unknown {
			state.other, state.tries, state.asked, state.tried = state.other+1, 0, false, 0
		}
	case s.Outcome == limiter.Rejected:
		if state.asked {
			state.other, state.tries = state.other+1, 0
		}
		state.emptied, state.asked, state.tried = true, false, 0
	default:
		if state.asked {
			state.tries++
		}
		if state.tries >= scopeTries {
			state.other, state.tries = state.other+1, 0
		}
		state.emptied, state.asked, state.tried = false, false, 0
		state.drained++
	}
	return state
}
