package scenarios

var steered = Pace{
	Name: "steered",
	Doc:  "Whatever Steer says, at most Count requests: a loop outside decides after each answer what to send next.",
	Next: func(p Phase, v View) Move {
		if p.Steer == nil {
			return Move{Done: true}
		}
		return p.Steer(v)
	},
	Requests: func(p Phase) int { return p.Count },
}
