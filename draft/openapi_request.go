package draft

import (
	"net/url"
	"strings"
)

// request makes a request of an operation: its required parameters and its
// body, with the values of examples where there are some.
func (d *description) request(o operation) Request {
	q := Request{Method: o.method, Creates: creates(o.method, o.path)}
	values, given := map[string]string{}, url.Values{}
	for _, p := range o.parameters() {
		name, in := p.get("name").text(), p.get("in").text()
		text, known := parameter(p)
		switch {
		case in == "path":
			values[name] = text
			if !known {
				q.Notes = append(q.Notes, Note{Text: "a value for {" + name + "}; guess: " + text, Line: p.at(), Fill: true})
			}
		case p.get("required").text() != "true":
		case in == "query":
			given.Add(name, text)
			if !known {
				q.Notes = append(q.Notes, Note{Text: "a value for the parameter " + name + "; guess: " + text, Line: p.at(), Fill: true})
			}
		case in == "header" && !isSecret(name) && headerName.MatchString(name):
			q.Headers = append(q.Headers, Pair{name, inert(oneLine(text))})
			if !known {
				q.Notes = append(q.Notes, Note{Text: "a value for the header " + name + "; guess: " + text, Line: p.at(), Fill: true})
			}
		}
	}
	path := placeholder.ReplaceAllStringFunc(o.path, func(p string) string {
		if v, ok := values[strings.Trim(p, "{}<>:")]; ok {
			return url.PathEscape(v)
		}
		q.Notes = append(q.Notes, Note{Text: "a value for " + p + "; guess: 1", Line: o.line, Fill: true})
		return "1"
	})
	if len(given) > 0 {
		path += "?" + given.Encode()
	}
	q.Path = cleanPath(path)
	d.body(o, &q)
	return q
}

// parameters returns the parameters of an operation and of its path. The
// operation's own come last, and win.
func (o operation) parameters() []value {
	var all []value
	for _, list := range []value{o.item.get("parameters"), o.get("parameters")} {
		for _, p := range list.items()[:min(len(list.items()), maxColumns)] {
			all = append(all, p.followed())
		}
	}
	return all
}

// parameter returns the value of a parameter, and whether the description
// gives one.
func parameter(p value) (text string, given bool) {
	schema := p.get("schema")
	for _, v := range []value{p.get("example"), schema.get("example"), schema.get("default"), schema.get("const")} {
		if v.text() != "" {
			return v.text(), true
		}
	}
	for _, e := range p.get("examples").fields() {
		if e.get("value").text() != "" {
			return e.get("value").text(), true
		}
	}
	for _, list := range []value{schema.get("examples"), schema.get("enum")} {
		if all := list.items(); len(all) > 0 && all[0].text() != "" {
			return all[0].text(), true
		}
	}
	return "1", false
}

func (d *description) body(o operation, q *Request) {
	content := o.get("requestBody", "content")
	for _, kind := range content.fields() {
		media, _, _ := strings.Cut(strings.ToLower(kind.name), ";")
		s := sampler{}
		switch {
		case media == "application/json" || strings.HasSuffix(media, "+json"):
			q.JSON = s.media(kind.value)
			if len(q.JSON) > longestBody {
				q.JSON = "{}"
			}
			q.Notes = append(q.Notes, Note{Text: "guess: values of the body, from examples and the schema", Line: kind.line})
			return
		case media == "application/x-www-form-urlencoded":
			for _, f := range kind.get("schema", "properties").fields() {
				if len(q.Form) < mostFields && goodKey(f.name) && !hasPair(q.Form, f.name) {
					q.Form = append(q.Form, Pair{inert(f.name), unquoted(s.sample(f.name, f.value, 1))})
				}
			}
			return
		}
	}
	if content.ok() {
		q.Notes = append(q.Notes, Note{Text: "a body (write json, form, body or file)", Line: content.at(), Fill: true})
	}
}

func hasPair(all []Pair, name string) bool {
	for _, p := range all {
		if p.Name == name {
			return true
		}
	}
	return false
}

// unquoted returns a JSON text without its quotes: what a form sends.
func unquoted(text string) string {
	if inside, ok := strings.CutPrefix(text, `"`); ok && !strings.Contains(text, `\`) {
		return strings.TrimSuffix(inside, `"`)
	}
	return strings.ReplaceAll(text, `"`, "'")
}

// media returns a body for one media type.
func (s *sampler) media(m value) string {
	if v := m.get("example"); v.ok() {
		return s.literal(v, 0)
	}
	for _, e := range m.get("examples").fields() {
		if v := e.get("value"); v.ok() {
			return s.literal(v, 0)
		}
	}
	return s.sample("", m.get("schema"), 0)
}
