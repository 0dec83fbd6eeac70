package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"duckload/attack"
	"duckload/scenarios"
)

// A session is an agent's work on one run: from the order until the record is
// handed in.
type session struct {
	*office
	order   Order
	plan    scenarios.Plan // the whole
	part    scenarios.Plan // that is ours
	options attack.Options
	info    Info
	dir     string
	clock   *asking

	ctx   context.Context // ends when the run is stopped
	stop  context.CancelCauseFunc
	begun chan start // takes the one start

	mu      sync.Mutex
	starts  bool // has its start
	stopped func()
}

// An agent that is ready waits for the start so long, and when the coordinator
// falls silent no longer than that.
const (
	startWithin = 5 * time.Minute
	silentFor   = 10 * time.Second
)

// A refusal is an error with its kind.
type refused struct {
	error
	kind Kind
}

func (r refused) Unwrap() error { return r.error }

func kindOf(err error) Kind {
	var r refused
	var denied attack.Denied
	var missing attack.NoSource
	var unreachable attack.Unreachable
	var setup attack.SetupFailed
	switch {
	case errors.As(err, &r):
		return r.kind
	case errors.As(err, &denied):
		return Guarded
	case errors.As(err, &missing):
		return Mistaken
	case errors.As(err, &unreachable), errors.As(err, &setup):
		return Unusable
	}
	return ""
}

// newSession reads the order, compiles the plan, takes our part of it, and
// looks whether it may and can be sent.
func newSession(o *office, order Order) (*session, error) {
	s := &session{office: o, order: order, begun: make(chan start, 1), clock: newAsking(o.bus, order.Run)}
	if !plainName.MatchString(order.Run) || order.Part < 0 || order.Part >= len(order.Agents) || order.Agents[order.Part] != o.Name {
		return nil, refused{fmt.Errorf("the order is for part %d of %v of run %q", order.Part, order.Agents, order.Run), Mistaken}
	}
	if err := s.compile(); err != nil {
		return nil, refused{err, Mistaken}
	}
	crash("agent.planned")
	if err := s.afford(); err != nil {
		return nil, refused{err, Guarded}
	}
	doors := s.part
	doors.Lanes = nil // those that we send from: others' sources are not here
	for _, i := range sending(s.part) {
		doors.Lanes = append(doors.Lanes, s.part.Lanes[i])
	}
	if err := attack.Preflight(o.ctx, doors, s.options); err != nil {
		return nil, err
	}
	if err := s.clock.patiently(o.ctx, probesAtEnds); err != nil {
		return nil, fmt.Errorf("the coordinator's clock does not answer: %w", err)
	}
	crash("agent.probed")
	s.info = s.introduce()
	s.dir = filepath.Join(o.Dir, order.Run, o.Name)
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	if err := writeWhole(filepath.Join(s.dir, infoFile), encode(s.info)); err != nil {
		return nil, err
	}
	s.ctx, s.stop = context.WithCancelCause(o.ctx)
	deaf, err := o.bus.Hear(stopSubject(order.Run), func(data []byte) []byte {
		told, _ := decode[stop](data)
		s.stop(errors.New(told.Reason))
		return nil
	})
	s.stopped = deaf
	return s, err
}

// compile spells the plan out, as the coordinator did.
func (s *session) compile() error {
	world := NewWitness(s.order.Run, s.Env(s.order.Path))
	scenario, err := scenarios.Load(s.order.Path, []byte(s.order.Text), world.Env())
	if err != nil {
		return err
	}
	scenario.Budget = s.order.Budget
	plan, err := scenarios.Compile(scenario, s.order.Compile)
	if err != nil {
		return err
	}
	if world.Name() != s.order.World {
		return errors.New("the environment variables or files that the scenario reads differ from the coordinator's (they must be the same on every machine)")
	}
	if PlanDigest(plan) != s.order.Digest {
		return fmt.Errorf("the plan comes out different here (duckload %s; use the same version on every machine)", s.Version)
	}
	s.plan, s.part = plan, Split(plan, len(s.order.Agents))[s.order.Part]
	s.options = attack.Options{
		Target: s.order.Target, AllowHosts: both(s.order.Allow, s.Allow), UserAgent: "duckload/" + s.Version,
		Stop: plan.Scenario.Stop,
	}
	return nil
}

