package scenarios

import (
	"math"
	"time"
)

var hold = Pace{
	Name: "hold",
	Doc:  "Sends evenly at a rate (Rate) for a while (For), the first request at once.",
	Offsets: func(p Phase, yield func(time.Duration) bool) {
		for i := 0; ; i++ {
			if at := holdMoment(p.Rate, i); at >= p.For || !yield(at) {
				return
			}
		}
	},
	Length: func(p Phase) time.Duration { return p.For },
	Requests: func(p Phase) int {
		n := int(p.For.Seconds() * p.Rate)
		for n > 0 && holdMoment(p.Rate, n-1) >= p.For {
			n--
		}
		for holdMoment(p.Rate, n) < p.For {
			n++
		}
		return n
	},
}

// holdMoment is counted from the start each time, so that rounding cannot add
// up: a float is exact to a tenth of a nanosecond after a week.
func holdMoment(rate float64, i int) time.Duration {
	at := math.Round(float64(i) * float64(time.Second) / rate)
	if at >= float64(maxDuration)*2 {
		return maxDuration * 2
	}
	return time.Duration(at)
}
