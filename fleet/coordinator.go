package fleet

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"duckload/attack"
	"duckload/english"
	"duckload/scenarios"
)

// A Coordinator calls agents together for one run, gives them their orders and
// the start, and follows them. When it dies they go on.
type Coordinator struct {
	Bus     Bus
	Run     string
	Version string
	Agents  int           // how many are needed
	Wait    time.Duration // how long to wait for them, and at the end for what they have recorded

	// Say, if not nil, takes what people who watch should know.
	Say func(format string, args ...any)

	// Progress, if not nil, is told what happens, one call at a time.
	Progress func(attack.Event)

	epoch   time.Time     // what the coordinator's clock counts from
	clock   string        // names it
	members []hello       // in order of their parts
	bound   time.Duration // the worst of what they know of the clock
	start   start
	all     atomic.Bool // agents have confirmed the start

	mu     sync.Mutex
	ended  map[string]news      // agents that send nothing more
	tracks map[attack.Event]int // beginnings and ends of phases, by how many agents were there
	deaf   []func()
}

// callEvery is how often agents are called.
const callEvery = 250 * time.Millisecond

func (c *Coordinator) say(format string, args ...any) {
	if c.Say != nil {
		c.Say(format, args...)
	}
}

func (c *Coordinator) now() time.Duration { return time.Since(c.epoch) }

