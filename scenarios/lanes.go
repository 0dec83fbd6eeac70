package scenarios

import (
	"net/netip"
	"net/url"

	"duckload/limiter"
)

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
		if !c.options.Loopback && !onLoopback(c.plan.Scenario.Target) {
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
