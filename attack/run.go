package attack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"duckload/english"
	"duckload/history"
	"duckload/scenarios"
)

// A run is one sending of a plan.
type run struct {
	plan    scenarios.Plan
	options Options
	target  *url.URL
	base    string // of the target, without the slash that paths begin with
	clock   clock

	stop    context.CancelCauseFunc // ends the sending; requests under way get the grace
	stopped context.Context
	hurry   context.Context // ends when requests under way must end, too

	lanes   []*lane
	hooks   *hooks         // nil: nobody listens for webhooks
	sending sync.WaitGroup // the lanes that have anything to send
	rules   stopRules

	mask    mask
	errands []scenarios.Errand // whose setup was begun

	setupWaits  int           // rejections that setup waited for
	setupWaited time.Duration // in all

	offered atomic.Int64 // shots that the plan came to
	sent    atomic.Int64 // requests counted against the budget
	spent   atomic.Bool  // nothing of the budget is left
	under   atomic.Int64 // requests that may have been counted and have not ended
	left    atomic.Int64 // shots that were due and were not sent
	waited  atomic.Int64 // shots that were due while every sender of their lane was busy

	troubles troubles

	ended  chan ended
	failed error // of Record; read once the collector has returned
}

// ended is an observation on its way to the record, or an event.
type ended struct {
	observation history.Observation
	record      bool
	event       Event
	hook        *history.Event
	doubt       *history.Doubt
}

// A halt is why a run ended early.
type halt struct {
	reason string // history.End.Reason
	note   string // the same with numbers, for people
	err    error  // what Run returns; nil where ending was right
}

func (h halt) Error() string { return h.reason }

// Run sends a plan and returns when everything has ended. When ctx is done
// nothing more is sent, requests under way get a moment to end, and Run
// returns within a second; what was sent is on record.
//
// The error says what kept a run from being what was asked for: a [Denied]
// host, a missing source address ([NoSource]), a [SetupFailed], a target that is no base URL, a
// Record that failed. What the target answers never is one, and neither is
// the end of ctx, of the budget, or by a stop rule: those are in the End.
func Run(ctx context.Context, plan scenarios.Plan, o Options) (history.End, error) {
	target, err := aim(o)
	if err == nil {
		err = permitted(ctx, plan, o, target)
	}
	if err != nil {
		return history.End{Reason: "nothing was sent"}, err
	}
	r := &run{plan: plan, options: o, target: target, base: strings.TrimSuffix(target.String(), "/"), rules: newStopRules(o.Stop), ended: make(chan ended, 4096)}
	r.stopped, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	hurry, hurried := context.WithCancel(context.WithoutCancel(ctx))
	defer hurried()
	r.hurry = hurry
	defer context.AfterFunc(r.stopped, func() { time.AfterFunc(grace, hurried) })()
	if most := o.Budget.Duration; most > 0 {
		defer time.AfterFunc(most+max(0, untilStart(o)), r.outOfTime).Stop()
	}
	r.hooks = newHooks(r)
	for i, room := range rooms(plan) {
		r.lanes = append(r.lanes, r.newLane(i, room))
	}
	r.clock = newClock(o.Transport == nil)
	if err := r.setUp(); err != nil {
		r.stop(halt{reason: "setup failed", err: err})
	}
	r.begin()
	var collector sync.WaitGroup
	collector.Go(r.collect)
	listened, blind, err := r.listening(r.attack)
	close(r.ended)
	collector.Wait()
	over := r.clock.now()
	notes := r.tearDown(ctx)
	for _, l := range r.lanes {
		l.close()
	}
	end, failed := r.end(ctx)
	end.At, end.Listened, end.Blind, end.Notes = over, listened, blind, append(end.Notes, notes...)
	return end, errors.Join(err, failed)
}

// listening listens for webhooks while something happens, and as long after it
// as they may take. It returns until when (0: nobody listened), and the longest
// that this process did not get to run meanwhile: what came then looks late.
func (r *run) listening(happen func()) (until, blind time.Duration, err error) {
	if r.hooks == nil {
		happen()
		return 0, 0, nil
	}
	stop, err := r.options.Listen(r.hooks)
	if err != nil {
		r.stop(halt{reason: "webhooks cannot be received", err: err})
		happen() // gives everything up
		return 0, 0, nil
	}
	defer stop()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		blind = r.blindness(over)
	}()
	happen()
	until = r.hooks.wait()
	close(over)
	<-ended
	return until, blind, nil
}

