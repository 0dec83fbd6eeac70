package scenarios

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"duckload/limiter"
)

// spread reports whether the lanes of a group are to be at every agent: as
// sources: agents says, where there are any. A compiled plan measures one key, as
// finely as one clock can, and its other addresses are those of a meeting.
func (c *compiler) spread(g Group) bool {
	return g.EachAgent && c.options.Agents > 1 && len(g.Pacing) > 0
}

// groupOfAgents adds a group that is sent from an address of each agent. Where
// the limit counts addresses, each of them is a counter, with a track of its
// own. Else all are on one, and take turns.
func (c *compiler) groupOfAgents(i int) {
	g := c.plan.Scenario.Groups[i]
	name, perAddress := c.plan.Scenario.Counter(i), g.Promise.Limits[0].Scope == limiter.ScopeIP
	var all []int
	for agent := range c.options.Agents {
		lanes := c.lanesOf(i, agent)
		if all = append(all, lanes...); !perAddress {
			continue
		}
		c.track(fmt.Sprintf("%s, agent %d", name, agent+1), append(c.written(g, lanes), c.aside(i, lanes[:1])...))
	}
	if perAddress {
		return
	}
	for _, p := range g.Pacing {
		if pace, _ := PaceOf(p); pace.Next != nil {
			c.bad(g.place, "groups."+g.Name, "%s reacts to answers, which only the agent that got them sees (with sources: agents, write paces that do not, or scope: ip)", p.Label)
			return
		}
	}
	for k, key := range c.keys(g, all) {
		track := name
		if k > 0 {
			track = fmt.Sprintf("%s, %s", name, c.plan.Lanes[key[0]].Identity)
		}
		c.track(track, c.written(g, key))
	}
}

// lanesOf adds the lanes of a group at an agent: one for each identity.
func (c *compiler) lanesOf(group, agent int) []int {
	var lanes []int
	for _, l := range c.identitiesOf(group) {
		l.Agent = agent + 1
		if c.loopback() {
			l.Source = agentAddress(agent)
		}
		lanes = append(lanes, len(c.plan.Lanes))
		c.plan.Lanes = append(c.plan.Lanes, l)
	}
	return lanes
}

// identitiesOf returns a lane of a group for each of its identities.
func (c *compiler) identitiesOf(group int) []Lane {
	var all []Lane
	for _, name := range c.plan.Scenario.Groups[group].Identity {
		all = append(all, Lane{Group: group, Identity: name})
	}
	if len(all) == 0 {
		all = []Lane{{Group: group}}
	}
	return all
}

// house gives the tracks whose sources are addresses of agents to those who
// have them: the largest first, each to the one with the fewest requests. A
// track of static phases may be at several.
func (c *compiler) house() {
	if c.options.Agents < 2 || len(c.options.Homes) == 0 {
		return
	}
	tracks, size := c.largest()
	load := make([]int, c.options.Agents)
	for _, t := range tracks {
		home := c.homes(t, load)
		for lane, agent := range home {
			c.plan.Lanes[lane].Agent = agent + 1
			load[agent] += max(1, size[t]/len(home))
		}
	}
}

// largest lists the tracks, those that send most first, and how many requests
// each sends if the promises are kept.
func (c *compiler) largest() (tracks, size []int) {
	tracks, size = make([]int, len(c.plan.Tracks)), make([]int, len(c.plan.Tracks))
	for t := range tracks {
		tracks[t] = t
		for _, p := range c.plan.Tracks[t].Phases {
			size[t] += p.Likely
		}
	}
	slices.SortStableFunc(tracks, func(a, b int) int { return cmp.Compare(size[b], size[a]) })
	return tracks, size
}

// homes returns the agent of each lane of a track; nil if it cannot be said of
// all of them, or if somebody would have to see what another one got.
func (c *compiler) homes(track int, load []int) map[int]int {
	of, reacts := map[int]int{}, false
	var common []int // agents that have all of the sources
	for i, p := range c.plan.Tracks[track].Phases {
		pace, _ := PaceOf(p)
		reacts = reacts || pace.Next != nil
		for k, lane := range slices.Concat(p.Lanes, p.Others) {
			has := c.options.Homes[c.plan.Lanes[lane].Source]
			if c.plan.Lanes[lane].Agent > 0 || len(has) == 0 {
				return nil
			}
			if i == 0 && k == 0 {
				common = slices.Clone(has)
			}
			common = slices.DeleteFunc(common, func(a int) bool { return !slices.Contains(has, a) })
			of[lane] = idlest(has, load)
		}
	}
	switch {
	case len(common) > 0:
		one := idlest(common, load)
		for lane := range of {
			of[lane] = one
		}
	case reacts:
		return nil
	}
	return of
}

// idlest returns the agent with the fewest requests.
func idlest(agents, load []int) int {
	return slices.MinFunc(agents, func(a, b int) int { return cmp.Or(cmp.Compare(load[a], load[b]), cmp.Compare(a, b)) })
}

// SourcesElsewhere returns the addresses that a plan sends from which are not on
// loopback: each is some machine's.
func (p Plan) SourcesElsewhere() []netip.Addr {
	var all []netip.Addr
	for _, l := range p.Lanes {
		if l.Source.IsValid() && !l.Source.IsLoopback() && !slices.Contains(all, l.Source) {
			all = append(all, l.Source)
		}
	}
	return all
}
