package scenarios

import (
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// meet keeps a key used up at a moment that everybody knows, so that senders
// who cannot talk to each other during the run can ask in the meantime.
var meet = Pace{
	Name:     "meet",
	Doc:      "From a moment of the run on (At) and for a while (For), keeps the key of the first lane used up (Limit), while other agents ask.",
	Next:     nextMeet,
	Requests: mostMeet,
}

// meetGap is the time between two looks at a key that is used up.
const meetGap = 100 * time.Millisecond

// meetEach is how many requests a look has: one more than came back since the
// one before, with the way there and back.
func meetEach(l limiter.Limit, way time.Duration) int {
	return 1 + int(math.Ceil(l.Rate()*(meetGap+min(way, meetGap)).Seconds()))
}

// meetDrain is the most that it may take to use the key up. A bucket's tokens
// are counted; anything else is asked for twice as many each time.
func meetDrain(l limiter.Limit) int {
	if l.Reading == limiter.TokenBucket {
		return int(l.Capacity()) + 2
	}
	return 2 * (int(l.Capacity()) + 1)
}

func mostMeet(p Phase) int {
	return meetDrain(p.Limit) + meetEach(p.Limit, meetGap)*(2+int(p.For/meetGap))
}

func nextMeet(p Phase, v View) Move {
	mine, left := own(v), mostMeet(p)
	left -= len(mine)
	switch {
	case v.Now < p.At:
		return Move{Wake: p.At}
	case v.Now >= p.At+p.For || left <= 0:
		return Move{Done: true}
	}
	at, n, last := v.Now, meetEach(p.Limit, 2*trip(v)), len(mine)-1
	rejected := func(s Seen) bool { return s.Outcome == limiter.Rejected }
	refused := slices.ContainsFunc(mine, rejected)
	switch {
	case refused && slices.ContainsFunc(lastLook(mine), rejected):
		if at = max(at, mine[last].Intended+meetGap); at >= p.At+p.For {
			return Move{Done: true}
		}
	case refused: // there was more than was looked for: look again
	case last < 0 && p.Limit.Reading == limiter.TokenBucket:
		n = min(max(n, forecastOf(p, v).tokens(p.Limit.Interval(), v.Now)+1), meetDrain(p.Limit))
	default:
		n = max(n, len(mine)) // as many again
	}
	shots := make([]Shot, min(n, left))
	for i := range shots {
		shots[i] = shot(p, v, at)
	}
	return Move{Shots: apart(shots)}
}

// lastLook returns the requests that were meant to be sent together with the
// last one: nanoseconds apart.
func lastLook(mine []Seen) []Seen {
	last := mine[len(mine)-1].Intended
	from := slices.IndexFunc(mine, func(s Seen) bool { return s.Intended > last-meetGap/2 })
	return mine[from:]
}
