package scenarios

import (
	"math"
	"time"

	"duckload/limiter"
)

var edges = Pace{
	Name:     "edges",
	Doc:      "Probes just before and just after the moments at which the documented bucket (Limit) has a token again, around at most Count of them, until as many came back as fit in For with one to spare.",
	Next:     nextEdge,
	Requests: mostEdges,
}

func mostEdges(p Phase) int {
	tokens := int(p.For/p.Limit.Interval()) + 2
	return tokens + tokens/4 + leadsEach(p.Limit)*min(p.Count, tokens) + slackProbes + p.Drain
}

// leads are how many round trips the probe before a token is ahead of it: a
// short one says more, a long one surely ends in time.
var leads = []time.Duration{2, 1, 4}

// slackProbes are spent where an answer surprises.
const slackProbes = 24

// shares are how much earlier, as a share of the time since the first request,
// slow tokens are also asked for: where only a few of them come back, a bucket
// that is a little too fast has a token before every lead.
var shares = []time.Duration{200, 400}

// Slow tokens get every lead each, quick ones one in turn. Very slow ones also
// get a probe long before: what it is told to wait can be held against what
// the others are told.
const (
	slowToken     = time.Second
	verySlowToken = 4 * time.Second
)

func nextEdge(p Phase, v View) Move {
	mine, token := own(v), p.Limit.Interval()
	end := v.Start + p.For
	left := mostEdges(p) - len(mine) - len(leads) - 2 // a pair more must fit
	if left < 0 || v.Now >= end || taken(mine) >= edgeTokens(p)+p.Drain {
		return Move{Done: true}
	}
	f := forecastOf(p, v)
	step := trip(v)
	if width := f.late - f.early; f.refused > 0 || width > token/2 && width > 2*step {
		return locate(p, v, f, end)
	}
	ahead := edgeStride(p, v, f, step)
	last := f.late + ahead*token
	after := last + p.Limit.Clock() + time.Duration(float64(token)*drift)
	if after >= end {
		return Move{Done: true}
	}
	var shots []Shot
	for i := range min(ahead, time.Duration(left)) {
		shots = append(shots, shot(p, v, f.late+i*token+p.Limit.Clock()))
	}
	if early := f.early + ahead*token - 3*token/4; token >= verySlowToken && leadsEach(p.Limit) > 0 && early > v.Now {
		shots = append(shots, shot(p, v, early))
	}
	for _, lead := range leadsBefore(p, v, f.early+ahead*token, len(mine), step) {
		at := f.early + ahead*token - lead - guard
		if at > v.Now && (len(shots) == 0 || at > shots[len(shots)-1].At) {
			shots = append(shots, shot(p, v, at))
		}
	}
	return Move{Shots: apart(append(shots, shot(p, v, after)))}
}

// edgeTokens is how many tokens come back in a phase that is kept to.
func edgeTokens(p Phase) int { return max(1, int(p.For/p.Limit.Interval())-1) }

// taken counts the requests that may have used a token.
func taken(seen []Seen) int {
	n := 0
	for _, s := range seen {
		if s.Outcome != limiter.Rejected {
			n++
		}
	}
	return n
}

// guard is kept between a probe that must end before a moment and the moment.
const guard = time.Millisecond

// edgeStride returns how many tokens to take first, so that the next one is
// far enough ahead, and so that the pairs last until the end.
func edgeStride(p Phase, v View, f forecast, step time.Duration) time.Duration {
	token := p.Limit.Interval()
	need := v.Now + 2*step + 2*guard - f.early
	ahead := max(0, time.Duration(math.Ceil(float64(need)/float64(token))))
	each := time.Duration(edgeTokens(p) / max(1, p.Count))
	return max(ahead, each-1)
}

// leadsBefore returns how long before a moment the probes before it are sent.
func leadsBefore(p Phase, v View, moment time.Duration, sent int, step time.Duration) []time.Duration {
	switch leadsEach(p.Limit) {
	case 0:
		return nil // the probe would empty the bucket again
	case 1:
		return []time.Duration{leads[sent/2%len(leads)] * step}
	}
	var all []time.Duration
	if len(v.Seen) > 0 {
		for _, share := range shares {
			all = append(all, (moment-v.Seen[0].Sent)/share)
		}
	}
	return append(all, 4*step, 2*step, step)
}

// locate sends one request to learn where the next token is, because an answer
// was lost or surprised.
func locate(p Phase, v View, f forecast, end time.Duration) Move {
	at := v.Now
	if f.refused > 0 {
		at = f.late
	} else if rejectedLast(v) {
		at = max(at, f.early+p.Limit.Interval()/4)
	}
	if at >= end {
		return Move{Done: true}
	}
	return Move{Shots: []Shot{shot(p, v, at)}}
}

func rejectedLast(v View) bool {
	mine := own(v)
	return len(mine) > 0 && mine[len(mine)-1].Outcome == limiter.Rejected
}
