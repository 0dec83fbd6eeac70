package scenarios

var turns = Pace{
	Name: "turns",
	Doc:  "Sends a number of requests one after another (Count), each when the one before has ended.",
	Next: func(p Phase, v View) Move {
		if len(own(v)) >= p.Count {
			return Move{Done: true}
		}
		return Move{Shots: []Shot{shot(p, v, v.Now)}}
	},
	Requests: func(p Phase) int { return p.Count },
}
