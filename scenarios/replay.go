package scenarios

import (
	"fmt"
	"math"
	"time"
)

var replay = Pace{
	Name: "replay",
	Doc:  "Sends at the moments of a recording (Recording), Speed times as fast.",
	Offsets: func(p Phase, yield func(time.Duration) bool) {
		last := time.Duration(-1)
		for i := range replayCount(p) {
			last = replayMoment(p, i, last)
			if !yield(last) {
				return
			}
		}
	},
	Length:   func(p Phase) time.Duration { return p.For },
	Requests: replayCount,
}

func replayCount(p Phase) int {
	if p.trace == nil {
		return 0
	}
	return p.trace.Len()
}

// replayMoment returns when request i comes, after the one before it. Moments
// that the speed brings together stay a nanosecond apart.
func replayMoment(p Phase, i int, last time.Duration) time.Duration {
	at := p.trace.At(i)
	if p.Speed != 1 {
		at = time.Duration(math.Round(float64(at) / p.Speed))
	}
	return max(at, last+1)
}

// atSpeed returns a replay that is so many times as fast as its recording. It
// ends with its last request.
func (p Phase) atSpeed(speed float64) Phase {
	p.Speed, p.Peak = speed, 0
	last, first, from := time.Duration(-1), 0, time.Duration(0)
	for i := range replayCount(p) {
		last = replayMoment(p, i, last)
		for from <= last-time.Second { // of the second that ends here
			first++
			from = time.Duration(float64(p.trace.At(first)) / speed)
		}
		p.Peak = max(p.Peak, i-first+1)
	}
	p.For = last + 1
	p.Label = "replay " + p.Recording + speedLabel(speed)
	return p
}

// wrongSpeed says what is wrong with replaying at a speed; empty: nothing.
func (p Phase) wrongSpeed(speed float64) string {
	length := float64(p.trace.Length()) / speed
	switch {
	case length > float64(maxDuration):
		return fmt.Sprintf("takes more than %d days at this time scale", maxDuration/(24*time.Hour))
	case float64(p.trace.Len()) > maxRate*length/1e9+maxBurst:
		return fmt.Sprintf("faster than %d requests a second at this time scale", maxRate)
	}
	return ""
}
