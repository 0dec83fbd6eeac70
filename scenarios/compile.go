package scenarios

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// CompileOptions say for which run a scenario is spelled out.
type CompileOptions struct {
	Run  string // id of the run
	Seed uint64

	Target   string   // instead of the scenario's; empty: as it says
	Loopback bool     // the target is on this machine, though its name does not say so: "sources: auto" means 127.0.0.2 and 127.0.0.3
	Groups   []string // only these; empty: all
	Thorough bool     // more tokens, full rests

	// Patience is how long the plan of one group should take where the promise
	// leaves a choice; 0: 75 s. Shorter plans measure rates less finely.
	Patience time.Duration

	// MaxTime is how long the plan may take; 0: as long as it needs. Compiled
	// groups measure less finely, then leave parts out (Plan.Dropped).
	MaxTime time.Duration

	// TimeScale is how many times as fast as its recording every replay is; 0:
	// as the scenario says.
	TimeScale float64

	// Agents is how many machines share the plan; below 2: one sends it. Apart
	// says that the target sees each of them under an address of its own.
	Agents int
	Apart  bool

	// Homes are the agents that have an address, counted from 0, for the sources
	// that a scenario names.
	Homes map[netip.Addr][]int `json:",omitempty"`

	// Trip is the round trip that times are estimated with; 0: 15 ms.
	Trip time.Duration
}

// How many lanes and phases a record can name.
const (
	maxLanes  = 1 << 16
	maxPhases = 1 << 16
)

// Compile spells a scenario out: every lane, every phase. What cannot be done
// is an error before anything is sent: [Mistakes], each with the place of its
// group. The keys of duckload's own emulator count as fresh.
func Compile(s *Scenario, o CompileOptions) (Plan, error) {
	var names []string
	for _, g := range s.Groups {
		names = append(names, g.Name)
	}
	for _, wanted := range o.Groups {
		if !slices.Contains(names, wanted) {
			return Plan{}, fmt.Errorf("no group is called %q%s (have %s)", wanted, didYouMean(wanted, names), list(names))
		}
	}
	if t := o.TimeScale; t != 0 && !(t >= leastSpeed && t <= mostSpeed) {
		return Plan{}, fmt.Errorf("the time scale must be from %g to %d, got %g", leastSpeed, mostSpeed, t)
	}
	resolved := resolved(s, o)
	build := func(patience time.Duration) compiler {
		o := o
		o.Patience = patience
		c := compiler{options: o, trackOf: map[string]int{}, plan: Plan{Scenario: resolved, Seed: o.Seed, Run: o.Run}}
		for i, g := range resolved.Groups {
			if len(o.Groups) == 0 || slices.Contains(o.Groups, g.Name) {
				c.group(i)
			}
		}
		return c
	}
	c := build(o.Patience)
	if o.MaxTime > 0 && len(c.mistakes) == 0 {
		c.shrink(o.MaxTime, build)
	}
	c.spare()
	c.house()
	c.meetings()
	if n := len(c.plan.Stretches()); n > maxPhases {
		c.bad(place{}, "", "senders times steps come to %d (at most %d in all; name fewer identities or sources, or fewer steps)", n, maxPhases)
	}
	c.collisions()
	c.affordable()
	c.quotas()
	if len(c.mistakes) > 0 {
		return Plan{}, c.mistakes.sorted()
	}
	return c.plan, nil
}

// resolved returns a copy of a scenario for one run.
func resolved(s *Scenario, o CompileOptions) *Scenario {
	copied := *s
	if o.Target != "" {
		copied.Target = o.Target
	}
	copied.Groups = slices.Clone(s.Groups)
	if copied.Target == Emulator {
		for i := range copied.Groups {
			copied.Groups[i].Fresh = copied.Groups[i].Exclusive
		}
	}
	// What setup sends may count on any counter and is on no record, so no
	// key is fresh after it.
	if slices.ContainsFunc(copied.Groups, func(g Group) bool { return len(g.Setup) > 0 }) {
		for i := range copied.Groups {
			copied.Groups[i].Fresh = false
		}
	}
	return &copied
}

// Counter returns the name of the counter that a group's requests count on:
// its own, or that of the group whose counter it shares.
func (s *Scenario) Counter(group int) string {
	if shares := s.Groups[group].Shares; shares != "" {
		return shares
	}
	return s.Groups[group].Name
}

type compiler struct {
	options  CompileOptions
	plan     Plan
	trackOf  map[string]int // index into plan.Tracks, by name
	mistakes Mistakes
}

func (c *compiler) bad(p place, path, format string, args ...any) {
	p = place{max(p.line, 1), max(p.col, 1)}
	c.mistakes = append(c.mistakes, mistake(c.plan.Scenario.Path, p, path, fmt.Sprintf(format, args...)))
}

// group adds the lanes and the phases of one group.
func (c *compiler) group(i int) {
	g := c.plan.Scenario.Groups[i]
	if g.Transport.HTTP == 2 && !strings.HasPrefix(c.plan.Scenario.Target, "https:") {
		c.bad(g.place, "groups."+g.Name, "http: 2 needs a target that begins with https (the two sides agree on it in the TLS handshake)")
		return
	}
	if c.spread(g) {
		c.groupOfAgents(i)
		return
	}
	lanes := c.lanes(i)
	if len(c.plan.Lanes) > maxLanes {
		c.bad(g.place, "groups."+g.Name, "identities times sources come to too many senders (at most %d in all)", maxLanes)
		return
	}
	if len(g.Pacing) == 0 {
		aside := c.aside(i, lanes[:1])
		c.track(c.plan.Scenario.Counter(i), append(c.compiled(i, lanes, lengthOf(aside)), aside...))
		return
	}
	for k, key := range c.keys(g, lanes) {
		name := c.plan.Scenario.Counter(i)
		if k > 0 {
			name = fmt.Sprintf("%s, %s", name, c.plan.Lanes[key[0]])
		}
		phases := c.written(g, key)
		if k == 0 {
			phases = append(phases, c.aside(i, key)...)
		}
		c.track(name, phases)
	}
}

// track appends phases to the track of a counter: groups that share one go one
// after another, or they would disturb each other.
func (c *compiler) track(name string, phases []Phase) {
	if i, ok := c.trackOf[name]; ok {
		c.plan.Tracks[i].Phases = append(c.plan.Tracks[i].Phases, phases...)
		return
	}
	c.trackOf[name] = len(c.plan.Tracks)
	c.plan.Tracks = append(c.plan.Tracks, Track{Name: name, Phases: phases})
}

// written returns phases written by hand, for the lanes of one key.
func (c *compiler) written(g Group, lanes []int) []Phase {
	phases := slices.Clone(g.Pacing)
	for i := range phases {
		p := &phases[i]
		p.Lanes = lanes
		if c.options.TimeScale > 0 && p.Pace == replay.Name {
			if wrong := p.wrongSpeed(c.options.TimeScale); wrong != "" {
				c.bad(p.place, "groups."+g.Name, "%s: %s", p.Label, wrong)
				continue
			}
			*p = p.atSpeed(c.options.TimeScale)
		}
		pace, _ := PaceOf(*p)
		if pace.Next == nil {
			p.About, p.Likely = pace.Length(*p), pace.Requests(*p)
			continue
		}
		if p.Pace == refill.Name && !g.Fresh {
			p.For = p.Limit.FullRest()
		}
		if p.Search != nil {
			search := *p.Search
			search.Objectives = g.Promise.Objectives
			p.Search = &search
		}
		*p = foreseen(*p, cmp.Or(c.options.Trip, assumedTrip))
	}
	return phases
}
