package scenarios

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"duckload/limiter"
)

// CompileOptions say for which run a scenario is spelled out.
type CompileOptions struct {
	Run  string // id of the run
	Seed uint64

	Target   string   // instead of the scenario's; empty: as it says
	Loopback bool     // the target is on this machine: "sources: auto" means 127.0.0.2 and 127.0.0.3. An emulator always is
	Groups   []string // only these; empty: all
	Thorough bool     // more tokens, full rests

	// Trip is the round trip that times are estimated with; 0: 15 ms.
	Trip time.Duration
}

// maxLanes is how many lanes a record can name.
const maxLanes = 1 << 16

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
	c := compiler{options: o, plan: Plan{Scenario: resolved(s, o), Seed: o.Seed, Run: o.Run}}
	for i := range c.plan.Scenario.Groups {
		if g := c.plan.Scenario.Groups[i]; len(o.Groups) == 0 || slices.Contains(o.Groups, g.Name) {
			c.group(i)
		}
	}
	c.affordable()
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
	mistakes Mistakes
}

func (c *compiler) bad(p place, path, format string, args ...any) {
	p = place{max(p.line, 1), max(p.col, 1)}
	c.mistakes = append(c.mistakes, Mistake{File: c.plan.Scenario.Path, Line: p.line, Col: p.col, Path: path, Text: fmt.Sprintf(format, args...)})
}

// group adds the lanes and the phases of one group.
func (c *compiler) group(i int) {
	g := c.plan.Scenario.Groups[i]
	lanes := c.lanes(i)
	if len(c.plan.Lanes) > maxLanes {
		c.bad(g.place, "groups."+g.Name, "identities times sources come to too many senders (at most %d in all)", maxLanes)
		return
	}
	if len(g.Pacing) == 0 {
		c.track(c.plan.Scenario.Counter(i), c.compiled(i, lanes))
		return
	}
	for k, key := range c.keys(g, lanes) {
		name := c.plan.Scenario.Counter(i)
		if k > 0 {
			name = fmt.Sprintf("%s, %s", name, c.plan.Lanes[key[0]])
		}
		c.track(name, c.written(g, key))
	}
}

// String returns "beak from 127.0.0.2", as far as it is known.
func (l Lane) String() string {
	switch {
	case l.Source.IsValid() && l.Identity != "":
		return l.Identity + " from " + l.Source.String()
	case l.Source.IsValid():
		return "from " + l.Source.String()
	}
	return l.Identity
}

// lanes adds identities times sources, and returns their indices.
func (c *compiler) lanes(group int) []int {
	g := c.plan.Scenario.Groups[group]
	identities := g.Identity
	if len(identities) == 0 {
		identities = []string{""}
	}
	var lanes []int
	for _, identity := range identities {
		for _, source := range c.sources(g) {
			lanes = append(lanes, len(c.plan.Lanes))
			c.plan.Lanes = append(c.plan.Lanes, Lane{Group: group, Identity: identity, Source: source})
		}
	}
	return lanes
}

func (c *compiler) sources(g Group) []netip.Addr {
	if len(g.Sources) == 0 {
		if !c.options.Loopback && c.plan.Scenario.Target != Emulator {
			return []netip.Addr{{}}
		}
		first, second := netip.AddrFrom4([4]byte{127, 0, 0, 2}), netip.AddrFrom4([4]byte{127, 0, 0, 3})
		if len(g.Pacing) > 0 {
			return []netip.Addr{first} // the second is there to find the scope, which only compiled plans do
		}
		return []netip.Addr{first, second}
	}
	var all []netip.Addr
	for _, source := range g.Sources {
		addr, err := netip.ParseAddr(source)
		if err != nil {
			c.bad(g.place, "groups."+g.Name, "not an address: %q", source)
			continue
		}
		all = append(all, addr)
	}
	return all
}

