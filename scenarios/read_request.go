package scenarios

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// methods are the methods that a request may have.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func (r *reader) requests(n node) []Request {
	var all []Request
	for _, item := range r.items(n) {
		all = append(all, r.request(item))
	}
	if n.Kind == yaml.SequenceNode && len(all) == 0 {
		r.bad(n, "names no request (write [GET /path])")
	}
	return all
}

func (r *reader) request(n node) Request {
	q := Request{Weight: 1}
	if n.Kind == yaml.ScalarNode {
		method, path, found := strings.Cut(n.Value, " ")
		if !found {
			r.bad(n, "must be a method and a path, got %q (write GET /path)", shortened(n.Value))
			return q
		}
		q.Method = r.method(n, method)
		q.Path = r.path(n, strings.TrimSpace(path))
		return q
	}
	var bodies []string
	body := func(name, kind string, read func(node) Template) key {
		return key{name, func(n node) {
			bodies = append(bodies, name)
			q.Body, q.Type = read(n), kind
		}}
	}
	keys := []key{
		{"headers", func(n node) { q.Headers = r.pairs(n, "header", headerName) }},
		{"query", func(n node) { q.Query = r.pairs(n, "query parameter", queryName) }},
		body("json", "application/json", func(n node) Template { return r.json(n) }),
		body("form", "application/x-www-form-urlencoded", r.form),
		body("body", "text/plain; charset=utf-8", r.template),
		{"file", func(n node) {
			bodies = append(bodies, "file")
			q.Body, q.Type = r.bodyFile(n)
		}},
		{"weight", func(n node) { q.Weight = int(r.whole(n, 1, 10_000)) }},
		{"creates", func(n node) { q.Creates, _ = r.text(n) }},
		{"effect", func(n node) { q.sight = r.effect(n) }},
		{"capture", func(n node) { q.Capture = r.captures(n) }},
	}
	for _, m := range methods {
		keys = append(keys, key{m, func(n node) {
			if q.Method != "" {
				r.bad(n, "a second method; a request has one")
			}
			text, _ := r.text(n)
			q.Method, q.Path = m, r.path(n, text)
		}})
	}
	found := r.mapping(n, keys)
	if found != nil && q.Method == "" {
		r.bad(n, "has no method (write POST: /path; have %s)", list(methods))
	}
	if len(bodies) > 1 {
		r.bad(n, "has more than one body: %s", strings.Join(bodies, " and "))
	}
	return q
}

func (r *reader) method(n node, method string) string {
	if !slices.Contains(methods, method) {
		r.bad(n, "unknown method %q%s (have %s)", shortened(method), didYouMean(method, methods), list(methods))
	}
	return method
}

func (r *reader) path(n node, text string) Template {
	if !strings.HasPrefix(text, "/") {
		r.bad(n, "a path begins with a slash, got %q", shortened(text))
	}
	t := r.templateOf(n, text)
	for _, p := range t.parts {
		if strings.ContainsFunc(p.text, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' }) {
			r.bad(n, "a path holds no blanks, control characters or '#' (write %%20 or %%23)")
			break
		}
	}
	for i, p := range t.parts {
		if p.name != "" {
			t.parts[i].escape = inPath
		}
	}
	return t
}

func (r *reader) form(n node) Template {
	entries, _ := r.entries(n)
	var t Template
	for i, e := range entries {
		if i > 0 {
			t = t.then(literal("&"))
		}
		t = t.then(literal(inForm.apply(e.name) + "=")).then(r.template(e.value).escaped(inForm))
	}
	return t
}

// bodyTypes are the kinds of files that bodies come from.
var bodyTypes = map[string]string{
	".json": "application/json", ".xml": "application/xml", ".txt": "text/plain; charset=utf-8",
	".csv": "text/csv; charset=utf-8", ".html": "text/html; charset=utf-8",
}

// bodyFile reads a body from a file, as it is: nothing in it interpolates.
func (r *reader) bodyFile(n node) (Template, string) {
	name, ok := r.text(n)
	if !ok {
		return Template{}, ""
	}
	clean, wrong := r.below(name)
	if wrong != "" {
		r.bad(n, "%s", wrong)
		return Template{}, ""
	}
	text, err := r.env.ReadFile(clean)
	switch {
	case err != nil:
		r.bad(n, "file %q: %v", shortened(name), err)
	case len(text) > maxText:
		r.bad(n, "file %q is too large (at most %d bytes)", shortened(name), maxText)
	}
	return Template{parts: []part{{text: string(text), raw: "(" + shortened(name) + ")"}}}, cmp.Or(bodyTypes[strings.ToLower(path.Ext(name))], "application/octet-stream")
}

// number is a number as JSON writes it.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// json turns a tree into a JSON text whose strings may interpolate.
func (r *reader) json(n node) Template {
	switch n.Kind {
	case yaml.MappingNode:
		entries, _ := r.entries(n)
		t := literal("{")
		for i, e := range entries {
			if i > 0 {
				t = t.then(literal(","))
			}
			t = t.then(literal(fmt.Sprintf(`"%s":`, inJSON.apply(e.name)))).then(r.json(e.value))
		}
		return t.then(literal("}"))
	case yaml.SequenceNode:
		t := literal("[")
		for i, item := range r.items(n) {
			if i > 0 {
				t = t.then(literal(","))
			}
			t = t.then(r.json(item))
		}
		return t.then(literal("]"))
	}
	return r.jsonScalar(n)
}

func (r *reader) jsonScalar(n node) Template {
	switch n.Tag {
	case "!!null":
		return literal("null")
	case "!!bool":
		if n.Value == "true" || n.Value == "false" {
			return literal(n.Value)
		}
	case "!!int", "!!float":
		if !number.MatchString(n.Value) {
			r.bad(n, "not a number that JSON can write: %s (quote it to send text)", n.kind())
			return Template{}
		}
		return literal(n.Value)
	}
	return literal(`"`).then(r.template(n).escaped(inJSON)).then(literal(`"`))
}
