package scenarios

import (
	"net/netip"
	"net/url"

	"duckload/limiter"
)

// String returns "beak from 127.0.0.2", as far as it is known.
func (l Lane) String() string {
	name := l.Identity
	switch {
	case l.Source.IsValid() && l.Identity != "":
		name += " from " + l.Source.String()
	case l.Source.IsValid():
		name = "from " + l.Source.String()
	}
	if l.Trick != "" {
		name += ", " + l.Trick
	}
	return name
}

// tricks adds lanes that are the first one in disguise: a limiter that can be
// got round by them has not the scope that is documented. They are only
// played on loopback, where nobody's protection mistakes them for an attack.
func (c *compiler) tricks(first int) []int {
	if !onLoopback(c.plan.Scenario.Target) {
		return nil
	}
	var lanes []int
	for _, trick := range []string{TrickForwarded, TrickPath} {
		lane := c.plan.Lanes[first]
		lane.Trick = trick
		lanes = append(lanes, len(c.plan.Lanes))
		c.plan.Lanes = append(c.plan.Lanes, lane)
	}
	return lanes
}

// sharing returns those of the other lanes that may count on the counter of the
// first, as far as the scope is documented.
func (c *compiler) sharing(s limiter.Scope, first int, others []int) []int {
	var all []int
	mine := c.plan.Lanes[first]
	for _, i := range others {
		l := c.plan.Lanes[i]
		if s == limiter.ScopeIP && l.Source != mine.Source || s == limiter.ScopeKey && l.Identity != mine.Identity {
			continue
		}
		all = append(all, i)
	}
	return all
}

// lanes adds identities times sources, and returns their indices.
func (c *compiler) lanes(group int) []int {
	g := c.plan.Scenario.Groups[group]
	var lanes []int
	for _, l := range c.identitiesOf(group) {
		for _, source := range c.sources(g) {
			l.Source = source
			lanes = append(lanes, len(c.plan.Lanes))
			c.plan.Lanes = append(c.plan.Lanes, l)
		}
	}
	return lanes
}

func (c *compiler) sources(g Group) []netip.Addr {
	if len(g.Sources) == 0 {
		if !c.loopback() {
			return []netip.Addr{{}}
		}
		first, second := netip.AddrFrom4([4]byte{127, 0, 0, 2}), netip.AddrFrom4([4]byte{127, 0, 0, 3})
		if len(g.Pacing) > 0 || c.meets(g) {
			return []netip.Addr{first} // the second is there to find the scope, which only compiled plans do, and other agents find better
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

// onLoopback reports whether a target is on this machine by IPv4, judged by its
// name alone. (IPv6 has one loopback address and no second one to send from.)
func onLoopback(target string) bool {
	if target == Emulator {
		return true
	}
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.Is4() && addr.IsLoopback()
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
