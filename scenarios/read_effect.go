package scenarios

import (
	"strings"

	"duckload/limiter"
)

// A sight is how a scenario sees what a request did.
type sight struct {
	limiter.Effect
	look Request // the follow-up
}

// effect reads how somebody sees whether a request was carried out.
func (r *reader) effect(n node) *sight {
	s := &sight{}
	found := r.mapping(n, []key{
		{"again", func(n node) { s.Again, s.Happened = true, r.sign(n) }},
		{"look", func(n node) { s.look = r.request(n) }},
		{"happened", func(n node) { s.Happened = r.sign(n) }},
		{"absent", func(n node) { s.Absent = r.sign(n) }},
		{"count", func(n node) { s.Count = r.jsonPath(n, "times") }},
		{"idempotent", func(n node) { s.Idempotent = r.boolean(n) }},
	})
	switch {
	case found == nil:
	case found["again"] == found["look"]:
		r.bad(n, "needs one way to see it (write again: {json: {error.code: E4003}}, or look: {GET: /path})")
	case found["again"]:
		for _, name := range []string{"happened", "absent", "count", "idempotent"} {
			if found[name] {
				r.bad(n, "%s has no meaning for again: the identical request is accepted, or told that it happened", name)
			}
		}
		s.Idempotent = true
	case !found["count"] && !(found["happened"] && found["absent"]):
		r.bad(n, "must say how a look tells (write happened and absent, such as {status: 200} and {status: 404}, or count: times)")
	}
	switch {
	case s.look.Method == "":
	case s.look.Weight != 1 || s.look.Creates != "" || len(s.look.Capture) > 0 || s.look.sight != nil:
		r.bad(n, "a look has no weight, creates, capture or effect of its own")
	case !s.look.unique():
		r.bad(n, "a look needs the unique value of the request it is for (write GET: /things/${unique.id})")
	}
	return s
}

// sign reads what tells an answer from others.
func (r *reader) sign(n node) limiter.Sign {
	var s limiter.Sign
	found := r.mapping(n, []key{
		{"status", func(n node) { s.Status = r.statuses(n) }},
		{"json", func(n node) { s.JSON = r.jsonFields(n, "") }},
	})
	if found != nil && s.IsZero() {
		r.bad(n, "names neither a status nor a value (write {status: 409} or {json: {error.code: E4003}})")
	}
	return s
}

// unique reports whether no two requests made from it are alike.
func (q Request) unique() bool {
	is := func(t Template) bool {
		for _, p := range t.parts {
			if strings.HasPrefix(p.kind, "unique.") {
				return true
			}
		}
		return false
	}
	for _, pair := range append(append([]Pair(nil), q.Headers...), q.Query...) {
		if is(pair.Value) {
			return true
		}
	}
	return is(q.Path) || is(q.Body)
}

// sights moves what the requests of a group say of their effects to where it is
// needed: into the promise, and to the follow-ups.
func (r *reader) sights(n node, g *Group) {
	for i, q := range g.Requests {
		s := q.sight
		if s == nil {
			continue
		}
		if !q.unique() {
			r.bad(n.item(i), "an effect can be seen only if no two requests are alike (write a ${unique.…} value into it)")
		}
		s.Request = i
		if !s.Again {
			s.After = len(g.Looks)
			g.Looks = append(g.Looks, s.look)
		}
		g.Promise.Effects = append(g.Promise.Effects, s.Effect)
	}
}

// strangers finds follow-ups that count on the limit of another group.
func (r *reader) strangers(all []Group) {
	for i, g := range all {
		for _, look := range g.Looks {
			for j, other := range all {
				for _, q := range other.Requests {
					if i != j && pathOf(q) == pathOf(look) {
						r.at(g.place, "groups."+g.Name, "looks at %s, which counts on the limit of %s and would disturb what is measured there (look somewhere else)", pathOf(look), other.Name)
					}
				}
			}
		}
	}
}

// pathOf returns the path of a request as it is written, without its query.
func pathOf(q Request) string {
	path, _, _ := strings.Cut(q.Path.String(), "?")
	return path
}
