package analyze_test

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// A world is where a plan is sent in a simulation: limiters whose truth is
// known, and everything between them and the sender that may blur it.
type world struct {
	limiter func() limiter.Limiter      // a fresh counter
	key     func(scenarios.Lane) string // which counter a lane meets
	server  *server                     // decides instead of them, if not nil
	respond func(limiter.Decision, time.Duration) (status int, fields limiter.Fields)

	there, back func(*rand.Rand) time.Duration // delays on the way
	late        func(*rand.Rand) time.Duration // lateness of the sender
	lost        float64                        // share of answers that never come
	dropped     float64                        // share of requests that never arrive
	broken      float64                        // share of answers that are a 500, whatever was decided
	resent      float64                        // share of requests that the transport sends twice
	drift       float64                        // the server's clock runs at 1 + drift
	tick        time.Duration                  // step of the server's clock; 0: none

	// service is how long an admitted request takes, beside what a queue holds
	// it back; nil: no time. It is under way for so long.
	service func(*rand.Rand) time.Duration
}

// timeout is when a sender gives up in simulations.
const timeout = 2 * time.Second

// simulate sends a plan to a world and returns what was recorded. Tracks are
// independent, so they are simulated one after the other. The rules of pacing
// are those of package attack: static phases follow each other at nominal
// times; a reactive one begins when nothing is outstanding.
func simulate(plan scenarios.Plan, header history.Header, w world, rng *rand.Rand) *history.History {
	var all []history.Observation
	var end time.Duration
	first := 0
	for _, track := range plan.Tracks {
		s := &simulation{world: w, plan: plan, rng: rng, track: track, first: first, keys: map[string]limiter.Limiter{}, seq: map[int]uint64{}}
		s.run()
		all = append(all, s.recorded...)
		end = max(end, s.now)
		first += len(track.Phases)
	}
	slices.SortStableFunc(all, func(a, b history.Observation) int { return cmp.Compare(a.Done, b.Done) })
	return history.Of(header, all, &history.End{At: end, Complete: true, Offered: len(all)})
}

type simulation struct {
	world
	plan  scenarios.Plan
	rng   *rand.Rand
	track scenarios.Track
	first int // index of the track's first phase in the header

	keys     map[string]limiter.Limiter
	seq      map[int]uint64
	events   decisions
	recorded []history.Observation
	seen     []scenarios.Seen
	now      time.Duration

	n           int   // counts what ended
	outstanding int   // decisions on their way that will be answered
	unanswered  []int // in recorded: nobody has given up on them yet
}

// A decision is a request on its way to the limiter.
type decision struct {
	at    time.Duration // on the sender's clock
	lane  int
	index int  // in recorded
	ghost bool // the answer goes nowhere
	over  bool // it is no request, but the end of one
	n     int  // keeps the heap's order definite
}

type decisions []decision

func (d decisions) Len() int { return len(d) }
func (d decisions) Less(i, j int) bool {
	return d[i].at < d[j].at || d[i].at == d[j].at && d[i].n < d[j].n
}
func (d decisions) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *decisions) Push(x any)   { *d = append(*d, x.(decision)) }
func (d *decisions) Pop() any {
	old := *d
	last := old[len(old)-1]
	*d = old[:len(old)-1]
	return last
}

func (s *simulation) run() {
	for i, phase := range s.track.Phases {
		pace := paceNamed(phase.Pace)
		if pace.Offsets != nil {
			start, n := s.now, 0
			pace.Offsets(phase, func(offset time.Duration) bool {
				s.send(scenarios.Shot{At: start + offset, Lane: phase.Lane(n), Phase: i})
				n++
				return true
			})
			s.now = start + pace.Length(phase)
			continue
		}
		s.settle()
		s.react(pace, i, phase)
	}
	s.settle()
}

func (s *simulation) react(pace scenarios.Pace, i int, phase scenarios.Phase) {
	start := s.now
	for rounds := 0; ; rounds++ {
		if rounds > 100_000 {
			panic(fmt.Sprintf("pace %s does not end", phase.Pace))
		}
		move := pace.Next(phase, scenarios.View{Now: s.now, Start: start, Phase: i, Seen: s.seen})
		for _, shot := range move.Shots {
			shot.At = max(shot.At, s.now)
			s.send(shot)
		}
		s.settle()
		s.now = max(s.now, move.Wake)
		if move.Done {
			return
		}
	}
}

