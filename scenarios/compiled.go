package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// patience is how long the plan of one group should take where the promise
// leaves a choice and nothing else is said.
const patience = 75 * time.Second

// compiled returns the phases that test a group's promise at its critical
// moments, in an order in which each phase finds what it needs.
//
// after is how long the plan takes once that is done.
func (c *compiler) compiled(group int, lanes []int, after time.Duration) []Phase {
	g := c.plan.Scenario.Groups[group]
	limits := examined(g.Promise.Limits)
	if len(limits) == 0 {
		limits = g.Promise.Limits[:1]
	}
	l := limits[0]
	b := builder{limit: l, fresh: g.Fresh && g.Shares == "", thorough: c.options.Thorough, trip: c.options.Trip, patience: max(1, cmp.Or(c.options.Patience, patience)-after), lanes: lanes[:1], others: lanes[1:], room: unlimited}
	for _, other := range limits[1:] {
		b.room = min(b.room, int(other.Capacity()))
	}
	if b.trip <= 0 {
		b.trip = assumedTrip
	}
	if len(b.others) > maxOthers {
		b.others = b.others[:maxOthers]
	}
	disguises := c.tricks(lanes[0])
	b.others, b.disguised = append(slices.Clone(b.others), disguises...), len(disguises)
	b.sharing = c.sharing(l.Scope, lanes[0], b.others)
	switch {
	case l.Unverified: // nothing is to be verified, but something is to be sent
		b.add(Phase{Pace: lone.Name, Label: "one request", Why: "every limit is marked verify: false, so none is approached", About: b.trip, Likely: 1})
		return b.phases
	case l.Reading == limiter.LeakyQueue:
		b.queue()
	case l.Reading == limiter.Concurrency:
		b.places()
	case l.Reading != limiter.TokenBucket:
		return b.windows()
	default:
		b.bucket()
	}
	for _, other := range limits[1:] {
		b.behind(other)
	}
	return b.phases
}

// maxOthers is how many other senders are asked for the scope.
const maxOthers = 4

// examined returns the limits that a plan examines: those to verify, the one
// that is exhausted first before the others.
func examined(limits []limiter.Limit) []limiter.Limit {
	var all []limiter.Limit
	for _, l := range limits {
		if !l.Unverified {
			all = append(all, l)
		}
	}
	slices.SortStableFunc(all, func(a, b limiter.Limit) int { return cmp.Compare(a.Capacity(), b.Capacity()) })
	return all
}

// unlimited is the room of a limit that is alone.
const unlimited = math.MaxInt

// A builder spells out the phases of one limit.
type builder struct {
	limit     limiter.Limit
	fresh     bool
	thorough  bool
	trip      time.Duration
	patience  time.Duration
	lanes     []int
	others    []int
	disguised int   // how many of the others, the last ones, are disguises
	sharing   []int // those of the others that may count on the same counter
	room      int   // how many requests the other limits of the promise admit at once
	phases    []Phase
}

func (b *builder) add(p Phase) {
	p.Limit, p.Lanes = b.limit, b.lanes
	if pace, ok := PaceOf(p); ok && pace.Length != nil {
		p.About, p.Likely = pace.Length(p), pace.Requests(p)
	} else {
		p.Lanes = append(slices.Clone(b.lanes), b.sharing...)
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
func (b *builder) bucket() {
	token, capacity := b.limit.Interval(), int(b.limit.Burst)
	if !b.fresh {
		b.refill(b.limit.FullRest(), "the allowance must be whole before it is measured")
	}
	b.add(Phase{Pace: lone.Name, Label: "anchor", Why: "one request alone: is the target there, and how long is a round trip", About: b.trip, Likely: 1})
	b.refill(slower(token), "the hold must begin with a full bucket, or a late request would have no slack")
	b.sustained()
	extra := 2 + int(b.limit.Rate()*float64(capacity)*0.0003)
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d", capacity+extra), Count: capacity + extra, Rejections: extra + 1,
		Why: "more at once than the documented burst: all beyond it must be rejected, nothing before"})
	b.exhausting(capacity + extra)

	back := partial(b.limit, b.thorough)
	resting := slower(time.Duration(float64(back)*float64(token)/(1-b.limit.Tolerance))) + 2*b.limit.Clock()
	b.obeying()
	b.edging(b.patience - b.about() - resting)
	b.scoping()
	b.add(Phase{Pace: rest.Name, Label: "rest " + resting.Round(time.Millisecond).String(), For: resting,
		Why: fmt.Sprintf("lets %d of %d tokens come back", back, capacity)})
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d after the rest", back+2), Count: back + 2, Rejections: 2,
		Why: "what came back: a bucket gives back a part, a window all or nothing"})
}

// behind tests a limit that only shows when another one, which is exhausted
// first, is kept to for long enough: somewhat below that one's rate.
func (b *builder) behind(other limiter.Limit) {
	rate, slow := 0.9*b.limit.Rate(), other.Rate()
	if b.limit.Reading == limiter.Concurrency {
		rate = 2 * slow // a request now and then is under way alone
	}
	if other.Reading != limiter.TokenBucket || rate <= slow*1.1 {
		return
	}
	b.limit, b.others, b.disguised, b.room = other, nil, 0, unlimited
	b.refill(other.FullRest(), "the other limit must be whole before it is measured")
	length := float64(other.Burst+3) / (rate - slow)
	b.add(Phase{Pace: hold.Name, Label: fmt.Sprintf("hold %.3g/s", rate), Rate: rate, For: time.Duration(length * float64(time.Second)), Rejections: 3,
		Why: fmt.Sprintf("below the first limit and above %s, until that is exhausted", other)})
	b.edging(20 * time.Second)
}

