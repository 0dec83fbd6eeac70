package scenarios

import (
	"time"

	"duckload/limiter"
)

var expect = Pace{
	Name: "expect",
	Doc:  "Sends a request from each other lane (Others), one after another. One that the limiter rejects is sent again as soon as its Retry-After allows, giving up on waits longer than For.",
	Next: nextExpected,
	Requests: func(p Phase) int {
		return expectTries * len(p.Others)
	},
}

// expectTries is how often a lane is asked until the limiter lets it through.
const expectTries = 4

func nextExpected(p Phase, v View) Move {
	mine := own(v)
	for _, lane := range p.Others {
		tries, last := 0, Seen{}
		for _, s := range mine {
			if s.Lane == lane {
				tries, last = tries+1, s
			}
		}
		if tries > 0 && last.Outcome != limiter.Rejected || tries >= expectTries {
			continue
		}
		at, ok := v.Now, true
		if tries > 0 {
			at, ok = again(p, v, last)
		}
		if ok {
			return Move{Shots: []Shot{{At: at, Lane: lane, Phase: v.Phase}}}
		}
	}
	return Move{Done: true}
}

// again returns when somebody who was rejected may come back: as told, or
// after the time that one request takes to come back. It reports false if that
// is longer than the phase waits.
func again(p Phase, v View, rejected Seen) (at time.Duration, ok bool) {
	switch {
	case rejected.RetryAfter < 0:
		return max(v.Now, rejected.Answered+slower(p.Limit.Interval())+guard), p.Limit.Interval() <= p.For
	case rejected.RetryAfter > p.For:
		return 0, false
	}
	return max(v.Now, promised(p, rejected)), true
}

// expecting returns the phase that asks as those of whom the scenario says what
// they are told, on lanes of their own. It comes last: their answers are
// neither admissions nor rejections, and may have spent allowance.
func (c *compiler) expecting(group int, like int) []Phase {
	g := c.plan.Scenario.Groups[group]
	if len(g.Promise.Expect) == 0 {
		return nil
	}
	p := Phase{Pace: expect.Name, Label: "what others are told", Lanes: []int{like}, Limit: examinedFirst(g.Promise.Limits),
		Why: "somebody without a key, or with too low a tier, must be told what is documented"}
	for _, x := range g.Promise.Expect {
		lane := c.plan.Lanes[like]
		lane.Identity, lane.Trick = x.Identity, ""
		p.Others = append(p.Others, len(c.plan.Lanes))
		c.plan.Lanes = append(c.plan.Lanes, lane)
	}
	p.For = min(p.Limit.FullRest(), maxDuration) + 2*time.Second
	p.Likely = len(p.Others)
	p.About = time.Duration(len(p.Others)) * min(p.Limit.Interval(), p.For)
	return []Phase{p}
}

// examinedFirst returns the limit that a plan examines first.
func examinedFirst(limits []limiter.Limit) limiter.Limit {
	if all := examined(limits); len(all) > 0 {
		return all[0]
	}
	return limits[0]
}
