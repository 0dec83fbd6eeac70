package fleet

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// apart refuses agents that the target would see under one address, behind one
// NAT or on one machine, where a limit counts addresses and several of them
// send to its counter: what one of them spends, the others would miss.
func apart(agents []Info, plan scenarios.Plan) error {
	parts := Split(plan, len(agents))
	for _, counter := range counters(plan) {
		seen := map[string]string{} // who has an address
		for i, part := range parts {
			for _, at := range meets(part, counter, agents[i]) {
				if other, taken := seen[at]; taken && other != agents[i].Name {
					return Refusal{Agent: agents[i].Name, Kind: Guarded, Why: fmt.Sprintf(
						"the limits of %s count addresses, and it has the same one as agent %s (%s): nothing could be said about either (use machines with addresses of their own, or leave the group to a run with one agent)", counter, other, at)}
				}
				seen[at] = agents[i].Name
			}
		}
	}
	return nil
}

// Apart reports whether the target of a run is known to see each agent under an
// address of its own.
func Apart(agents []Info, target string) bool {
	h := history.Header{Target: target}
	for _, a := range agents {
		h.Agents = append(h.Agents, history.Agent{Name: a.Name, Address: a.address()})
	}
	seen := map[string]bool{}
	for _, a := range agents {
		at := h.AddressOf(history.Lane{Agent: a.Name})
		if at == "" || seen[at] {
			return false
		}
		seen[at] = true
	}
	return true
}

// localAddresses returns those of this machine that are not on loopback.
func localAddresses() []string {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil // nobody can be told, then
	}
	var all []string
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() && len(all) < 64 {
			all = append(all, p.Addr().Unmap().String())
		}
	}
	return all
}

// Homes returns which agents have each of some addresses, counted from 0.
func Homes(agents []Info, sources []netip.Addr) map[netip.Addr][]int {
	all := map[netip.Addr][]int{}
	for _, source := range sources {
		for i, a := range agents {
			if slices.Contains(a.Local, source.Unmap().String()) {
				all[source] = append(all[source], i)
			}
		}
	}
	return all
}

// counters names those that count addresses.
func counters(plan scenarios.Plan) []string {
	var all []string
	for _, lane := range plan.Lanes {
		name := plan.Scenario.Counter(lane.Group)
		counts := slices.ContainsFunc(plan.Scenario.Groups[lane.Group].Promise.Limits, func(l limiter.Limit) bool {
			return l.Scope == limiter.ScopeIP && !l.Unverified
		})
		if counts && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// meets returns the addresses under which an agent's part meets a counter.
func meets(part scenarios.Plan, counter string, of Info) []string {
	var all []string
	for _, i := range sending(part) {
		l := part.Lanes[i]
		if part.Scenario.Counter(l.Group) != counter {
			continue
		}
		at := of.outside()
		if l.Source.IsValid() && (l.Source.IsLoopback() || at == "") {
			at = l.Source.String()
		}
		if at != "" && !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	return all
}

// outside is the address of an agent as far as anybody knows: what the bus
// sees, unless both are on one machine.
func (i Info) outside() string {
	if at := i.address(); at != "" {
		return at
	}
	return strings.Join(i.Sources, ", ")
}

// sending lists the lanes that a part sends from.
func sending(part scenarios.Plan) []int {
	used := make([]bool, len(part.Lanes))
	for _, t := range part.Tracks {
		for _, p := range t.Phases {
			if pace, ok := scenarios.PaceOf(p); !ok || pace.Requests(p) == 0 {
				continue
			}
			for _, i := range p.Senders() {
				used[i] = true
			}
		}
	}
	var all []int
	for i, is := range used {
		if is {
			all = append(all, i)
		}
	}
	return all
}
