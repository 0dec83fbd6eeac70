package scenarios

import (
	"slices"
	"time"

	"duckload/limiter"
)

var effects = Pace{
	Name:     "effects",
	Doc:      "Looks at what became of earlier requests of its lanes (Effects): of Count that were rejected, of one of three as many that were admitted, and of as many without a clear answer. It waits as Retry-After says, at most For.",
	Next:     nextEffect,
	Requests: mostLooks,
}

// lookTries is how often one request is looked at until an answer tells.
const lookTries = 3

func mostLooks(p Phase) int { return lookTries * (2*p.Count + alsoAdmitted(p)) }

// alsoAdmitted is how many admitted requests are looked at.
func alsoAdmitted(p Phase) int { return (p.Count + 2) / 3 }

func nextEffect(p Phase, v View) Move {
	mine := own(v)
	for _, s := range subjects(p, v) {
		tries, last := 0, Seen{}
		for _, l := range mine {
			if l.Lane == s.Lane && l.Of == s.Seq {
				tries, last = tries+1, l
			}
		}
		if tries >= lookTries || tries > 0 && !(last.Outcome == limiter.Rejected || lost(last)) {
			continue
		}
		at, ok := v.Now, true
		if tries > 0 && !lost(last) {
			at, ok = again(p, v, last)
		}
		if ok {
			look := limiter.LookAfter
			if e, _ := effectOf(p, s); e.Again {
				look = limiter.LookAgain
			}
			return Move{Shots: []Shot{{At: at, Lane: s.Lane, Phase: v.Phase, Look: look, Of: s.Seq}}}
		}
	}
	return Move{Done: true}
}

func effectOf(p Phase, s Seen) (limiter.Effect, bool) {
	return limiter.Promise{Effects: p.Effects}.EffectOf(s.Request)
}

// subjects returns the earlier requests to look at, those that were rejected
// first.
func subjects(p Phase, v View) []Seen {
	var of [3][]Seen // by outcome
	for _, s := range v.Seen {
		if _, seen := effectOf(p, s); seen && s.Phase < v.Phase && s.Look == limiter.LookNone && slices.Contains(p.Lanes, s.Lane) {
			of[s.Outcome] = append(of[s.Outcome], s)
		}
	}
	return slices.Concat(spread(of[limiter.Rejected], p.Count), spread(of[limiter.Admitted], alsoAdmitted(p)), spread(of[limiter.Unknown], p.Count))
}

// spread returns n of all, evenly from the last one back: those under pressure
// and those at ease.
func spread(all []Seen, n int) []Seen {
	if len(all) <= n {
		return all
	}
	some := make([]Seen, n)
	for i := range some {
		some[i] = all[len(all)-1-i*len(all)/n]
	}
	return some
}

// looking returns the phase that looks at what a group's requests did.
func (c *compiler) looking(group int, lanes []int) []Phase {
	g := c.plan.Scenario.Groups[group]
	if len(g.Promise.Effects) == 0 {
		return nil
	}
	p := Phase{Pace: effects.Name, Label: "looks at effects", Count: 10, Effects: g.Promise.Effects, Limit: examinedFirst(g.Promise.Limits), Lanes: lanes,
		Why: "a rejected request must not have happened, an admitted one must have, once"}
	token := p.Limit.Interval()
	// Each identical request needs allowance of its own.
	if slices.ContainsFunc(p.Effects, func(e limiter.Effect) bool { return e.Again }) {
		p.Count = int(min(10, max(2, 10*time.Second/max(1, token))))
		p.About = time.Duration(p.Count+alsoAdmitted(p)) * token
	}
	p.For = min(p.Limit.FullRest(), maxDuration) + 2*time.Second
	p.Likely = p.Count + alsoAdmitted(p)
	return []Phase{p}
}

// Looked returns the request that looks at what request of a lane did.
func (p Plan) Looked(lane int, look limiter.Look, of uint64, captured map[string]string) Message {
	if look == limiter.LookAgain {
		return p.MessageWith(lane, of, captured)
	}
	l := p.Lanes[lane]
	g := p.Scenario.Groups[l.Group]
	e, ok := g.Promise.EffectOf(g.Pick(of))
	if !ok {
		panic("a look at a request without an effect") // the pace looks at no other
	}
	m := p.spelled(g.Looks[e.After], l.Identity, filling{run: p.Run, group: p.numbers(lane), seq: of, captured: captured})
	m.Request = len(g.Requests) + e.After
	return m
}
