package attack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// A run is one sending of a plan.
type run struct {
	plan    scenarios.Plan
	options Options
	target  *url.URL
	clock   clock

	stop    context.CancelCauseFunc // ends the sending; requests under way get the grace
	stopped context.Context
	hurry   context.Context // ends when requests under way must end, too

	lanes  []*lane
	sent   atomic.Int64
	left   atomic.Int64 // shots that were due and were not sent
	offers atomic.Int64
	rules  stopRules

	ended  chan ended
	failed error // of Record; read once the collector has returned
}

// ended is an observation on its way to the record, or an event.
type ended struct {
	observation history.Observation
	record      bool
	event       Event
}

// A halt is why a run ended early; its text is history.End.Reason.
type halt string

func (h halt) Error() string { return string(h) }

// Run sends a plan and returns when everything has ended. When ctx is done
// nothing more is sent, requests under way get a moment to end, and Run
// returns within a second; what was sent is on record. The error says what
// stopped the run; an answer of the target never is one.
func Run(ctx context.Context, plan scenarios.Plan, o Options) (history.End, error) {
	target, err := url.Parse(o.Target)
	if err != nil {
		return history.End{}, err
	}
	r := &run{plan: plan, options: o, target: target, ended: make(chan ended, 4096)}
	r.rules = newStopRules(o.Stop)
	r.stopped, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	hurry, hurried := context.WithCancel(context.WithoutCancel(ctx))
	defer hurried()
	r.hurry = hurry
	r.clock = newClock(o.Transport == nil)
	defer context.AfterFunc(r.stopped, func() { time.AfterFunc(grace, hurried) })()

	for i := range plan.Lanes {
		l, err := r.newLane(i)
		if err != nil {
			return history.End{}, err
		}
		r.lanes = append(r.lanes, l)
	}
	r.clock.begin()
	var collector sync.WaitGroup
	collector.Go(r.collect)
	r.attack()
	close(r.ended)
	collector.Wait()
	for _, l := range r.lanes {
		l.close()
	}
	return r.end(ctx)
}

// attack runs every track and every lane to their end.
func (r *run) attack() {
	var lanes, tracks sync.WaitGroup
	for _, l := range r.lanes {
		lanes.Go(l.attack)
	}
	for i, t := range r.plan.Tracks {
		c := &conductor{run: r, track: i, phases: t.Phases, reactive: reacts(t)}
		tracks.Go(c.walk)
	}
	tracks.Wait()
	for _, l := range r.lanes {
		close(l.jobs)
	}
	lanes.Wait()
}

// collect is the only one to call Record and Progress.
func (r *run) collect() {
	for e := range r.ended {
		if e.record && r.failed == nil && r.options.Record != nil {
			if r.failed = r.options.Record(e.observation); r.failed != nil {
				r.stop(halt("the record cannot be written"))
			}
		}
		if r.options.Progress != nil && e.event != (Event{}) {
			r.options.Progress(e.event)
		}
	}
}

func (r *run) end(ctx context.Context) (history.End, error) {
	end := history.End{At: r.clock.now(), Offered: int(r.offers.Load())}
	var h halt
	switch {
	case errors.As(context.Cause(r.stopped), &h):
		end.Reason = string(h)
	case ctx.Err() != nil:
		end.Reason = "interrupted"
	}
	if n := r.left.Load(); n > 0 {
		end.Notes = append(end.Notes, fmt.Sprintf("%d requests were due and were not sent", n))
	}
	end.Complete = end.Reason == "" && r.left.Load() == 0 && r.failed == nil
	return end, r.failed
}

// may reports whether one more request may be sent, and counts it. It is asked
// for each before it is sent, by many lanes at once; the budget is never
// exceeded.
func (r *run) may() bool {
	if r.stopped.Err() != nil {
		return false
	}
	if most := r.options.Budget.Duration; most > 0 && r.clock.now() > most {
		r.stop(halt("budget: the time is used up"))
		return false
	}
	if most := int64(r.options.Budget.Requests); most > 0 && r.sent.Add(1) > most {
		r.stop(halt("budget: the requests are used up"))
		return false
	}
	return true
}