// blindness returns by how much a timer was late at most, until over is closed.
func (r *run) blindness(over <-chan struct{}) (most time.Duration) {
	const glance = 20 * time.Millisecond
	timer := time.NewTimer(glance)
	defer timer.Stop()
	for due := r.clock.now() + glance; ; due = r.clock.now() + glance {
		select {
		case <-timer.C:
			most = max(most, r.clock.now()-due)
			timer.Reset(glance)
		case <-over:
			return most
		}
	}
}

// begin sets moment 0.
func (r *run) begin() {
	r.clock = newClock(r.options.Transport == nil)
	if r.options.Start.IsZero() {
		return
	}
	if late := -untilStart(r.options); late > 0 && r.stopped.Err() == nil {
		r.stop(halt{reason: "the start had passed", err: LateStart{By: late}})
	}
	r.clock.began = r.options.Start
}

func untilStart(o Options) time.Duration {
	if o.Start.IsZero() {
		return 0
	}
	return time.Until(o.Start)
}

// attack runs every track and every lane to their end.
func (r *run) attack() {
	var tracks sync.WaitGroup
	first := 0
	for i, t := range r.plan.Tracks {
		c := &conductor{run: r, track: i, first: first, phases: t.Phases, reactive: reacts(t)}
		first += len(t.Phases)
		tracks.Go(c.walk)
	}
	tracks.Wait()
	for _, l := range r.lanes {
		l.finish()
	}
	r.sending.Wait()
}

// collect is the only one to call Record, Event, Doubt and Progress.
func (r *run) collect() {
	for e := range r.ended {
		if r.failed == nil {
			if r.failed = r.write(e); r.failed != nil {
				r.stop(halt{reason: "the record cannot be written"})
			}
		}
		if r.options.Progress != nil && e.event != (Event{}) {
			r.options.Progress(e.event)
		}
	}
}

// write hands on what is for the record.
func (r *run) write(e ended) error {
	o := r.options
	switch {
	case e.hook != nil && o.Event != nil:
		return o.Event(*e.hook)
	case e.doubt != nil && o.Doubt != nil:
		return o.Doubt(*e.doubt)
	case e.record && o.Record != nil:
		return o.Record(e.observation)
	}
	return nil
}

func (r *run) end(ctx context.Context) (history.End, error) {
	end := history.End{At: r.clock.now(), Offered: int(r.offered.Load())}
	var h halt
	switch {
	case errors.As(context.Cause(r.stopped), &h):
		end.Reason = h.reason
		if h.note != "" {
			end.Notes = append(end.Notes, h.note)
		}
	case ctx.Err() != nil:
		end.Reason = "interrupted"
	}
	left := r.left.Load()
	if left > 0 {
		end.Notes = append(end.Notes, english.Count(int(left), "request was")+" due and not sent")
	}
	if said := r.troubles.note(); said != "" {
		end.Notes = append(end.Notes, said)
	}
	end.Notes = append(end.Notes, r.doubts()...)
	if r.hooks != nil {
		end.Notes = append(end.Notes, r.hooks.notes()...)
	}
	if n := r.waited.Load(); n > 0 {
		end.Notes = append(end.Notes, english.Count(int(n), "request")+" had to wait, because as many as their lane can have under way had no answer yet")
	}
	end.Complete = end.Reason == "" && left == 0 && r.failed == nil
	return end, errors.Join(h.err, r.failed)
}

// going reports whether the run goes on.
func (r *run) going() bool {
	if most := r.options.Budget.Duration; most > 0 && r.clock.now() >= most {
		r.outOfTime()
	}
	return r.stopped.Err() == nil
}

// may reports whether one more request may be sent, and counts it. It is asked
// before each, by many lanes at once; the budget is never exceeded.
func (r *run) may() bool {
	if !r.going() {
		return false
	}
	if most := int64(r.options.Budget.Requests); most > 0 && r.sent.Add(1) > most {
		r.spent.Store(true)
		r.frugal()
		return false
	}
	return true
}

// frugal ends a run whose budget is used up, once every request that was
// counted has ended: what was counted is sent.
func (r *run) frugal() {
	if r.spent.Load() && r.under.Load() == 0 {
		r.stop(halt{reason: "budget", note: fmt.Sprintf("the budget of %s is used up", english.Count(r.options.Budget.Requests, "request"))})
	}
}

func (r *run) outOfTime() {
	r.stop(halt{reason: "budget", note: fmt.Sprintf("the budget of %v is used up", r.options.Budget.Duration)})
}