// both returns the hosts that are on both lists.
func both(asked, allowed []string) []string {
	var all []string
	for _, host := range asked {
		if slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, host) }) {
			all = append(all, host)
		}
	}
	return all
}

// afford compares our part with what this agent may send, and bounds it. What
// the run's budget has to spare is shared.
func (s *session) afford() error {
	mine := s.part.Requests() + s.part.ErrandRequests()
	if most := s.Budget.Requests; most > 0 && mine > most {
		return fmt.Errorf("its part comes to %d requests; this agent's budget is %d", mine, most)
	}
	if most := s.Budget.Duration; most > 0 && s.part.Duration() > most {
		return fmt.Errorf("its part takes about %s; this agent's budget is %s", s.part.Duration().Round(time.Second), most)
	}
	if of := s.order.Budget.Requests; of > 0 {
		spare := of - s.plan.Requests() - s.plan.ErrandRequests()
		s.options.Budget.Requests = max(1, mine+max(0, spare)/len(s.order.Agents))
	}
	s.options.Budget.Requests = least(s.options.Budget.Requests, s.Budget.Requests)
	s.options.Budget.Duration = least(s.order.Budget.Duration, s.Budget.Duration)
	return nil
}

// least returns the smaller of two bounds; 0 is none.
func least[T int | time.Duration](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// introduce says who we are in this run, and where our requests come from.
func (s *session) introduce() Info {
	i := s.office.info()
	i.Run, i.Agents = s.order.Run, s.order.Agents
	for _, lane := range sending(s.part) {
		l := s.part.Lanes[lane]
		if at := l.Source.String(); l.Source.IsValid() && !slices.Contains(i.Sources, at) && len(i.Sources) < 16 {
			i.Sources = append(i.Sources, at)
		}
	}
	if len(i.Sources) == 0 {
		i.Sources = outward(s.order.Target)
	}
	return i
}

// outward returns the address of this machine that leads to a target. Nothing
// is sent: a datagram socket only looks the way up.
func outward(target string) []string {
	u, err := url.Parse(target)
	if err != nil {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	c, err := net.DialTimeout("udp", net.JoinHostPort(u.Hostname(), port), time.Second)
	if err != nil {
		return nil
	}
	defer c.Close()
	at, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		return nil
	}
	return []string{at.Addr().Unmap().String()}
}

// begin takes the start, once. It refuses one that may have passed already as
// far as our clock can tell.
func (s *session) begin(at start) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.starts:
		return nil // it was told again
	case s.ctx.Err() != nil:
		return errors.New("it was stopped")
	}
	low, high := s.clock.offset()
	if left := at.Until - high - s.clock.now(); left < 0 {
		return fmt.Errorf("the start is only %s away, and the clock is known to ±%s", (at.At - (low+high)/2 - s.clock.now()).Round(time.Millisecond), s.clock.bound().Round(time.Microsecond))
	}
	s.starts = true
	s.begun <- at
	return nil
}

// live waits for the start and sees the run through.
func (s *session) live() {
	defer s.stop(nil)
	defer s.stopped()
	waiting, enough := context.WithTimeout(s.ctx, startWithin)
	var asks sync.WaitGroup
	asks.Go(func() {
		s.clock.until(waiting, silentFor)
		enough()
	})
	select {
	case at := <-s.begun:
		enough()
		asks.Wait()
		if s.clock.confirmed(s.ctx, at.Until) {
			s.run(at)
			return
		}
		s.say("run %s: not all agents confirmed the start, as far as could be heard: nothing is sent", s.order.Run)
	case <-waiting.Done():
		asks.Wait()
		s.say("run %s: there was no start", s.order.Run)
	}
	_ = os.RemoveAll(s.dir) // it holds nothing but who we are
}
