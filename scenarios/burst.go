package scenarios

import "time"

// burst spaces its requests by a nanosecond. No network tells the difference,
// and moments that are not alike have an order, so that a run in virtual time
// is the same every time.
var burst = Pace{
	Name: "burst",
	Doc:  "Sends a number of requests at once (Count).",
	Offsets: func(p Phase, yield func(time.Duration) bool) {
		for i := range p.Count {
			if !yield(time.Duration(i)) {
				return
			}
		}
	},
	Length:   func(p Phase) time.Duration { return time.Duration(p.Count) },
	Requests: func(p Phase) int { return p.Count },
}
