package scenarios

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// errands reads the requests of setup or teardown. Those of setup may capture,
// and use what an earlier one captured. It returns the names of all that is
// captured.
func (r *reader) errands(n node, setup bool, crowds []crowd, captured []string) ([]Request, []string) {
	var all []Request
	for _, item := range r.items(n) {
		q := r.request(item)
		r.referred(crowds, captured)
		if q.Weight != 1 {
			r.bad(item, "weight has no meaning here: each is sent once")
		}
		if q.sight != nil {
			r.bad(item, "effect has no meaning here: what setup and teardown do is not looked at")
		}
		for _, c := range q.Capture {
			switch {
			case !setup:
				r.bad(item, "only a request of setup captures")
			case slices.Contains(captured, c.Name):
				r.bad(item, "%s is captured twice", c.Name)
			}
			captured = append(captured, c.Name)
		}
		all = append(all, q)
	}
	if n.Kind == yaml.SequenceNode && len(all) == 0 {
		r.bad(n, "names no request (leave the key out)")
	}
	return all, captured
}

// captures reads what to keep of an answer: {token: {json: data.token}} or
// {token: {header: X-Token}}.
func (r *reader) captures(n node) []Capture {
	entries, _ := r.entries(n)
	var all []Capture
	for _, e := range entries {
		c := Capture{Name: e.name}
		if !columnName.MatchString(e.name) {
			r.at(e.at, e.value.path, "not a name of a captured value (letters, digits, '-' and '_')")
		}
		r.mapping(e.value, []key{
			{"json", func(n node) { c.JSON = r.jsonPath(n, "data.token") }},
			{"header", func(n node) {
				if c.Header, _ = r.text(n); !headerName.MatchString(c.Header) {
					r.bad(n, "not a name of a header")
				}
			}},
		})
		if (c.JSON == "") == (c.Header == "") {
			r.bad(e.value, "needs one place to find it (write {json: data.token} or {header: X-Token})")
		}
		all = append(all, c)
	}
	return all
}
