package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"duckload/attack"
	"duckload/history"
)

// flushEvery is how much of a run a crash may cost.
const flushEvery = 250 * time.Millisecond

// How long an agent that is told to end tries to hand in its record. What does
// not arrive stays on its disk.
const handInWithin = 10 * time.Second

// run sends our part and hands the record in.
func (s *session) run(at start) {
	ours0, err := s.clock.begin(at.At, s.dir)
	if err != nil {
		s.say("run %s: %v", s.order.Run, err)
		return
	}
	header := s.Header(s.plan, s.order.Target, at.Wall)
	header.Agents = []history.Agent{{Name: s.Name, Address: s.info.address()}}
	header.Roster, header.Parts, header.Emulator = s.order.Agents, Parts(s.plan, header, s.order.Agents), s.order.Emulator
	record, err := history.Create(s.dir, header)
	if err != nil {
		s.say("run %s: %v", s.order.Run, err)
		return
	}
	crash("agent.recording")
	s.say("run %s: part %d of %d, at most %d requests, about %s", s.order.Run, s.order.Part+1, len(s.order.Agents), s.part.Requests(), s.part.Duration().Round(time.Second))
	ship := &shipper{bus: s.bus, run: s.order.Run, agent: s.Name, dir: s.dir, at: map[string]int64{}}
	over := make(chan struct{})
	var aside sync.WaitGroup
	asking, enough := context.WithCancel(context.WithoutCancel(s.ctx))
	aside.Go(func() { ship.follow(asking, over) })
	aside.Go(func() { s.clock.every(asking, probeEvery) })

	m := s.send(record, header, ours0)
	crash("agent.sent")
	close(over)
	enough()
	aside.Wait()
	after, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), probeWithin)
	_ = s.clock.several(after, probesAtEnds) // nobody may be there any more
	cancel()
	err = errors.Join(s.clock.close(), writeManifest(s.dir, m))
	crash("agent.closed")
	if err == nil {
		err = s.deliver(ship)
	}
	if err != nil {
		s.say("run %s: ended, and its record is only in %s: %v", s.order.Run, s.dir, err)
		return
	}
	s.say("run %s: ended and handed in%s", s.order.Run, noted(markKept(s.dir)))
	crash("agent.finished")
}

// deliver ships what is left. An agent that is told to go does not wait for
// ever, and neither does one that was there for this run alone.
func (s *session) deliver(ship *shipper) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	defer cancel()
	if s.Run != "" {
		defer time.AfterFunc(handInWithin, cancel).Stop()
	}
	defer context.AfterFunc(s.office.ctx, func() { time.AfterFunc(handInWithin, cancel) })()
	return ship.finish(ctx)
}

// address is ours as others see it, as far as anybody knows.
func (i Info) address() string {
	if i.Seen == "" || Loopback(i.Seen) {
		return ""
	}
	return i.Seen
}

// send attacks and records. What it returns are the last words on it.
func (s *session) send(record *history.Writer, header history.Header, ours0 time.Duration) manifest {
	ctx, stop := context.WithCancelCause(s.ctx)
	defer stop(nil)
	watch := func(history.Observation) {}
	if s.Watch != nil {
		watch = s.Watch(header, stop)
	}
	o := s.options
	o.Start = s.clock.epoch.Add(ours0)
	o.Record = func(seen history.Observation) error {
		watch(seen)
		crash("agent.observed")
		return record.Append(seen)
	}
	o.Doubt = record.AppendDoubt
	paper := newPaper(s)
	o.Progress = paper.event
	flushed := s.flushing(record)
	crash("agent.sending")
	restore := attack.Seldom(s.part)
	end, err := attack.Run(ctx, s.part, o)
	restore()
	var failed error
	if cause := context.Cause(ctx); ctx.Err() != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		end.Reason = cause.Error()
		if s.ctx.Err() == nil { // it was the watch
			failed = refused{cause, Unusable}
		}
	}
	err = errors.Join(err, failed, flushed(), record.Close(end))
	m := manifest{Kind: kindOf(err)}
	if err != nil {
		m.Failed = err.Error()
	}
	paper.close(end.Reason, m)
	return m
}

// flushing brings the record to the disk from time to time, until what it
// returns is called.
func (s *session) flushing(record *history.Writer) (enough func() error) {
	ended := make(chan struct{})
	var failed error
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				if err := record.Flush(); err != nil && failed == nil {
					failed = fmt.Errorf("flushing: %w", err)
				}
				crash("agent.flushed")
			}
		}
	})
	return func() error { close(ended); wait.Wait(); return failed }
}
