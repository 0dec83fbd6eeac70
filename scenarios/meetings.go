package scenarios

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"duckload/limiter"
)

// Agents have addresses of their own, so a plan for several of them asks for
// the scope of a limit where one machine cannot: while the agent that plays a
// track keeps its key used up, other agents ask, each from its own address.
// They do not talk to each other. The moment is in the plan, and late enough
// for all that comes before it.

// A meeting's times: how long after its beginning the first other lane asks,
// how far apart they ask, and how long it goes on after the last.
const (
	meetLead = 700 * time.Millisecond
	meetStep = 250 * time.Millisecond
	meetTail = 300 * time.Millisecond
)

// lateBy is how much later than foreseen a track may come to its meeting, as a
// share of its length, and at least.
const (
	lateBy    = 8
	lateLeast = 2 * time.Second
)

// meets reports whether other agents are to ask for a group's scope. What a
// setup hands out belongs to one agent; held requests have no moment at which a
// key is used up; a limit that is not to be verified bounds what may be sent.
func (c *compiler) meets(g Group) bool {
	if c.options.Agents < 2 || c.spread(g) || len(g.Pacing) > 0 || len(g.Sources) > 0 || len(g.Setup)+len(g.Teardown) > 0 {
		return false
	}
	if !c.options.Apart && !c.loopback() {
		return false // two agents at one address would say nothing about either
	}
	return !slices.ContainsFunc(g.Promise.Limits, func(l limiter.Limit) bool {
		return l.Unverified || l.Reading == limiter.LeakyQueue || l.Reading == limiter.Concurrency || l.Capacity() > mostExhaust
	})
}

// loopback reports whether the target is on this machine.
func (c *compiler) loopback() bool {
	return c.options.Loopback || onLoopback(c.plan.Scenario.Target)
}

// agentAddress is the address on loopback that an agent sends from, counted
// from 0.
func agentAddress(agent int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 0, byte(agent / 250), byte(2 + agent%250)})
}

// meetings adds a meeting for each group that can have one. Their tracks are
// spread over the agents, the largest first.
func (c *compiler) meetings() {
	if c.options.Agents < 2 {
		return
	}
	tracks, size := c.largest()
	load := make([]int, c.options.Agents)
	for _, t := range tracks {
		groups := c.meeting(t)
		if len(groups) == 0 {
			continue
		}
		owner := slices.Index(load, slices.Min(load))
		load[owner] += max(1, size[t])
		for _, g := range groups {
			c.place(g, owner)
			c.meet(t, g, owner)
		}
	}
}

// meeting lists the groups of a track that have a meeting; none if a group of
// the track has to stay where its sources are.
func (c *compiler) meeting(track int) []int {
	var all []int
	for _, p := range c.plan.Tracks[track].Phases {
		g := c.plan.Lanes[p.Lanes[0]].Group
		if !c.meets(c.plan.Scenario.Groups[g]) {
			return nil
		}
		if !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

// place gives the lanes of a group to an agent.
func (c *compiler) place(group, agent int) {
	for i := range c.plan.Lanes {
		if l := &c.plan.Lanes[i]; l.Group == group {
			l.Agent = agent + 1
			if l.Source.IsValid() {
				l.Source = agentAddress(agent)
			}
		}
	}
}

// meet adds the meeting of a group: its last step, and a track for each agent
// that asks. One that there is no time or no budget for is left out.
func (c *compiler) meet(track, group, owner int) {
	g := c.plan.Scenario.Groups[group]
	t := &c.plan.Tracks[track]
	first := t.Phases[slices.IndexFunc(t.Phases, func(p Phase) bool { return c.plan.Lanes[p.Lanes[0]].Group == group })]
	asks := c.asking(group, owner)
	before := lengthOf(t.Phases)
	p := Phase{
		Pace: meet.Name, Label: "used up while other agents ask", Why: "who shares the counter shows only from other addresses, and other agents have them",
		At: before + before/lateBy + lateLeast, For: meetLead + time.Duration(len(asks))*meetStep + meetTail,
		Limit: examinedFirst(g.Promise.Limits), Lanes: c.counted(t.Phases, first.Lanes[0]),
	}
	each := max(scopeProbes(p, maxSpan), beyondCounter(p, View{}))
	p.About = p.At + p.For - before
	p.Rejections = int(p.For / meetGap)
	p.Likely = p.Rejections + int(p.Limit.Rate()*p.About.Seconds())
	p.Likely = min(p.Likely, mostMeet(p))
	budget := c.plan.Scenario.Budget
	requests := c.plan.Requests() + c.plan.ErrandRequests() + mostMeet(p) + len(asks)*each
	late := func(most time.Duration) bool { return most > 0 && p.At+p.For > most }
	if budget.Requests > 0 && requests > budget.Requests || late(budget.Duration) || late(c.options.MaxTime) {
		c.note(g.Name + ": what other agents are told")
		return
	}
	t.Phases = append(t.Phases, p)
	for i, lane := range asks {
		c.ask(t.Name, lane, owner, p.At+meetLead+time.Duration(i)*meetStep, each)
	}
}

// counted returns the lanes that count on the key of a lane, as its phases do.
func (c *compiler) counted(phases []Phase, lane int) []int {
	for _, p := range phases {
		if pace, _ := PaceOf(p); pace.Next != nil && p.Lanes[0] == lane {
			return p.Lanes
		}
	}
	return []int{lane}
}

// asking returns the lanes that ask at other agents: with the identity that is
// used up, from another address, and with another one, from a third if there
// is one. More would say no more, and what each agent has a part in is in doubt
// if its record is lost.
func (c *compiler) asking(group, owner int) []Lane {
	names := c.plan.Scenario.Groups[group].Identity
	if len(names) == 0 {
		names = []string{""}
	}
	local := c.loopback()
	var all []Lane
	for i := range 2 {
		agent := (owner + 1 + i%(c.options.Agents-1)) % c.options.Agents
		l := Lane{Group: group, Identity: names[i%len(names)], Agent: agent + 1}
		if local {
			l.Source = agentAddress(agent)
		}
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// ask adds the track of a lane that asks at a moment.
func (c *compiler) ask(track string, l Lane, owner int, at time.Duration, n int) {
	lane := []int{len(c.plan.Lanes)}
	c.plan.Lanes = append(c.plan.Lanes, l)
	c.plan.Tracks = append(c.plan.Tracks, Track{Name: fmt.Sprintf("%s, agent %d", track, l.Agent), Phases: []Phase{
		{Pace: rest.Name, Label: fmt.Sprintf("until agent %d has used its key up", owner+1), For: at, About: at, Lanes: lane},
		{Pace: burst.Name, Label: fmt.Sprintf("%d from agent %d meanwhile", n, l.Agent), Why: "who is rejected shares the counter that is used up, who is admitted does not",
			Count: n, Likely: n, Lanes: lane},
	}})
}
