package scenarios

import "time"

// quotas refuses a plan that needs more than a limit which it must respect
// without verifying it, such as a daily quota.
func (c *compiler) quotas() {
	requests := make([]int, len(c.plan.Scenario.Groups))
	for _, s := range c.plan.Stretches() {
		if pace, ok := PaceOf(s.Phase); ok {
			requests[s.Group] += pace.Requests(s.Phase)
		}
	}
	for i, g := range c.plan.Scenario.Groups {
		for _, l := range g.Promise.Limits {
			if l.Unverified && int64(requests[i]) > max(l.Limit, l.Burst) {
				c.bad(g.place, "groups."+g.Name, "the plan comes to %d requests; %s must be respected (verify: false)", requests[i], l)
			}
		}
	}
}

// affordable refuses a plan that its budget would stop.
func (c *compiler) affordable() {
	budget, requests := c.plan.Scenario.Budget, c.plan.ErrandRequests()
	if budget.Requests > 0 && requests > budget.Requests {
		c.bad(place{}, "budget", "setup and teardown come to %d requests; the budget is %d (raise budget.requests, or plan less)", requests, budget.Requests)
	}
	for _, track := range c.plan.Tracks {
		var length time.Duration
		for _, p := range track.Phases {
			pace, _ := PaceOf(p)
			n := pace.Requests(p)
			requests, length = requests+n, length+p.About
			if budget.Requests > 0 && requests > budget.Requests && requests-n <= budget.Requests {
				c.over(p, "the plan comes to %d requests here; the budget is %d (raise budget.requests, or plan less)", requests, budget.Requests)
			}
			if budget.Duration > 0 && length > budget.Duration && length-p.About <= budget.Duration {
				c.over(p, "the plan takes %s until here; the budget is %s (raise budget.duration, or plan less)", length.Round(time.Second), budget.Duration)
			}
		}
	}
}

func (c *compiler) over(p Phase, format string, args ...any) {
	g := c.plan.Scenario.Groups[c.plan.Lanes[p.Lanes[0]].Group]
	at := p.place
	if at.line == 0 {
		at = g.place
	}
	c.bad(at, "groups."+g.Name, "%s: "+format, append([]any{p.Label}, args...)...)
}