// sustained paces itself at the documented rate, or as little below it as
// makes every rejection the server's fault.
func (b *builder) sustained() {
	gap := b.steady()
	n := min(max(2, min(int((b.holding()+gap-1)/gap), b.room/8)), 60)
	rate, label := float64(time.Second)/float64(gap), fmt.Sprintf("%.3g", float64(b.limit.Window)/float64(gap))
	if gap == b.limit.Interval() {
		rate, label = b.limit.Rate(), fmt.Sprint(b.limit.Limit)
	}
	b.add(Phase{Pace: hold.Name, Label: "hold " + label + "/" + limiter.Per(b.limit.Window), Rate: rate, For: time.Duration(n-1)*gap + min(gap/2, max(250*time.Millisecond, 4*b.trip)),
		Why: "a client that keeps to the documented rate must never be rejected"})
}

// holding returns how long to hold. A window whose returns cannot be looked for,
// because each look would count, is loosely bounded: that none of twice its
// length explains the run shows only when the rate was kept for several.
func (b *builder) holding() time.Duration {
	const usual = 5 * time.Second
	if l := b.limit; l.RejectsConsume && (l.Reading == limiter.SlidingCounter || l.Reading == limiter.Open) && l.Limit > 4 {
		needed := time.Duration(float64(l.Window) * 1.1 * float64(l.Limit+2) / (float64(l.Limit)/2 - 2))
		if b.about()+needed <= max(b.patience, 14*l.Window) {
			return max(usual, needed)
		}
	}
	return usual
}

// steady returns the time between requests at which a client must never be
// rejected, however late some of them are: that of the documented rate where
// a burst gives slack. Without one, a request that is a little late makes the
// next one early; a window may hold one more than its limit of those that come
// exactly at its rate, and a weighted one counts up to two more.
func (b *builder) steady() time.Duration {
	l := b.limit
	late := l.Clock() + b.trip
	switch {
	case (l.Reading == limiter.TokenBucket || l.Reading == limiter.LeakyQueue) && l.Burst == 1:
		return slower(l.Interval()) + late + 3*b.trip
	case l.Reading == limiter.TokenBucket, l.Reading == limiter.SteppedBucket, l.Reading == limiter.LeakyQueue:
		return l.Interval()
	case l.Reading == limiter.FixedWindow, l.Reading == limiter.SlidingLog:
		return (slower(l.Window) + late) / time.Duration(l.Limit)
	case l.Limit <= 2:
		return slower(l.FullRest()) + late
	}
	return (slower(l.Window) + late) / time.Duration(l.Limit-2)
}

// obeying asks twice for a Retry-After and keeps to it.
func (b *builder) obeying() {
	token := b.limit.Interval()
	longest := b.limit.FullRest() + 2*time.Second
	b.add(Phase{Pace: obey.Name, Label: fmt.Sprintf("obey Retry-After %d times", len(fractions)), Count: len(fractions), For: min(longest, max(2*token, 0)+2*time.Second),
		About: time.Duration(len(fractions)) * max(slower(token), time.Second+2*b.trip), Rejections: len(fractions),
		Likely: len(fractions) * (2 + int(time.Second/token)),
		Why:    "a client that waits as long as it is told must be admitted; at two fractions of a second, or rounding down would look honest"})
}

// edging probes both sides of the moments at which tokens come back, for as
// long as there is time, and at least one token.
func (b *builder) edging(left time.Duration) {
	token := b.limit.Interval()
	length := min(max(left, token), max(32*time.Second, 4*token))
	if p := b.limit.Precision; p > 0 {
		length = max(length, time.Duration(float64(4*b.trip+b.limit.Clock())/(p-drift)))
	}
	if b.thorough {
		length *= 3
	}
	const mostTokens = 2000
	tokens := min(max(1, length/token), mostTokens, time.Duration(max(1, b.room/3)))
	pairs := min(int(tokens), maxPairs)
	late := b.limit.Clock() + 4*b.trip + time.Duration(float64(token)*drift)
	b.add(Phase{Pace: edges.Name, Label: "edge probes, " + several(int(tokens), "token"), Count: pairs, For: (tokens+1)*token + late, About: tokens*token + b.trip,
		Rejections: pairs * leadsEach(b.limit), Likely: int(tokens) + pairs*leadsEach(b.limit),
		Why: "just before a token is due a request must be rejected, just after it one must be admitted: that measures the rate"})
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
	case l.Interval() >= verySlowToken:
		return len(leads) + len(shares) + 1
	case l.Interval() >= slowToken:
		return len(leads) + len(shares)
	}
	return 1
}

// scoping asks from the other lanes while the first is exhausted.
func (b *builder) scoping() {
	if len(b.others) == 0 {
		return
	}
	p := Phase{Pace: scope.Name, Label: "scope probes", Others: b.others, Disguised: b.disguised, About: time.Duration(4*len(b.others)) * b.trip, Rejections: 1 + len(b.others),
		Why: "while one sender is exhausted, another one shows who shares the counter"}
	p.Limit = b.limit
	p.Likely = 2 + len(b.others)*(1+scopeProbes(p, 4*b.trip))
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
