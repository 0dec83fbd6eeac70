package scenarios

import "duckload/limiter"

// collisions refuses groups that would send the same request on the same key
// side by side: each would use up what the other one measures. Groups that
// share a counter go one after another.
func (c *compiler) collisions() {
	s := c.plan.Scenario
	lanes := make([][]Lane, len(s.Groups))
	for _, l := range c.plan.Lanes {
		lanes[l.Group] = append(lanes[l.Group], l)
	}
	for j, g := range s.Groups {
		for i, other := range s.Groups[:j] {
			if s.Counter(i) == s.Counter(j) || !haveKeyInCommon(g, other, lanes[j], lanes[i]) {
				continue
			}
			if q, same := sameRequest(g, other); same {
				c.bad(g.place, "groups."+g.Name, "sends %s %s as %s does, at the same time and on the same key (write shares: %s; several limits of one endpoint are a list in one group)",
					q.Method, q.Path, other.Name, other.Name)
				break
			}
		}
	}
}

// sameRequest returns a request that both groups send.
func sameRequest(a, b Group) (Request, bool) {
	for _, q := range a.Requests {
		for _, r := range b.Requests {
			if q.Method == r.Method && q.Path.String() == r.Path.String() {
				return q, true
			}
		}
	}
	return Request{}, false
}

// haveKeyInCommon reports whether some lanes of two groups have a key in common, as far as
// the scopes are documented. Where one is not, the same sender has it.
func haveKeyInCommon(a, b Group, of, with []Lane) bool {
	for _, x := range of {
		for _, y := range with {
			source, identity := x.Source == y.Source, x.Identity == y.Identity
			switch scope := a.Promise.Limits[0].Scope; {
			case scope == limiter.ScopeGlobal && b.Promise.Limits[0].Scope == scope,
				scope == limiter.ScopeIP && source, scope == limiter.ScopeKey && identity,
				source && identity:
				return true
			}
		}
	}
	return false
}
