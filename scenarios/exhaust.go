package scenarios

import (
	"slices"

	"duckload/limiter"
)

// exhaust is for limiters that hold a multiple of what is documented, such as
// several servers that each count for themselves: how many they are shows only
// when they reject.
var exhaust = Pace{
	Name: "exhaust",
	Doc:  "Goes on with a burst of which nothing was rejected: as many again (Count) at once, until something is, at most twice.",
	Next: func(p Phase, v View) Move {
		sent := 0
		for _, s := range v.Seen {
			switch {
			case !slices.Contains(p.Lanes, s.Lane):
			case s.Outcome != limiter.Admitted: // exhausted, or unwell
				return Move{Done: true}
			case s.Phase == v.Phase:
				sent++
			}
		}
		if sent+p.Count > moreBursts*p.Count {
			return Move{Done: true}
		}
		shots := make([]Shot, p.Count)
		for i := range shots {
			shots[i] = shot(p, v, v.Now)
		}
		return Move{Shots: apart(shots)}
	},
	Requests: func(p Phase) int { return moreBursts * p.Count },
}

const (
	moreBursts  = 2      // with the first one, three replicas are exhausted
	mostExhaust = 10_000 // requests of a burst that is followed by more
)

// exhausting goes on with a burst of so many that nothing was rejected of. Of
// several limits another one may be what is exhausted.
func (b *builder) exhausting(burst int) {
	if burst > mostExhaust || b.room < unlimited {
		return
	}
	b.add(Phase{Pace: exhaust.Name, Label: "until something is rejected", Count: burst,
		Why: "only if all of the burst was admitted: what is enforced instead, such as the limits of several replicas"})
}

// spare leaves out the phases that only a broken promise needs where a budget
// or a quota has no room for them.
func (c *compiler) spare() {
	short := make([]bool, len(c.plan.Scenario.Groups))
	sent, all := make([]int, len(short)), c.plan.ErrandRequests()
	for _, s := range c.plan.Stretches() {
		pace, _ := PaceOf(s.Phase)
		sent[s.Group] += pace.Requests(s.Phase)
		all += pace.Requests(s.Phase)
	}
	budget := c.plan.Scenario.Budget.Requests
	for i, g := range c.plan.Scenario.Groups {
		short[i] = budget > 0 && all > budget || slices.ContainsFunc(g.Promise.Limits, func(l limiter.Limit) bool {
			return l.Unverified && int64(sent[i]) > max(l.Limit, l.Burst)
		})
	}
	for i := range c.plan.Tracks {
		c.plan.Tracks[i].Phases = slices.DeleteFunc(c.plan.Tracks[i].Phases, func(p Phase) bool {
			return p.Pace == exhaust.Name && short[c.plan.Lanes[p.Lanes[0]].Group]
		})
	}
}
