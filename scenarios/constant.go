package scenarios

import "slices"

// Constant reports whether one of the group's requests, counted from 0, reads
// the same each time that a lane sends it. Whoever sends many need then make
// it once.
func (p Plan) Constant(lane, request int) bool {
	l := p.Lanes[lane]
	q := p.Scenario.Groups[l.Group].Requests[request]
	id := p.Scenario.identityOf(l.Identity)
	varies := func(p Pair) bool { return p.Value.varies() }
	return l.Trick != TrickForwarded && !q.Path.varies() && !q.Body.varies() &&
		!slices.ContainsFunc(slices.Concat(q.Headers, q.Query, id.Headers, id.Query), varies)
}

// varies reports whether a template differs from request to request of a lane.
func (t Template) varies() bool {
	return slices.ContainsFunc(t.parts, func(p part) bool {
		switch p.kind {
		case "", "identity", "capture":
			return false
		}
		return true
	})
}
