package scenarios

import (
	"math"
	"time"
)

// ramp solves N(t) = a·t + (b−a)·t²/(2D) = i for the moment of request i, in
// the form 2i/(a + √(a² + 2ci)) with c = (b−a)/D, which does not cancel.
var ramp = Pace{
	Name: "ramp",
	Doc:  "Changes evenly from one rate (Rate) to another (To) for a while (For).",
	Offsets: func(p Phase, yield func(time.Duration) bool) {
		last := time.Duration(-1)
		for i := range rampCount(p) {
			// Rounded moments may touch where the rate is high; they must not.
			at := min(max(rampMoment(p, i), last+1), p.For-1)
			if at <= last || !yield(at) {
				return
			}
			last = at
		}
	},
	Length:   func(p Phase) time.Duration { return p.For },
	Requests: rampCount,
}

// rampCount is the number of moments before the end: those with N(t) < N(D).
func rampCount(p Phase) int {
	total := (p.Rate + p.To) / 2 * p.For.Seconds()
	return int(math.Ceil(total - 1e-9*max(1, total)))
}

func rampMoment(p Phase, i int) time.Duration {
	if i == 0 {
		return 0
	}
	n := float64(i)
	c := (p.To - p.Rate) / p.For.Seconds()
	root := math.Sqrt(max(0, p.Rate*p.Rate+2*c*n))
	return time.Duration(2 * n / (p.Rate + root) * float64(time.Second))
}