// send puts a request on its way.
func (s *simulation) send(shot scenarios.Shot) {
	sent := shot.At + s.late(s.rng)
	o := history.Observation{
		Lane: shot.Lane, Phase: s.first + shot.Phase, Seq: s.seq[shot.Lane],
		Intended: shot.At, Sent: sent,
	}
	s.seq[shot.Lane]++
	if s.rng.Float64() < s.resent {
		// The first attempt dies on its way back, some time after it was sent;
		// whether and when the limiter saw it nobody knows.
		ghost := o
		ghost.Resent, ghost.Answered, ghost.Done, ghost.Error = true, history.Never, sent, "reset"
		s.recorded = append(s.recorded, ghost)
		if s.rng.Float64() < 0.7 {
			s.push(decision{at: sent + s.there(s.rng), lane: shot.Lane, ghost: true})
		}
		o.Sent += s.there(s.rng)
	}
	s.recorded = append(s.recorded, o)
	d := decision{at: o.Sent + s.there(s.rng), lane: shot.Lane, index: len(s.recorded) - 1}
	switch fate := s.rng.Float64(); {
	case fate < s.lost:
		d.ghost = true
		s.unanswered = append(s.unanswered, d.index)
		s.push(d)
	case fate < s.lost+s.dropped:
		s.unanswered = append(s.unanswered, d.index)
	default:
		s.outstanding++
		s.push(d)
	}
}

func (s *simulation) push(d decision) {
	d.n = len(s.recorded)*2 + len(s.events)
	heap.Push(&s.events, d)
}

// settle lets the limiter decide everything that will be answered, and what
// comes before. What nobody waits for may be decided later.
func (s *simulation) settle() {
	from := len(s.seen)
	for s.outstanding > 0 {
		d := heap.Pop(&s.events).(decision)
		if key := s.keyOf(d.lane); d.over {
			s.keys[key] = limiter.Release(s.keys[key])
			continue
		}
		verdict := s.decide(s.plan.Lanes[d.lane], d.at)
		took := s.serve(d, verdict)
		if !d.ghost {
			s.outstanding--
			d.at += took
			s.answerTo(d, verdict)
		}
	}
	for _, i := range s.unanswered {
		o := &s.recorded[i]
		o.Answered, o.Done, o.Error = history.Never, o.Sent+timeout, "timeout"
		s.ended(o)
	}
	s.unanswered = s.unanswered[:0]
	slices.SortStableFunc(s.seen[from:], func(a, b scenarios.Seen) int { return cmp.Compare(a.Sent, b.Sent) })
}

// serve returns how long a request takes, and lets it be under way for so long.
func (s *simulation) serve(d decision, verdict limiter.Decision) (took time.Duration) {
	if !verdict.OK {
		return 0
	}
	took = time.Duration(float64(verdict.Delay) / (1 + s.drift))
	if s.service != nil {
		took += s.service(s.rng)
	}
	if _, holds := s.keys[s.keyOf(d.lane)].(limiter.Holder); holds {
		s.n++
		heap.Push(&s.events, decision{at: d.at + took, lane: d.lane, over: true, n: -s.n}) // before whoever comes then
	}
	return took
}

func (s *simulation) keyOf(lane int) string {
	if s.key == nil {
		return ""
	}
	return s.key(s.plan.Lanes[lane])
}

// decide asks the limiter of a lane at a moment of the sender's clock.
func (s *simulation) decide(lane scenarios.Lane, moment time.Duration) limiter.Decision {
	if s.server != nil {
		return s.server.take(lane.Identity, lane.Source.String(), moment)
	}
	key := s.key(lane)
	state, ok := s.keys[key]
	if !ok {
		state = s.limiter()
	}
	at := time.Duration(math.Round(float64(moment) * (1 + s.drift)))
	if s.tick > 0 {
		at -= at % s.tick
	}
	verdict, next := state.Take(at)
	s.keys[key] = next
	return verdict
}

func (s *simulation) answerTo(d decision, verdict limiter.Decision) {
	o := &s.recorded[d.index]
	o.Answered = d.at + s.back(s.rng)
	o.Done = o.Answered
	o.Status, o.Evidence = s.respond(verdict, d.at)
	if s.rng.Float64() < s.broken {
		o.Status, o.Evidence = 500, nil
	}
	s.ended(o)
}

func (s *simulation) ended(o *history.Observation) {
	s.now = max(s.now, o.Done)
	s.seen = append(s.seen, s.see(*o))
}

func (s *simulation) see(o history.Observation) scenarios.Seen {
	seen := scenarios.Seen{Lane: o.Lane, Phase: o.Phase - s.first, Intended: o.Intended, Sent: o.Sent, Answered: o.Answered, RetryAfter: -1}
	if o.Answered == history.Never {
		return seen
	}
	promise := s.plan.Scenario.Groups[s.plan.Lanes[o.Lane].Group].Promise
	seen.Outcome = promise.Outcome(o.Status, o.Evidence)
	for _, value := range o.Evidence.Values("Retry-After") {
		var seconds int
		if _, err := fmt.Sscanf(value, "%d", &seconds); err == nil {
			seen.RetryAfter = time.Duration(seconds) * time.Second
		}
	}
	return seen
}

func paceNamed(name string) scenarios.Pace {
	for _, pace := range scenarios.Paces {
		if pace.Name == name {
			return pace
		}
	}
	panic("no pace is called " + name)
}