// keys parts the lanes of a group by the counter that each counts on, as far
// as the scope is documented. Lanes of an undocumented scope take turns.
func (c *compiler) keys(g Group, lanes []int) [][]int {
	var keys [][]int
	place := map[string]int{}
	for _, i := range lanes {
		key := ""
		switch g.Promise.Limits[0].Scope {
		case limiter.ScopeIP:
			key = c.plan.Lanes[i].Source.String()
		case limiter.ScopeKey:
			key = c.plan.Lanes[i].Identity
		}
		if at, ok := place[key]; ok {
			keys[at] = append(keys[at], i)
			continue
		}
		place[key] = len(keys)
		keys = append(keys, []int{i})
	}
	return keys
}

// track appends phases to the track of a counter: groups that share one go one
// after another, or they would disturb each other.
func (c *compiler) track(name string, phases []Phase) {
	for i := range c.plan.Tracks {
		if c.plan.Tracks[i].Name == name {
			c.plan.Tracks[i].Phases = append(c.plan.Tracks[i].Phases, phases...)
			return
		}
	}
	c.plan.Tracks = append(c.plan.Tracks, Track{Name: name, Phases: phases})
}

// written returns phases written by hand, for the lanes of one key.
func (c *compiler) written(g Group, lanes []int) []Phase {
	phases := slices.Clone(g.Pacing)
	for i := range phases {
		p := &phases[i]
		p.Lanes = lanes
		if p.Pace == refill.Name {
			p.About = p.Limit.FullRest()
			if !g.Fresh {
				p.For = p.Limit.FullRest()
			}
			continue
		}
		pace, _ := PaceOf(*p)
		p.About = pace.Length(*p)
	}
	return phases
}

// affordable refuses a plan that its budget would stop.
func (c *compiler) affordable() {
	budget, requests := c.plan.Scenario.Budget, 0
	for _, track := range c.plan.Tracks {
		var length time.Duration
		for _, p := range track.Phases {
			pace, _ := PaceOf(p)
			n := pace.Requests(p)
			requests, length = requests+n, length+p.About
			if budget.Requests > 0 && requests > budget.Requests && requests-n <= budget.Requests {
				c.over(p, "the plan comes to %d requests here; the budget is %d (raise budget.requests, or plan less)", requests, budget.Requests)
			}
			if budget.Duration > 0 && length > budget.Duration && length-p.About <= budget.Duration {
				c.over(p, "the plan takes %s until here; the budget is %s (raise budget.duration, or plan less)", length.Round(time.Second), budget.Duration)
			}
		}
	}
}

func (c *compiler) over(p Phase, format string, args ...any) {
	g := c.plan.Scenario.Groups[c.plan.Lanes[p.Lanes[0]].Group]
	at := p.place
	if at.line == 0 {
		at = g.place
	}
	c.bad(at, "groups."+g.Name, "%s: "+format, append([]any{p.Label}, args...)...)
}

// Requests returns the most requests that the plan sends.
func (p Plan) Requests() int {
	n := 0
	for _, track := range p.Tracks {
		for _, phase := range track.Phases {
			if pace, ok := PaceOf(phase); ok {
				n += pace.Requests(phase)
			}
		}
	}
	return n
}

// Duration returns about how long the plan takes if the promises are kept.
func (p Plan) Duration() time.Duration {
	var longest time.Duration
	for _, track := range p.Tracks {
		var length time.Duration
		for _, phase := range track.Phases {
			length += phase.About
		}
		longest = max(longest, length)
	}
	return longest
}

// A Stretch is a phase with its place in a plan.
type Stretch struct {
	Phase
	Track int // index into Plan.Tracks
	Index int // index into the track's phases
	Group int // index into Scenario.Groups
}

// Stretches returns the phases of all tracks in one list, as a record numbers
// them.
func (p Plan) Stretches() []Stretch {
	var all []Stretch
	for t, track := range p.Tracks {
		for i, phase := range track.Phases {
			all = append(all, Stretch{Phase: phase, Track: t, Index: i, Group: p.Lanes[phase.Lanes[0]].Group})
		}
	}
	return all
}

// Number returns the index into Stretches of a phase of a track.
func (p Plan) Number(track, phase int) int {
	for _, t := range p.Tracks[:track] {
		phase += len(t.Phases)
	}
	return phase
}
