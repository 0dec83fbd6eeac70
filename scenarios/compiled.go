package scenarios

import (
	"fmt"
	"math"
	"time"

	"duckload/limiter"
)

// patience is how long the plan of one group should take where the promise
// leaves a choice.
const patience = 75 * time.Second

// compiled returns the phases that test a group's promise at its critical
// moments, in an order in which each phase finds what it needs.
func (c *compiler) compiled(group int, lanes []int) []Phase {
	g := c.plan.Scenario.Groups[group]
	l, ok := examined(g.Promise.Limits)
	if !ok {
		return nil
	}
	b := builder{limit: l, fresh: g.Fresh && g.Shares == "", thorough: c.options.Thorough, trip: c.options.Trip, lanes: lanes[:1], others: lanes[1:]}
	if b.trip <= 0 {
		b.trip = assumedTrip
	}
	if len(b.others) > maxOthers {
		b.others = b.others[:maxOthers]
	}
	if l.Reading == limiter.TokenBucket {
		return b.bucket()
	}
	return b.windows()
}

// maxOthers is how many other senders are asked for the scope.
const maxOthers = 4

// examined returns the limit that a plan examines: of those to verify the one
// that is exhausted first.
func examined(limits []limiter.Limit) (limiter.Limit, bool) {
	var best limiter.Limit
	found := false
	for _, l := range limits {
		if !l.Unverified && (!found || l.Capacity() < best.Capacity()) {
			best, found = l, true
		}
	}
	return best, found
}

// A builder spells out the phases of one limit.
type builder struct {
	limit    limiter.Limit
	fresh    bool
	thorough bool
	trip     time.Duration
	lanes    []int
	others   []int
	phases   []Phase
}

func (b *builder) add(p Phase) {
	p.Limit, p.Lanes = b.limit, b.lanes
	if pace, ok := PaceOf(p); ok && pace.Length != nil {
		p.About = pace.Length(p)
	}
	b.phases = append(b.phases, p)
}

// refill rests until the allowance is certainly whole; about says how long
// that takes after what was sent before.
func (b *builder) refill(about time.Duration, why string) {
	p := Phase{Pace: refill.Name, Label: "rest until full", Why: why, About: about}
	if !b.fresh {
		p.For = b.limit.FullRest()
	}
	b.add(p)
}

// bucket tests a token bucket. The hold comes first, because only a full
// bucket has slack to spare; its last requests are the anchor of the burst.
func (b *builder) bucket() []Phase {
	token, capacity := b.limit.Interval(), int(b.limit.Burst)
	if !b.fresh {
		b.refill(b.limit.FullRest(), "the allowance must be whole before it is measured")
	}
	b.add(Phase{Pace: lone.Name, Label: "anchor", Why: "one request alone: is the target there, and how long is a round trip", About: b.trip})
	b.refill(slower(token), "the hold must begin with a full bucket, or a late request would have no slack")
	b.sustained()
	extra := 2 + int(b.limit.Rate()*float64(capacity)*0.0003)
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d", capacity+extra), Count: capacity + extra, Rejections: extra + 1,
		Why: "more at once than the documented burst: all beyond it must be rejected, nothing before"})

	back := partial(b.limit, b.thorough)
	resting := slower(time.Duration(back)*token) + 2*b.limit.Clock()
	b.obeying()
	b.edging(patience - b.about() - resting)
	b.scoping()
	b.add(Phase{Pace: rest.Name, Label: "rest " + resting.Round(time.Millisecond).String(), For: resting,
		Why: fmt.Sprintf("lets %d of %d tokens come back", back, capacity)})
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d after the rest", back+2), Count: back + 2, Rejections: 2,
		Why: "what came back: a bucket gives back a part, a window all or nothing"})
	return b.phases
}

// sustained paces itself at exactly the documented rate.
func (b *builder) sustained() {
	token := b.limit.Interval()
	n := min(max(2, int((5*time.Second+token-1)/token)), 60)
	b.add(Phase{Pace: hold.Name, Label: fmt.Sprintf("hold %d/%s", b.limit.Limit, limiter.Per(b.limit.Window)), Rate: b.limit.Rate(), For: time.Duration(n-1)*token + min(token/2, max(250*time.Millisecond, 4*b.trip)),
		Why: "a client that keeps exactly to the documented rate must never be rejected"})
}

// obeying asks twice for a Retry-After and keeps to it.
func (b *builder) obeying() {
	token := b.limit.Interval()
	longest := b.limit.FullRest() + 2*time.Second
	b.add(Phase{Pace: obey.Name, Label: fmt.Sprintf("obey Retry-After %d times", len(fractions)), Count: len(fractions), For: min(longest, max(2*token, 0)+2*time.Second),
		About: time.Duration(len(fractions)) * max(slower(token), time.Second+2*b.trip), Rejections: len(fractions),
		Why: "a client that waits as long as it is told must be admitted; at two fractions of a second, or rounding down would look honest"})
}

// edging probes both sides of the moments at which tokens come back, for as
// long as there is time, and at least one token.
func (b *builder) edging(left time.Duration) {
	token := b.limit.Interval()
	length := min(max(left, token), max(32*time.Second, 4*token))
	if b.thorough {
		length *= 3
	}
	const mostTokens = 2000
	tokens := min(max(1, length/token), mostTokens)
	pairs := min(int(tokens), maxPairs)
	late := b.limit.Clock() + 4*b.trip + time.Duration(float64(token)*drift)
	b.add(Phase{Pace: edges.Name, Label: "edge probes, " + several(int(tokens), "token"), Count: pairs, For: tokens*token + late, About: tokens*token + b.trip,
		Rejections: pairs * leadsEach(b.limit),
		Why:        "just before a token is due a request must be rejected, just after it one must be admitted: that measures the rate"})
}

// several returns "1 token" or "2 tokens".
func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// maxPairs is how many moments are probed on both sides.
const maxPairs = 60

// leadsEach is how many probes come before each of them.
func leadsEach(l limiter.Limit) int {
	switch {
	case l.RejectsConsume:
		return 0
	case l.Interval() >= slowToken:
		return len(leads)
	}
	return 1
}

// scoping asks from the other lanes while the first is exhausted.
func (b *builder) scoping() {
	if len(b.others) == 0 {
		return
	}
	p := Phase{Pace: scope.Name, Label: "scope probes", Others: b.others, About: time.Duration(4*len(b.others)) * b.trip, Rejections: 1 + len(b.others),
		Why: "while one sender is exhausted, another one shows who shares the counter"}
	b.add(p)
}

func (b *builder) about() time.Duration {
	var total time.Duration
	for _, p := range b.phases {
		total += p.About
	}
	return total
}

// partial returns how many tokens a partial rest brings back: half of the
// bucket, or what fits in some seconds.
func partial(l limiter.Limit, thorough bool) int {
	if thorough {
		return int(l.Burst)
	}
	most := int(min(int64(15*time.Second/l.Interval()), l.Burst/2))
	return max(1, most)
}

// slower returns how long a time may take by a clock that is as slow as the
// assumptions allow.
func slower(d time.Duration) time.Duration {
	return d + time.Duration(math.Ceil(float64(d)*drift))
}
