package draft

import (
	"fmt"
	"slices"
	"strings"
)

// FromTable drafts a scenario from a document with a table of rate limits, in
// Markdown or HTML. Tables that list endpoints, and what the text says of
// Retry-After, keys and the base URL, complete it. If no limit can be found,
// the error is [Mistakes].
func FromTable(file string, text []byte) (Draft, error) {
	if err := readable(file, text); err != nil {
		return Draft{}, err
	}
	all := tables(string(text))
	if len(all) == 0 {
		return Draft{}, Mistakes{{File: file, Text: "has no table (need rows between bars with a line of dashes below their headings, as in Markdown, or <table>)"}}
	}
	d := document{lines: strings.Split(string(text), "\n")}
	var mistakes Mistakes
	for _, t := range all {
		if cols := columns(t); find(cols, limitOf) >= 0 && find(cols, subject) >= 0 {
			d.limited(t, cols)
		} else if find(cols, subject) >= 0 && d.endpoints(t, cols) {
		} else {
			mistakes = append(mistakes, Mistake{File: file, Line: t.line, Text: fmt.Sprintf(
				"a table without limits: its headings are %s (need one for the endpoint and one for the limit, such as | Endpoint | Limit | Window | Burst | Scope |)", headingList(t))})
		}
	}
	if len(d.entries) == 0 {
		for _, n := range d.left {
			mistakes = append(mistakes, Mistake{File: file, Line: n.Line, Text: n.Text})
		}
		if len(mistakes) == 0 {
			mistakes = Mistakes{{File: file, Text: "has no row with a limit (need a column such as | Limit | with cells such as 100 per minute)"}}
		}
		return Draft{}, mistakes
	}
	for _, m := range mistakes {
		d.left = append(d.left, Note{Text: m.Text, Line: m.Line})
	}
	return d.draft(file), nil
}

func headingList(t table) string {
	var names []string
	for _, h := range t.head[:min(len(t.head), 8)] {
		names = append(names, fmt.Sprintf("%q", oneLine(h)))
	}
	return strings.Join(names, ", ")
}

// A document is what has been read of a page with tables.
type document struct {
	lines   []string
	entries []entry
	known   []known // endpoints that tables list
	left    []Note
}

// An entry is one subject and the limits that hold for it.
type entry struct {
	subject   string
	endpoints []endpoint
	limits    []Limit
	notes     []Note
	line      int
	auth      *bool  // nil: not stated
	body      string // what it says of a body
}

// A known endpoint is one that some table lists.
type known struct {
	endpoint
	line int
	auth *bool
	body string
}

// limited reads a table of limits.
func (d *document) limited(t table, cols []column) {
	for _, r := range t.rows {
		what := r.cell(find(cols, subject))
		if what == "" {
			continue
		}
		e := entry{
			subject:   what,
			line:      r.line,
			endpoints: endpoints(what, r.cell(find(cols, method))),
			notes:     []Note{{Text: r.text(), Line: r.line}},
			auth:      auth(cols, r),
			body:      r.cell(find(cols, body)) + " " + what,
		}
		limits, notes, free := readLimits(r, cols)
		e.limits, e.notes = limits, append(e.notes, notes...)
		if free {
			d.left = append(d.left, Note{Text: "unlimited: " + r.text(), Line: r.line})
			continue
		}
		if len(e.limits) == 0 && len(e.endpoints) == 0 {
			d.left = append(d.left, Note{Text: "no limit in this row was understood: " + r.text() + " (write 100 per minute)", Line: r.line})
			continue
		}
		d.add(e)
	}
}

// add merges rows about the same subject.
func (d *document) add(e entry) {
	for i, have := range d.entries {
		if !strings.EqualFold(have.subject, e.subject) || !slices.Equal(have.endpoints, e.endpoints) {
			continue
		}
		d.entries[i].notes = append(d.entries[i].notes, e.notes...)
		for _, l := range e.limits {
			var left *Note
			if d.entries[i].limits, left = add(d.entries[i].limits, l); left != nil {
				d.entries[i].notes = append(d.entries[i].notes, *left)
			}
		}
		return
	}
	d.entries = append(d.entries, e)
}

// endpoints reads a table that lists endpoints, and reports whether it does.
func (d *document) endpoints(t table, cols []column) bool {
	found := false
	for _, r := range t.rows {
		for _, e := range endpoints(r.cell(find(cols, subject)), r.cell(find(cols, method))) {
			found = true
			d.known = append(d.known, known{endpoint: e, line: r.line, auth: auth(cols, r), body: r.cell(find(cols, body))})
		}
	}
	return found
}

// auth reads whether a row says that a key is needed; nil: it does not.
func auth(cols []column, r row) *bool {
	i := find(cols, authOf)
	cell := strings.ToLower(strings.TrimSpace(r.cell(i)))
	word, _, _ := strings.Cut(strings.TrimLeft(cell, "*_"), " ")
	word = strings.Trim(word, ".,;:()")
	needs := true
	switch word {
	case "no", "none", "public", "optional", "false", "✗", "✘", "❌", "-", "–", "—", "not", "unauthenticated", "anonymous", "open":
		needs = false
	case "":
		return nil
	}
	return &needs
}

// draft makes a scenario of what was read.
func (d *document) draft(file string) Draft {
	out := Draft{Name: nameOf(file), Source: file, Left: d.left}
	out.Target, out.TargetNote = d.target()
	out.RetryAfter = d.retryAfter()
	out.Notes = d.codes()
	var paths, verbs []string
	for _, e := range d.entries {
		first := endpoint{path: e.subject}
		if len(e.endpoints) > 0 {
			first = e.endpoints[0]
		}
		paths, verbs = append(paths, first.path), append(verbs, first.method)
	}
	names := groupNames(paths, verbs)
	keyed := false
	for i, e := range d.entries {
		g := Group{Name: names[i], Notes: e.notes, Limits: e.limits}
		needs := d.complete(&g, e)
		for _, l := range g.Limits {
			needs = needs || l.Scope == "key"
		}
		if needs {
			g.Identity, keyed = keyName, true
		}
		out.Groups = append(out.Groups, g)
	}
	if keyed {
		out.Identities = []Identity{d.identity()}
	}
	return out
}

// keyName is the identity of those who need a key.
const keyName = "client"

// complete gives a group its requests: those that some table lists, else what
// its own row says. It reports whether a key is needed.
func (d *document) complete(g *Group, e entry) (needs bool) {
	needs = e.auth != nil && *e.auth
	for _, mine := range e.endpoints {
		listed := false
		for _, k := range d.known {
			if !mine.covers(k.endpoint) {
				continue
			}
			listed = true
			q := k.request(k.line)
			q.Notes = append(q.Notes, Note{Text: "listed", Line: k.line})
			q.takeBody(k.body, k.line)
			g.Requests = append(g.Requests, q)
			needs = needs || e.auth == nil && k.auth != nil && *k.auth
		}
		if !listed {
			q := mine.request(e.line)
			q.takeBody(e.body, e.line)
			g.Requests = append(g.Requests, q)
		}
	}
	if len(e.endpoints) == 0 {
		g.Requests = []Request{{Method: "GET", Path: "/", Notes: []Note{{
			Text: fmt.Sprintf("a request that %q is about", oneLine(e.subject)), Line: e.line, Fill: true}}}}
	}
	return needs
}

// nameOf makes a name of a file's name.
func nameOf(file string) string {
	file = file[strings.LastIndexAny(file, `/\`)+1:]
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		file = file[:i]
	}
	return slug(file)
}
