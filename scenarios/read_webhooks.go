package scenarios

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What webhooks are taken for where nothing is said.
const (
	usualWithin = 5 * time.Second
	usualGrace  = time.Second
)

// webhooks reads where deliveries arrive and what they belong to, and tells
// each group what it is promised.
func (r *reader) webhooks(n node, groups []Group) *Webhooks {
	w := &Webhooks{Listen: "127.0.0.1:0", Path: "/", Signature: "X-Signature", Event: "type", ID: "id", Grace: usualGrace, Within: usualWithin}
	var atLeastOnce, ordered bool
	found := r.mapping(n, []key{
		{"listen", func(n node) { w.Listen = r.listenAt(n) }},
		{"path", func(n node) {
			text, _ := r.text(n)
			if w.Path = text; !strings.HasPrefix(text, "/") || strings.ContainsAny(text, "?# ") {
				r.bad(n, "must begin with a slash and have no query, got %s (write /hooks)", n.kind())
			}
		}},
		{"secret", func(n node) {
			w.Secret = r.template(n)
			if _, fixed := w.Secret.fixed(); !fixed {
				r.bad(n, "must be the same for every delivery")
			}
		}},
		{"signature", func(n node) {
			if w.Signature, _ = r.text(n); !headerName.MatchString(w.Signature) {
				r.bad(n, "not a name of a header")
			}
		}},
		{"event", func(n node) { w.Event = r.jsonPath(n, "type") }},
		{"id", func(n node) { w.ID = r.jsonPath(n, "id") }},
		{"within", func(n node) { w.Within = r.duration(n) }},
		{"grace", func(n node) { w.Grace = r.duration(n) }},
		{"delivery", func(n node) { atLeastOnce = r.oneOf(n, "exactly-once", "at-least-once") == "at-least-once" }},
		{"ordered", func(n node) { ordered = r.boolean(n) }},
		{"refuse", func(n node) { w.Refuse = int(r.whole(n, 1, 1000)) }},
		{"match", func(n node) { w.Match = r.matches(n, groups) }},
	})
	if found != nil && !found["match"] {
		r.bad(n, "match is missing (write match: {agent.registered: {group: signup, json: data.email, is: \"${unique.email}\"}})")
	}
	for _, needed := range []struct{ name, with string }{{"refuse", "id"}, {"delivery", "id"}} {
		if found[needed.name] && w.ID == "" {
			r.bad(n, "%s needs %s, to tell a delivery that comes again from another event", needed.name, needed.with)
		}
	}
	for i := range groups {
		groups[i].Promise.Webhooks = w.promises(groups[i].Name, atLeastOnce, ordered)
	}
	return w
}

// listenAt reads the address to listen on. Any that is written is taken: who
// wants to be reached from elsewhere says so here.
func (r *reader) listenAt(n node) string {
	text, ok := r.text(n)
	host, port, err := net.SplitHostPort(text)
	if number, wrong := strconv.Atoi(port); ok && (err != nil || host == "" || wrong != nil || number < 0 || number > 65535) {
		r.bad(n, "must be an address and a port, got %s (write 127.0.0.1:0 for a free port on this machine, 0.0.0.0:8090 to be reached from others)", n.kind())
	}
	return text
}

func (r *reader) matches(n node, groups []Group) []Match {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	var all []Match
	entries, _ := r.entries(n)
	for _, e := range entries {
		m := Match{Event: e.name}
		r.uses = nil
		found := r.mapping(e.value, []key{
			{"group", func(n node) {
				if m.Group, _ = r.text(n); !slices.Contains(names, m.Group) {
					r.bad(n, "unknown group %q%s (have %s)", shortened(m.Group), didYouMean(m.Group, names), list(names))
				}
			}},
			{"json", func(n node) { m.JSON = r.jsonPath(n, "data.email") }},
			{"is", func(n node) {
				if m.Is = r.template(n); !(Request{Body: m.Is}).unique() {
					r.bad(n, "must hold a unique value of the request (write ${unique.email})")
				}
				for _, u := range r.uses {
					r.bad(u.at, "${%s.%s} has no meaning here", u.of, u.name)
				}
			}},
		})
		for _, needed := range []string{"group", "json", "is"} {
			if found != nil && !found[needed] {
				r.bad(e.value, "%s is missing (write {group: signup, json: data.email, is: \"${unique.email}\"})", needed)
			}
		}
		r.uses = nil
		all = append(all, m)
	}
	if len(all) == 0 {
		r.bad(n, "names no event")
	}
	return all
}
