package probe

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"duckload/attack"
	"duckload/history"
	"duckload/scenarios"
)

// Send runs a loop over the network: an attack on the target of a plan, in
// which the loop decides what is sent next. The plan has a lane for each key;
// its track is made here. Record, if not nil, takes each observation as well.
// When the attack ends early, because of its budget, a guard or ctx, the loop
// is told that no more may be sent. The error is that of [attack.Run], or says
// that the target mixed its answers up.
func Send(ctx context.Context, plan scenarios.Plan, o attack.Options, loop func(Asker)) (history.End, error) {
	s := &sender{asked: make(chan scenarios.Move), ready: make(chan scenarios.View), over: make(chan struct{}), record: o.Record}
	s.recorded = sync.NewCond(&s.mu)
	o.Record = s.keep
	doubted := o.Doubt
	o.Doubt = func(d history.Doubt) error {
		s.doubted.Store(true)
		if doubted == nil {
			return nil
		}
		return doubted(d)
	}
	plan.Tracks = []scenarios.Track{{Name: "probe", Phases: []scenarios.Phase{{
		Pace: "steered", Label: "probe", Count: o.Budget.Requests, Lanes: lanesOf(plan), Steer: s.steer,
	}}}}
	plan.Tracks[0].Phases[0].Limit.Limit = mostAtOnce
	var done sync.WaitGroup
	done.Go(func() {
		defer close(s.asked)
		if s.wait() {
			loop(s)
		}
	})
	end, err := attack.Run(ctx, plan, o)
	close(s.over)
	done.Wait()
	if s.doubted.Load() {
		err = errors.Join(err, errDoubted)
	}
	return end, err
}

// errDoubted ends a loop: what it has concluded may rest on the answers to other
// requests.
var errDoubted = errors.New("the target sent more answers on a connection than there were requests (it, or a proxy before it, answers some twice): nothing can be concluded from what it says")

func lanesOf(plan scenarios.Plan) []int {
	lanes := make([]int, len(plan.Lanes))
	for i := range lanes {
		lanes[i] = i
	}
	return lanes
}

// A sender lets a loop ask and a conductor be told. They take turns: each
// waits while the other one acts.
type sender struct {
	asked  chan scenarios.Move
	ready  chan scenarios.View
	over   chan struct{} // closed when the attack has ended
	record func(history.Observation) error

	doubted atomic.Bool // answers may be those to other requests

	mu       sync.Mutex
	recorded *sync.Cond
	answers  []Answer // that the loop has not been given
	whole    int      // requests on record, attempts that were sent again apart

	view  scenarios.View
	since time.Time // when the view was
}

// steer is asked by the conductor when everything sent has ended.
func (s *sender) steer(v scenarios.View) scenarios.Move {
	s.mu.Lock()
	for s.whole < len(v.Seen) {
		s.recorded.Wait() // what has ended is on its way to the record
	}
	s.mu.Unlock()
	if s.doubted.Load() {
		return scenarios.Move{Done: true}
	}
	select {
	case s.ready <- v:
	case <-s.over:
		return scenarios.Move{Done: true}
	}
	move, ok := <-s.asked
	if !ok {
		return scenarios.Move{Done: true}
	}
	return move
}

// wait waits for the conductor's turn to end, and reports whether the attack
// goes on.
func (s *sender) wait() bool {
	select {
	case s.view = <-s.ready:
		s.since = time.Now()
		return true
	case <-s.over:
		return false
	}
}

// Now returns the time since the run began.
func (s *sender) Now() time.Duration { return s.view.Now + time.Since(s.since) }

// Ask implements [Asker].
func (s *sender) Ask(shots []Shot) []Answer {
	move := scenarios.Move{Shots: make([]scenarios.Shot, len(shots))}
	for i, shot := range shots {
		move.Shots[i] = scenarios.Shot{At: max(shot.At, s.Now()) + time.Duration(i), Lane: shot.Key} // a nanosecond apart: none overtakes
	}
	select {
	case s.asked <- move:
		s.wait()
	case <-s.over:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := s.answers
	s.answers = nil
	return answers
}

func (s *sender) keep(o history.Observation) error {
	a := Answer{
		Seen:   Seen{Key: o.Lane, Sent: o.Sent, Answered: min(o.Answered, o.Done), Done: o.Done},
		Status: o.Status, Error: o.Error, Evidence: o.Evidence, Resent: o.Resent,
	}
	s.mu.Lock()
	s.answers = append(s.answers, a)
	if !o.Resent {
		s.whole++
	}
	s.recorded.Broadcast()
	s.mu.Unlock()
	if s.record == nil {
		return nil
	}
	return s.record(o)
}