// Gather calls until as many agents have answered as are needed, and returns
// who they are, in order of their parts.
func (c *Coordinator) Gather(ctx context.Context) ([]Info, error) {
	c.epoch, c.clock = time.Now(), rand.Text()
	c.ended, c.tracks = map[string]news{}, map[attack.Event]int{}
	if err := c.hear(clockSubject(c.Run), func([]byte) []byte { return encode(reading{Clock: c.clock, At: c.now(), Go: c.all.Load()}) }); err != nil {
		return nil, err
	}
	if err := c.hear(newsSubject(c.Run), c.told); err != nil {
		return nil, err
	}
	hellos := make(chan hello, 64)
	if err := c.hear(helloSubject(c.Run), func(data []byte) []byte {
		if h, err := decode[hello](data); err == nil && CheckName(h.Info.Name) == nil {
			select {
			case hellos <- h:
			default: // it comes again
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return c.roll(ctx, hellos)
}

func (c *Coordinator) hear(subject string, take func([]byte) []byte) error {
	deaf, err := c.Bus.Hear(subject, take)
	if err == nil {
		c.deaf = append(c.deaf, deaf)
	}
	return err
}

// Close stops listening.
func (c *Coordinator) Close() {
	for _, deaf := range c.deaf {
		deaf()
	}
	c.deaf = nil
}

// roll takes answers until enough agents are there.
func (c *Coordinator) roll(ctx context.Context, hellos <-chan hello) ([]Info, error) {
	waiting, enough := context.WithTimeout(ctx, c.Wait)
	defer enough()
	again := time.NewTicker(callEvery)
	defer again.Stop()
	there := map[string]hello{}
	for {
		if err := c.Bus.Tell(callSubject, encode(call{Run: c.Run})); err != nil {
			return nil, err
		}
		crash("coordinator.called")
		for turn := true; turn; {
			select {
			case <-waiting.Done():
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				return nil, c.tooFew(there)
			case <-again.C:
				turn = false
			case h := <-hellos:
				if other, known := there[h.Info.Name]; known && other.Instance != h.Instance {
					return nil, fmt.Errorf("two agents are called %s: give each a name of its own", h.Info.Name)
				}
				there[h.Info.Name] = h
			}
		}
		if c.choose(there) {
			return c.infos(), c.sameVersion()
		}
	}
}

// choose takes the first agents by name that have nothing to do, once there
// are enough.
func (c *Coordinator) choose(there map[string]hello) bool {
	var free []hello
	for _, h := range there {
		if h.Busy == "" {
			free = append(free, h)
		}
	}
	if len(free) < c.Agents {
		return false
	}
	slices.SortFunc(free, func(a, b hello) int { return cmp.Compare(a.Info.Name, b.Info.Name) })
	c.members = free[:c.Agents]
	return true
}

// sameVersion refuses agents of another duckload, whose plans may differ.
func (c *Coordinator) sameVersion() error {
	var wrong []error
	for _, m := range c.members {
		if m.Info.Version != c.Version {
			wrong = append(wrong, Refusal{Agent: m.Info.Name, Kind: Mistaken, Why: fmt.Sprintf("it is duckload %s, and this is %s: use the same on every machine", m.Info.Version, c.Version)})
		}
	}
	return errors.Join(wrong...)
}

func (c *Coordinator) infos() []Info {
	var all []Info
	for _, m := range c.members {
		all = append(all, m.Info)
	}
	return all
}

// Names are the agents' names, in order of their parts.
func (c *Coordinator) Names() []string {
	var names []string
	for _, m := range c.members {
		names = append(names, m.Info.Name)
	}
	return names
}

func (c *Coordinator) tooFew(there map[string]hello) error {
	var words []string
	for _, h := range there {
		if h.Busy != "" {
			words = append(words, h.Info.Name+" (busy with run "+h.Busy+")")
			continue
		}
		words = append(words, h.Info.Name)
	}
	slices.Sort(words)
	who := "nobody answers"
	if len(words) > 0 {
		who = "there are " + strings.Join(words, ", ")
	}
	return fmt.Errorf("%s needed, and after %s %s (start more: duckload agent --nats URL --name NAME)", english.Count(c.Agents, "agent is"), c.Wait, who)
}

// Order gives every agent its part, and returns once all are ready. The error
// holds a [Refusal] for each that is not.
func (c *Coordinator) Order(ctx context.Context, order Order, plan scenarios.Plan) error {
	order.Run, order.Agents = c.Run, c.Names()
	answers := make([]ready, len(c.members))
	err := c.each(func(i int, m hello) error {
		mine := order
		mine.Part = i
		crash("coordinator.ordered")
		r, err := c.ask(ctx, orderSubject(m.Instance), mine, c.Wait)
		answers[i] = r
		return refusal(m, r, err)
	})
	if err != nil {
		c.Stop("another agent refused")
		return err
	}
	for i, r := range answers {
		c.members[i].Info.Sources = r.Sources
		c.bound = max(c.bound, r.Bound)
		c.say("agent %s is ready: its clock is known to ±%s", c.members[i].Info.Name, r.Bound.Round(time.Microsecond))
	}
	crash("coordinator.ready")
	if err := apart(c.infos(), plan); err != nil {
		c.Stop("agents share an address")
		return err
	}
	return nil
}

// each asks all agents at once, and joins what went wrong.
func (c *Coordinator) each(ask func(int, hello) error) error {
	wrong := make([]error, len(c.members))
	var all sync.WaitGroup
	for i, m := range c.members {
		all.Go(func() { wrong[i] = ask(i, m) })
	}
	all.Wait()
	return errors.Join(wrong...)
}

func (c *Coordinator) ask(ctx context.Context, subject string, question any, within time.Duration) (ready, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer, err := c.Bus.Ask(ctx, subject, encode(question))
	if err != nil {
		return ready{}, err
	}
	return decode[ready](answer)
}

func refusal(m hello, r ready, err error) error {
	switch {
	case err != nil:
		return Refusal{Agent: m.Info.Name, Why: fmt.Sprintf("it does not answer: %v", err)}
	case r.Refused != "":
		return Refusal{Agent: m.Info.Name, Kind: r.Kind, Why: r.Refused}
	}
	return nil
}

// Start lets everybody begin at one moment and returns it by the wall clock:
// after lead to agree on it, and setup for what agents do before. Unless all of
// them confirm it nobody begins, also where no word of that can reach them.
func (c *Coordinator) Start(ctx context.Context, lead, setup time.Duration) (time.Time, error) {
	lead += c.bound
	now := c.now()
	at := now + lead + setup
	c.start = start{At: at, Until: now + lead*3/4, Wall: c.epoch.Add(at).Round(0).UTC()}
	err := c.each(func(_ int, m hello) error {
		crash("coordinator.started")
		r, err := c.ask(ctx, startSubject(m.Instance), c.start, lead/2)
		return refusal(m, r, err)
	})
	if err != nil {
		c.Stop("another agent did not confirm the start")
		return time.Time{}, err
	}
	c.all.Store(true)
	crash("coordinator.told")
	return c.start.Wall, nil
}

// Stop tells every agent to stop sending.
func (c *Coordinator) Stop(reason string) {
	if err := c.Bus.Tell(stopSubject(c.Run), encode(stop{Reason: reason})); err != nil {
		c.say("the agents cannot be told to stop: %v", err)
	}
}

// told takes news of an agent.
func (c *Coordinator) told(data []byte) []byte {
	n, err := decode[news](data)
	if err != nil || !slices.Contains(c.Names(), n.Agent) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range n.Events {
		c.phase(e)
	}
	for _, seen := range n.Counts {
		e := seen.Event
		e.At = n.At
		for range min(seen.N, 1<<20) {
			c.show(e)
		}
	}
	if _, had := c.ended[n.Agent]; n.Ended && !had {
		c.ended[n.Agent] = n
		switch {
		case n.Failed != "":
			c.say("agent %s: %s", n.Agent, n.Failed)
		case n.Reason != "":
			c.say("agent %s ended early: %s", n.Agent, n.Reason)
		}
	}
	return nil
}

// phase shows that a phase begins when the first agent begins it, and that a
// track ends when the last one ends it.
func (c *Coordinator) phase(e attack.Event) {
	key := e
	key.At = 0
	c.tracks[key]++
	if e.Begins && c.tracks[key] == 1 || e.Ends && c.tracks[key] == len(c.members) {
		c.show(e)
	}
}

func (c *Coordinator) show(e attack.Event) {
	if c.Progress != nil {
		c.Progress(e)
	}
}
