package draft

import (
	"fmt"
	"slices"
	"strings"
)

// FromOpenAPI drafts a scenario from an OpenAPI description, version 3.0 or
// 3.1, in YAML or JSON. Limits come from x-ratelimit extensions, from SLA4OAI
// plans, from what answers with status 429 say, and from texts. open reads a
// file of plans that the description refers to; nil: none is read. If the
// document is none, the error is [Mistakes].
func FromOpenAPI(file string, text []byte, open Open) (Draft, error) {
	if err := readable(file, text); err != nil {
		return Draft{}, err
	}
	root, err := parse(file, text)
	if err != nil {
		return Draft{}, err
	}
	if err := isOpenAPI(file, root); err != nil {
		return Draft{}, err
	}
	d := description{root: root, file: file}
	d.plans = d.findPlans(open)
	d.read()
	if len(d.operations) == 0 {
		return Draft{}, Mistakes{{File: file, Line: root.get("paths").at(), Text: "describes no operation (need paths with get, post or another method below them)"}}
	}
	return d.draft(), nil
}

func isOpenAPI(file string, root value) error {
	version := root.get("openapi").text()
	switch {
	case strings.HasPrefix(version, "3."):
	case root.get("swagger").ok():
		return Mistakes{{File: file, Line: root.get("swagger").at(), Text: fmt.Sprintf("is Swagger %s (need OpenAPI 3.0 or 3.1; converters turn the one into the other)", oneLine(root.get("swagger").text()))}}
	case version != "":
		return Mistakes{{File: file, Line: root.get("openapi").at(), Text: fmt.Sprintf("is OpenAPI %q (need 3.0 or 3.1)", oneLine(version))}}
	default:
		return Mistakes{{File: file, Line: 1, Text: "is no OpenAPI description: openapi is missing (write openapi: 3.1.0)"}}
	}
	if !root.get("paths").isMap() {
		return Mistakes{{File: file, Line: max(root.get("paths").at(), 1), Text: "paths must be a map of paths, got " + root.get("paths").kind()}}
	}
	return nil
}

// A description is what has been read of an OpenAPI document.
type description struct {
	root       value
	file       string
	plans      *plans
	operations []operation
	schemes    []scheme
	left       []Note
	retryAfter Note
}

// An operation is a method of a path.
type operation struct {
	method, path string
	value
	item   value // the path's own map
	line   int
	limits stated
	scheme string // name of a security scheme; empty: anybody may
}

// read finds every operation and the limits that hold for it.
func (d *description) read() {
	d.schemes = readSchemes(d.root)
	for _, p := range d.root.get("paths").fields() {
		if !strings.HasPrefix(p.name, "/") {
			continue
		}
		if ref := p.raw("$ref"); ref.ok() && !p.followed().ok() {
			d.left = append(d.left, Note{Text: p.name + " stands in another file, " + ref.Value + ", which is not read (bundle the description into one file)", Line: p.line})
		}
		for _, m := range p.fields() {
			method := strings.ToUpper(m.name)
			if !slices.Contains(methods, method) || strings.ToLower(m.name) != m.name || len(d.operations) >= maxRows {
				continue
			}
			o := operation{method: method, path: p.name, value: m.followed(), item: p.followed(), line: m.line}
			o.limits = d.limitsOf(o)
			o.scheme = d.schemeOf(o)
			d.findRetryAfter(o)
			d.operations = append(d.operations, o)
		}
	}
}

// draft makes a scenario of the operations: those whose limit was stated in
// one place share it.
func (d *description) draft() Draft {
	out := Draft{Name: nameOf(d.file), Source: d.file, RetryAfter: d.retryAfter}
	if title := slug(d.root.get("info", "title").text()); title != "" {
		out.Name = title
	}
	out.Target, out.TargetNote = d.target()
	var shared [][]operation
	at := map[int]int{}
	var silent []operation
	for _, o := range d.operations {
		if !o.limits.found() {
			silent = append(silent, o)
			continue
		}
		if len(o.limits.limits)+len(o.limits.notes) == 0 {
			d.left = append(d.left, Note{Text: "unlimited: " + o.method + " " + o.path, Line: o.limits.place})
			continue
		}
		i, known := at[o.limits.place]
		if !known {
			i, at[o.limits.place] = len(shared), len(shared)
			shared = append(shared, nil)
		}
		shared[i] = append(shared[i], o)
	}
	if len(shared) == 0 && len(silent) > 0 {
		shared, silent = [][]operation{silent}, nil
	}
	out.Groups = d.groups(shared)
	for _, o := range silent {
		d.left = append(d.left, Note{Text: "no limit stated: " + o.method + " " + o.path, Line: o.line})
	}
	out.Identities = d.identities(out.Groups)
	out.Left = append(d.left, d.plans.left()...)
	return out
}

func (d *description) groups(shared [][]operation) []Group {
	var paths, verbs []string
	for _, all := range shared {
		name := all[0].path
		if len(all) > 1 {
			name = commonPath(all)
		}
		paths, verbs = append(paths, name), append(verbs, all[0].method)
	}
	names := groupNames(paths, verbs)
	var groups []Group
	for i, all := range shared {
		first := all[0].limits
		g := Group{Name: names[i], Limits: first.limits, Notes: first.notes}
		if len(all) > 1 && len(first.limits) > 0 {
			g.Notes = append(g.Notes, Note{Text: fmt.Sprintf("guess: the %d operations below share one counter, because their limit is stated in one place", len(all)), Line: max(first.place, 0)})
		}
		for _, o := range safest(all) {
			g.Requests = append(g.Requests, d.request(o))
			if g.Identity == "" {
				g.Identity = o.scheme
			}
		}
		for _, o := range all[:min(len(all), maxNotes)] {
			if len(safest(all)) < len(all) && !safe(o.method) {
				g.Notes = append(g.Notes, Note{Text: "left out, because it changes what it is sent to: " + o.method + " " + o.path, Line: o.line})
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func safe(method string) bool { return method == "GET" || method == "HEAD" || method == "OPTIONS" }

// safest returns the operations that only read; all, if none does.
func safest(all []operation) []operation {
	var some []operation
	for _, o := range all {
		if safe(o.method) {
			some = append(some, o)
		}
	}
	if len(some) == 0 {
		return all
	}
	return some
}

// commonPath names several operations: what their paths begin with, or "api".
func commonPath(all []operation) string {
	common := strings.Split(all[0].path, "/")
	for _, o := range all[1:] {
		parts := strings.Split(o.path, "/")
		n := 0
		for n < min(len(common), len(parts)) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	if slug(strings.Join(common, "/")) == "" {
		return "/api"
	}
	return strings.Join(common, "/")
}

// target is the first server.
func (d *description) target() (string, Note) {
	for _, s := range d.root.get("servers").items() {
		text := s.get("url").text()
		for _, v := range s.get("variables").fields() {
			text = strings.ReplaceAll(text, "{"+v.name+"}", v.get("default").text())
		}
		if u := baseURL(text); u != "" {
			return u, Note{Text: "the first server of the description, which may be production", Line: s.get("url").at()}
		}
	}
	return "", Note{}
}
