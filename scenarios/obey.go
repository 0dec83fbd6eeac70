package scenarios

import (
	"math"
	"time"

	"duckload/limiter"
)

var obey = Pace{
	Name:     "obey",
	Doc:      "Provokes a rejection, waits as long as its Retry-After says, and sends one request; Count times, from waits with different fractions of a second (Limit), giving up on waits longer than For.",
	Next:     nextObey,
	Requests: mostObeyed,
}

func mostObeyed(p Phase) int { return p.Count*(2+obeyTries) + drainFor(p) + drains(p) }

// drains is how many requests use up what is there before the first rejection
// of each wait: a window is whole again after it, a bucket has a token.
func drains(p Phase) int {
	if p.Limit.Reading == limiter.TokenBucket {
		return p.Drain
	}
	return p.Drain * p.Count
}

// fractions are the parts of a second that the waits have at the moment of the
// rejections. With one alone, rounding to the nearest second looks honest.
var fractions = []float64{0.25, 0.75}

// obeyTries bounds how often a rejection is sought.
const obeyTries = 6

// drainFor is how many tokens come back while somebody waits for whole seconds.
func drainFor(p Phase) int {
	return p.Count * int(math.Ceil(2*float64(time.Second)/float64(p.Limit.Interval())))
}

func nextObey(p Phase, v View) Move {
	mine := own(v)
	done, waiting := obeyed(p, v, mine)
	if done >= p.Count || len(mine) >= mostObeyed(p) {
		return Move{Done: true}
	}
	if waiting != nil {
		return Move{Shots: []Shot{shot(p, v, promised(p, *waiting))}}
	}
	if p.Limit.Reading != limiter.TokenBucket {
		return Move{Shots: []Shot{shot(p, v, v.Now)}}
	}
	f, token := forecastOf(p, v), p.Limit.Interval()
	if n := f.tokens(token, v.Now); n > 0 && f.refused == 0 {
		if quick(p, v) {
			n += 2
		}
		n = min(n, mostObeyed(p)-len(mine))
		shots := make([]Shot, n)
		for i := range shots {
			shots[i] = shot(p, v, v.Now)
		}
		return Move{Shots: apart(shots)}
	}
	return Move{Shots: []Shot{shot(p, v, provoke(p, v, f, done))}}
}

// provoke returns a moment soon at which a rejection has whole seconds and the
// wanted fraction of one still to wait. A long wait is the harder test: a
// constant Retry-After of 1 is true often enough near the token.
func provoke(p Phase, v View, f forecast, done int) time.Duration {
	middle := (f.early + f.late) / 2
	if p.Limit.Interval() <= time.Second || middle <= v.Now {
		return v.Now
	}
	wait := time.Duration(fractions[done%len(fractions)] * float64(time.Second))
	spare := middle - v.Now - wait - 2*guard
	if spare < 0 {
		return v.Now
	}
	return middle - wait - spare.Truncate(time.Second)
}

// quick reports that tokens come faster than a rejection can be had alone.
func quick(p Phase, v View) bool { return p.Limit.Interval() < 4*trip(v) }

// promised returns when a client may come back that was told to wait, by a
// clock that may be as wrong as the assumptions allow.
func promised(p Phase, s Seen) time.Duration {
	return s.Answered + time.Duration(math.Ceil(float64(s.RetryAfter)*(1+drift))) + p.Limit.Clock() + guard
}

// obeyed counts the waits that are over, and returns the rejection that is to
// be obeyed now, if there is one.
func obeyed(p Phase, v View, mine []Seen) (done int, waiting *Seen) {
	var consumed time.Duration
	tries := 0
	for i := range mine {
		s := &mine[i]
		switch {
		case waiting != nil && s.Sent >= waiting.Answered+waiting.RetryAfter:
			done, waiting, tries = done+1, nil, 0
		case waiting == nil && s.Outcome == limiter.Rejected && (s.Sent >= consumed || quick(p, v)):
			if waiting = s; s.RetryAfter < 0 || s.RetryAfter > p.For {
				done, waiting, tries = done+1, nil, 0
			}
		default:
			if tries++; tries > obeyTries+drainFor(p)+p.Drain {
				done, tries = done+1, 0
			}
		}
		if s.Outcome != limiter.Rejected {
			consumed = max(consumed, decided(*s))
		}
	}
	return done, waiting
}
