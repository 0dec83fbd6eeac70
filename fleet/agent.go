package fleet

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// An Agent sends parts of plans, one at a time, as coordinators order. It obeys
// nobody beyond its own list of hosts and its own budget.
type Agent struct {
	Name    string
	Dir     string // where its records are: a folder for each run, with one of the agent's name in it
	Version string // of duckload
	Run     string // the only run that it takes part in, after which Serve returns; empty: any

	Allow  []string         // hosts that it contacts beside loopback, whatever the orders say
	Budget scenarios.Budget // of what it sends in one run; zero fields do not limit

	Env  func(scenario string) scenarios.Env // what the scenario of an order may read here
	Seen func() string                       // our address as the bus sees it

	// Header says what a run is about, for its record.
	Header func(plan scenarios.Plan, target string, started time.Time) history.Header

	// Watch, if not nil, returns what looks at each observation of a run and
	// may stop it.
	Watch func(h history.Header, stop context.CancelCauseFunc) func(history.Observation)

	// Say, if not nil, takes what people who watch the agent should know.
	Say func(format string, args ...any)
}

// Serve answers calls until ctx is done, or the only run has ended. A run that
// goes on then is stopped, and handed in as far as that is quick.
func (a *Agent) Serve(ctx context.Context, bus Bus) error {
	if err := CheckName(a.Name); err != nil {
		return err
	}
	unlock, err := lock(a.Dir, a.Name)
	if err != nil {
		return err
	}
	defer unlock()
	o := &office{Agent: a, bus: bus, ctx: ctx, instance: rand.Text(), over: make(chan struct{})}
	for subject, take := range map[string]func([]byte) []byte{
		callSubject:              o.called,
		orderSubject(o.instance): o.ordered,
		startSubject(o.instance): o.started,
	} {
		deaf, err := bus.Hear(subject, take)
		if err != nil {
			return err
		}
		defer deaf()
	}
	a.say("agent %s is ready for orders", a.Name)
	o.work.Go(o.handIn)
	for waits := true; waits; {
		select {
		case <-ctx.Done():
			waits = false
		case <-o.over:
			waits = false
		case <-time.After(startWithin):
			waits = o.Run == "" || o.busy() // an agent for one run does not wait for ever that it comes
		}
	}
	o.work.Wait()
	return nil
}

func (a *Agent) say(format string, args ...any) {
	if a.Say != nil {
		a.Say(format, args...)
	}
}

// An office is an agent at work.
type office struct {
	*Agent
	bus      Bus
	ctx      context.Context
	instance string
	work     sync.WaitGroup
	over     chan struct{} // closed when the only run has ended

	mu      sync.Mutex
	session *session // nil: nothing to do
}

// busy reports whether there is something to do.
func (o *office) busy() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.session != nil
}

// called says who we are.
func (o *office) called(data []byte) []byte {
	c, err := decode[call](data)
	if err != nil || !plainName.MatchString(c.Run) || o.Run != "" && o.Run != c.Run {
		return nil
	}
	crash("agent.called")
	h := hello{Info: o.info(), Instance: o.instance}
	o.mu.Lock()
	if o.session != nil {
		h.Busy = o.session.order.Run
	}
	o.mu.Unlock()
	_ = o.bus.Tell(helloSubject(c.Run), encode(h)) // the call is repeated
	return nil
}

func (o *office) info() Info {
	i := Info{Name: o.Name, Version: o.Version, Local: localAddresses()}
	if o.Seen != nil {
		i.Seen = o.Seen()
	}
	return i
}

// ordered makes everything ready for a run, or says why not.
func (o *office) ordered(data []byte) []byte {
	crash("agent.ordered")
	order, err := decode[Order](data)
	if err != nil {
		return encode(ready{Refused: "the order cannot be read: " + err.Error(), Kind: Mistaken})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.session != nil {
		return encode(ready{Refused: "it is busy with run " + o.session.order.Run})
	}
	s, err := newSession(o, order)
	if err != nil {
		o.say("run %s: refused: %v", order.Run, err)
		return encode(ready{Refused: err.Error(), Kind: kindOf(err)})
	}
	o.session = s
	o.work.Go(func() {
		s.live()
		o.mu.Lock()
		o.session = nil
		o.mu.Unlock()
		if o.Run != "" {
			close(o.over)
		}
	})
	crash("agent.ready")
	return encode(ready{Bound: s.clock.bound(), Sources: s.info.Sources})
}

// started takes the moment of the start.
func (o *office) started(data []byte) []byte {
	s, err := decode[start](data)
	o.mu.Lock()
	session := o.session
	o.mu.Unlock()
	switch {
	case err != nil:
		return encode(ready{Refused: "the start cannot be read: " + err.Error()})
	case session == nil:
		return encode(ready{Refused: "it has no order any more"})
	}
	if err := session.begin(s); err != nil {
		return encode(ready{Refused: err.Error()})
	}
	crash("agent.started")
	return encode(ready{Bound: session.clock.bound()})
}

// handIn copies the records that earlier runs of this agent left behind, as a
// crash or a bus that was away leaves them.
func (o *office) handIn() {
	left, err := leftBehind(o.Dir, o.Name)
	if err != nil {
		o.say("looking for records left behind: %v", err)
	}
	for _, run := range left {
		dir := filepath.Join(o.Dir, run, o.Name)
		o.mu.Lock()
		busy := o.session != nil && o.session.order.Run == run
		o.mu.Unlock()
		if busy {
			continue
		}
		if err := closeBooks(dir); err != nil {
			o.say("run %s: %v", run, err)
			continue
		}
		s := &shipper{bus: o.bus, run: run, agent: o.Name, dir: dir, at: map[string]int64{}}
		if err := s.finish(o.ctx); err != nil {
			continue
		}
		crash("agent.handed-in")
		o.say("run %s: handed in what was left behind%s", run, noted(markKept(dir)))
	}
}

func noted(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}
