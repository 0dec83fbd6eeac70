package scenarios

var lone = Pace{
	Name: "lone",
	Doc:  "Sends one request and waits for its answer.",
	Next: func(p Phase, v View) Move {
		return Move{Shots: []Shot{shot(p, v, v.Now)}, Done: true}
	},
	Requests: func(Phase) int { return 1 },
}
