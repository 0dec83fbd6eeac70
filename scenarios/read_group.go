package scenarios

import (
	"slices"

	"gopkg.in/yaml.v3"

	"duckload/limiter"
)

// groups reads every group, and what one may say about another only when all
// are known.
func (r *reader) groups(n node, identities []Identity, usual defaults) []Group {
	entries, _ := r.entries(n)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.bad(n, "names no group")
	}
	var all []Group
	var names []string
	var shares []node
	for _, e := range entries {
		g, share := r.group(e, identities, usual)
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
	return all
}

func (r *reader) group(e entry, identities []Identity, usual defaults) (g Group, shares node) {
	g = Group{Name: e.name, Exclusive: true, place: e.at}
	if !plainName.MatchString(e.name) {
		r.at(e.at, e.value.path, "not a name (letters, digits, '-', '_' and '.', at most 64)")
	}
	keys := []key{
		{"promise", func(n node) { g.Promise.Limits = r.limits(n) }},
		{"requests", func(n node) { g.Requests = r.requests(n) }},
		{"identity", func(n node) { g.Identity = r.identityNames(n, identities) }},
		{"exclusive", func(n node) { g.Exclusive = r.boolean(n) }},
		{"fresh", func(n node) { g.Fresh = r.boolean(n) }},
		{"shares", func(n node) { g.Shares, _ = r.text(n); shares = n }},
		{"decided_within", func(n node) { g.DecidedWithin = r.duration(n) }},
		{"pacing", func(n node) { g.Pacing = r.pacing(n, g.Promise.Limits) }},
	}
	keys = append(keys, r.transport(&g.Transport)...)
	for _, name := range []string{"setup", "teardown", "capture", "webhooks"} {
		keys = append(keys, r.later(name))
	}
	found := r.mapping(e.value, append(keys, r.overrides(&usual)...))
	if found != nil && !found["promise"] {
		r.bad(e.value, "promise is missing (write promise: {limit: 100/min})")
	}
	if found != nil && !found["requests"] {
		r.bad(e.value, "requests is missing (write requests: [GET /path])")
	}
	g.Promise.Reject, g.Promise.Admitted, g.Promise.Objectives = usual.reject, usual.admitted, usual.objectives
	g.Sources = usual.sources
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

func (r *reader) identityNames(n node, identities []Identity) []string {
	known := make([]string, len(identities))
	for i, id := range identities {
		known[i] = id.Name
	}
	var names []string
	for _, item := range r.oneOrMore(n) {
		name, ok := r.text(item)
		switch {
		case !ok:
		case !slices.Contains(known, name):
			r.bad(item, "unknown identity %q%s (have %s)", shortened(name), didYouMean(name, known), list(known))
		case slices.Contains(names, name):
			r.bad(item, "comes twice")
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		r.bad(n, "names no identity (leave the key out)")
	}
	return names
}
