package scenarios

import (
	"math"
	"time"
)

// sine solves N(t) = m·t + s·T/2π·(1 − cos(2πt/T)) = i for the moment of
// request i by bisection: N never falls, because the swing is at most the
// mean. From the start each time, so that nothing adds up.
var sine = Pace{
	Name: "sine",
	Doc:  "Swings around a rate (Rate) by another (Swing), once each Period, for a while (For), beginning at the middle and rising.",
	Offsets: func(p Phase, yield func(time.Duration) bool) {
		last := time.Duration(-1)
		for i := range sineCount(p) {
			at := min(max(sineMoment(p, i), last+1), p.For-1)
			if at <= last || !yield(at) {
				return
			}
			last = at
		}
	},
	Length:   func(p Phase) time.Duration { return p.For },
	Requests: sineCount,
}

// sineDue is the number of requests that are due before a moment, in seconds.
// Whole periods bring exactly the mean.
func sineDue(p Phase, t float64) float64 {
	period := p.Period.Seconds()
	part := math.Mod(t, period) / period
	return p.Rate*t + p.Swing*period/(2*math.Pi)*(1-math.Cos(2*math.Pi*part))
}

// sineCount is the number of moments before the end.
func sineCount(p Phase) int {
	total := sineDue(p, p.For.Seconds())
	return int(math.Ceil(total - 1e-9*max(1, total)))
}

func sineMoment(p Phase, i int) time.Duration {
	// The swing brings from nothing to twice its mean part, so the moment is
	// at most that long before the one at the mean rate.
	late := float64(i) / p.Rate
	early := max(0, late-p.Swing/p.Rate*p.Period.Seconds()/math.Pi)
	for late-early > 1e-10 {
		middle := early + (late-early)/2
		if middle <= early || middle >= late {
			break
		}
		if sineDue(p, middle) < float64(i) {
			early = middle
		} else {
			late = middle
		}
	}
	return time.Duration(math.Round(late * float64(time.Second)))
}
