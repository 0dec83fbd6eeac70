package scenarios

import "time"

var rest = Pace{
	Name:     "rest",
	Doc:      "Sends nothing for a while (For).",
	Offsets:  func(Phase, func(time.Duration) bool) {},
	Length:   func(p Phase) time.Duration { return p.For },
	Requests: func(Phase) int { return 0 },
}
