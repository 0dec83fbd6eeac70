package scenarios

import (
	"fmt"
	"time"

	"duckload/limiter"
)

// queue tests a leaky queue: how many it takes in shows at once, by what it
// rejects; how fast it lets them through, by when their answers come.
func (b *builder) queue() {
	token, capacity := b.limit.Interval(), int(b.limit.Burst)
	if !b.fresh {
		b.refill(b.limit.FullRest(), "the queue must be empty before it is measured")
	}
	b.add(Phase{Pace: lone.Name, Label: "anchor", Why: "one request alone: is the target there, and how long is a round trip", About: b.trip, Likely: 1})
	b.refill(slower(token), "the hold must begin with an empty queue")
	b.sustained()
	b.refill(slower(token), "the burst must find an empty queue")
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d", capacity+2), Count: capacity + 2, Rejections: 2,
		Why: "all beyond the queue must be rejected at once, and the others answered one by one, none before its turn"})
	b.overload()
	drained := time.Duration(capacity) * token
	b.refill(drained, "the queue must be empty again")
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("burst %d to be told to wait", capacity+3), Count: capacity + 3, Rejections: 3,
		Why: "rejections, however slowly a busy machine sends them, whose Retry-After is obeyed"})
	// The told moment is a second wide, and this is its middle: a queue is not
	// empty by then, so nobody can wait for all answers first.
	wait := (slower(token) + time.Second - 1).Truncate(time.Second)
	b.add(Phase{Pace: rest.Name, Label: "rest as long as told", For: wait + time.Second/2, Why: "as long as an honest Retry-After can be, and half a second"})
	b.add(Phase{Pace: burst.Name, Label: "one request as told", Count: 1, Why: "a client that waits as long as it is told must be admitted"})
	if len(b.others) > 0 {
		b.refill(drained, "every sender must find an empty queue")
		b.together(capacity + 1)
	}
}

// Bounds of an overload: polls for each request that comes back, so many
// requests, and so long.
const (
	overloadPolls    = 20
	overloadRequests = 1200
	overloadLongest  = 30 * time.Second
)

// overload asks for more than comes back, for as long as there is time: what is
// admitted meanwhile, and what is not, measures the rate.
func (b *builder) overload() {
	token := b.limit.Interval()
	gap := max(1, min(token/2, max(4*b.trip, token/overloadPolls)))
	drained := time.Duration(b.limit.Burst) * token
	length := min(max(b.patience-b.about()-2*drained, 4*token), max(overloadLongest, 10*token), overloadRequests*gap)
	if b.thorough {
		length *= 3
	}
	n := int(length/gap) + 1
	b.add(Phase{Pace: hold.Name, Label: fmt.Sprintf("overload for %s", length.Round(100*time.Millisecond)), Rate: float64(time.Second) / float64(gap), For: length,
		Rejections: max(1, n-int(length/token)-1),
		Why:        "while the queue is full one request is let through in each interval, and one more can join it: that measures the rate"})
}

// places tests a limit of requests at once: the same requests at once and in
// turn, which is all that such a limit tells apart.
func (b *builder) places() {
	capacity := int(b.limit.Limit)
	inTurn := Phase{Pace: turns.Name, Label: fmt.Sprintf("%d in turn", capacity+2), Count: capacity + 2, About: time.Duration(capacity+2) * b.longest(), Likely: capacity + 2,
		Why: "one after another: a limit of requests at once rejects none of them, a limit of their rate might"}
	atOnce := Phase{Pace: burst.Name, Label: fmt.Sprintf("%d at once", capacity+2), Count: capacity + 2, Rejections: 2,
		Why: "two more than may be under way: they must be rejected, and nothing else"}
	b.add(Phase{Pace: lone.Name, Label: "anchor", Why: "one request alone: is the target there, and how long does it take", About: b.longest(), Likely: 1})
	b.add(inTurn)
	b.refill(0, "nothing must be under way")
	b.add(atOnce)
	b.refill(b.longest(), "until all are done")
	b.add(atOnce)
	b.add(Phase{Pace: comeback.Name, Label: "come back as told", For: time.Minute, About: time.Second + b.longest(), Likely: 1,
		Why: "a client that waits as long as it is told must be admitted if nobody else is there"})
	b.add(inTurn)
	if len(b.others) > 0 {
		b.refill(0, "nothing must be under way")
		b.together(capacity + 1)
	}
}

// longest is about how long a request takes.
func (b *builder) longest() time.Duration { return b.trip + b.limit.ServiceTime }

// together sends so many requests from each sender at once: those who share a
// counter share what it admits.
func (b *builder) together(each int) {
	lanes := append(b.lanes[:len(b.lanes):len(b.lanes)], b.others...)
	counters := 1 + len(b.others) - len(b.sharing)
	b.add(Phase{Pace: burst.Name, Label: fmt.Sprintf("%d senders at once, %d each", len(lanes), each), Count: each * len(lanes),
		Rejections: max(1, each*len(lanes)-int(b.limit.Capacity())*counters),
		Why:        "each sender asks for one more than is there for one: who shares a counter shows in how many are admitted"})
	b.phases[len(b.phases)-1].Lanes = lanes
}

// refuseHeld notes that a pace makes no sense of a queue or of a limit of
// requests at once, if it is that.
func (r *reader) refuseHeld(w written, why string) bool {
	if w.of.Reading != limiter.LeakyQueue && w.of.Reading != limiter.Concurrency {
		return false
	}
	r.bad(w.value, "makes no sense for a %s: %s (leave pacing out, or write bursts and rests)", w.of.Reading, why)
	return true
}
