package scenarios

import "duckload/limiter"

var comeback = Pace{
	Name: "comeback",
	Doc:  "Sends one request as soon as the latest Retry-After of the first lane allows, giving up on waits longer than For.",
	Next: func(p Phase, v View) Move {
		for i := len(v.Seen) - 1; i >= 0; i-- {
			s := v.Seen[i]
			if s.Lane != p.Lanes[0] || s.Outcome != limiter.Rejected {
				continue
			}
			if s.RetryAfter < 0 || s.RetryAfter > p.For {
				break
			}
			return Move{Shots: []Shot{shot(p, v, promised(p, s))}, Done: true}
		}
		return Move{Done: true}
	},
	Requests: func(Phase) int { return 1 },
}
