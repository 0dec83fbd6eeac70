package scenarios

import (
	"slices"

	"gopkg.in/yaml.v3"

	"duckload/limiter"
)

// groups reads every group, and what one may say about another only when all
// are known.
func (r *reader) groups(n node, usual defaults) []Group {
	entries, _ := r.entries(n)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.bad(n, "names no group")
	}
	var all []Group
	var names []string
	var shares []node
	for _, e := range entries {
		g, share := r.group(e, usual)
		all = append(all, g)
		names = append(names, e.name)
		shares = append(shares, share)
	}
	for i, g := range all {
		at := slices.Index(names, g.Shares)
		switch {
		case g.Shares == "":
		case at < 0:
			r.bad(shares[i], "unknown group %q%s (have %s)", g.Shares, didYouMean(g.Shares, names), list(names))
		case at == i:
			r.bad(shares[i], "a group always shares its counter with itself; name another")
		case all[at].Shares != "":
			r.bad(shares[i], "%s shares the counter of %s; name that group", g.Shares, all[at].Shares)
		case !slices.Equal(g.Promise.Limits, all[at].Promise.Limits):
			r.bad(shares[i], "groups that share a counter need the same promise; %s has another", g.Shares)
		}
	}
	r.strangers(all)
	return all
}

func (r *reader) group(e entry, usual defaults) (g Group, shares node) {
	g = Group{Name: e.name, Exclusive: true, place: e.at}
	if !plainName.MatchString(e.name) {
		r.at(e.at, e.value.path, "not a name (letters, digits, '-', '_' and '.', at most 64)")
	}
	var crowds []crowd
	var captured []string
	var others []expected
	r.uses = nil
	keys := []key{
		{"promise", func(n node) { g.Promise.Limits = r.limits(n) }},
		{"identity", func(n node) { g.Identity, crowds = r.identityNames(n) }},
		{"setup", func(n node) { g.Setup, captured = r.errands(n, true, crowds, nil) }},
		{"requests", func(n node) {
			if g.Requests = r.requests(n); slices.ContainsFunc(g.Requests, func(q Request) bool { return len(q.Capture) > 0 }) {
				r.bad(n, "only a request of setup captures")
			}
			r.referred(crowds, captured)
			r.sights(n, &g)
		}},
		{"teardown", func(n node) { g.Teardown, _ = r.errands(n, false, crowds, captured) }},
		{"exclusive", func(n node) { g.Exclusive = r.boolean(n) }},
		{"fresh", func(n node) { g.Fresh = r.boolean(n) }},
		{"shares", func(n node) { g.Shares, _ = r.text(n); shares = n }},
		{"decided_within", func(n node) { g.DecidedWithin = r.duration(n) }},
		{"expect", func(n node) { others = r.expectations(n, g.Identity) }},
		{"pacing", func(n node) { g.Pacing = r.pacing(n, g.Promise.Limits) }},
	}
	keys = append(keys, r.transport(&g.Transport)...)
	keys = append(keys, r.later("capture"))
	found := r.mapping(e.value, append(keys, r.overrides(&usual)...))
	if found != nil && !found["promise"] {
		r.bad(e.value, "promise is missing (write promise: {limit: 100/min})")
	}
	if found != nil && !found["requests"] {
		r.bad(e.value, "requests is missing (write requests: [GET /path])")
	}
	g.Promise.Reject, g.Promise.Admitted, g.Promise.Objectives = usual.reject, usual.admitted, usual.objectives
	g.Promise.Errors, g.Promise.Expect = usual.errors, r.known(others, usual.errors)
	g.Sources, g.EachAgent = usual.sources, usual.eachAgent
	r.contradictions(e, g)
	return g, shares
}

// contradictions finds values that are right by themselves and wrong together.
func (r *reader) contradictions(e entry, g Group) {
	for _, status := range g.Promise.Reject.Status {
		if slices.ContainsFunc(g.Promise.Admitted, func(s limiter.Statuses) bool { return s.Contains(status) }) {
			r.at(e.at, e.value.path, "status %d means admitted and rejected at once", status)
		}
	}
	if g.Fresh && !g.Exclusive {
		r.at(e.at, e.value.path, "cannot be fresh and not exclusive: what others use is not fresh")
	}
}

// identityNames returns the names of the identities that a group names: one
// with a file stands for all of them.
func (r *reader) identityNames(n node) (names []string, crowds []crowd) {
	known := make([]string, len(r.crowds))
	for i, s := range r.crowds {
		known[i] = s.name
	}
	for _, item := range r.oneOrMore(n) {
		name, ok := r.text(item)
		at := slices.Index(known, name)
		switch {
		case !ok:
		case at < 0:
			r.bad(item, "unknown identity %q%s (have %s)", shortened(name), didYouMean(name, known), list(known))
		case slices.ContainsFunc(crowds, func(s crowd) bool { return s.name == name }):
			r.bad(item, "comes twice")
		default:
			names, crowds = append(names, r.crowds[at].of...), append(crowds, r.crowds[at])
		}
	}
	if len(r.oneOrMore(n)) == 0 {
		r.bad(n, "names no identity (leave the key out)")
	}
	return names, crowds
}

// referred checks what the requests of a group refer to since somebody looked.
func (r *reader) referred(crowds []crowd, captured []string) {
	for _, u := range r.uses {
		switch {
		case u.of == "capture" && !slices.Contains(captured, u.name):
			r.bad(u.at, "nothing called %q is captured before%s (have %s)", u.name, didYouMean(u.name, captured), list(captured))
		case u.of == "capture":
		case len(crowds) == 0:
			r.bad(u.at, "${identity.%s} needs identities from a file (write identity: users)", u.name)
		default:
			for _, s := range crowds {
				if s.rows == nil {
					r.bad(u.at, "${identity.%s} needs identities from a file, and %s is from none", u.name, s.name)
					continue
				}
				r.column(u, s.rows)
			}
		}
	}
	r.uses = nil
}
