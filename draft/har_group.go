package draft

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"duckload/english"
)

// group makes a group of the requests with one method and one path.
func (r *recording) group(name string, all []exchange) Group {
	g := Group{Name: name}
	var limited []int
	for _, e := range all {
		if e.Response.Status == 429 {
			limited = append(limited, e.n)
		}
	}
	g.Notes = append(g.Notes, Note{Text: fmt.Sprintf("%s %s: recorded %s [%s]", all[0].Request.Method, all[0].path, english.Times(len(all)), numbers(all))})
	if len(limited) > 0 {
		g.Notes = append(g.Notes, Note{Text: fmt.Sprintf("answered 429 %s", english.Times(len(limited)))})
	}
	for _, e := range all {
		if g.Limits = observedLimits(e); len(g.Limits) > 0 {
			break
		}
	}
	g.Requests = []Request{r.request(all[0])}
	return g
}

func numbers(all []exchange) string {
	var list []string
	for _, e := range all[:min(len(all), 8)] {
		list = append(list, strconv.Itoa(e.n))
	}
	if len(all) > 8 {
		list = append(list, "…")
	}
	return strings.Join(list, ", ")
}

// observedLimits reads the limits that the headers of an answer tell.
func observedLimits(e exchange) []Limit {
	var limits []Limit
	for _, h := range e.Response.Headers {
		note := Note{Text: fmt.Sprintf("guess, from a header of answer [%d]: %s: %s", e.n, h.Name, h.Value)}
		var found []rate
		switch {
		case policyHeader.MatchString(h.Name):
			for _, f := range policy.FindAllStringSubmatch(h.Value, 8) {
				found = append(found, bare(f[1], seconds(f[2]))...)
			}
		case limitHeader.MatchString(h.Name):
			if found = rates(h.Value); len(found) == 0 {
				w, _ := headingWindow(strings.ReplaceAll(h.Name, "-", " per "))
				if f := policy.FindStringSubmatch(h.Value); f != nil {
					w = seconds(f[2])
				}
				first, _, _ := strings.Cut(h.Value, ",")
				first, _, _ = strings.Cut(first, ";")
				found = bare(first, w)
			}
		}
		for _, one := range found {
			limits, _ = add(limits, one.limit(note))
		}
	}
	return limits
}

func retryAfterSeen(all []exchange) Note {
	for _, e := range all {
		for _, h := range e.Response.Headers {
			if e.Response.Status == 429 && strings.EqualFold(h.Name, "Retry-After") {
				return Note{Text: fmt.Sprintf("guess: required, because the rejection [%d] had Retry-After", e.n)}
			}
		}
	}
	return Note{}
}

// request makes a request of a recorded one, without what let it in.
func (r *recording) request(e exchange) Request {
	q := Request{Method: e.Request.Method, Creates: creates(e.Request.Method, e.path)}
	if !safe(q.Method) {
		q.Notes = append(q.Notes, Note{Text: "this changes something on the target: is it meant to be sent many times?", Fill: true})
	}
	path := strings.ReplaceAll(e.path, "{id}", "1")
	if path != e.path {
		q.Notes = append(q.Notes, Note{Text: "a value for each {id} of " + e.path + "; guess: 1", Fill: true})
	}
	query := url.Values{}
	for _, name := range sortedKeys(e.url.Query()) {
		values := e.url.Query()[name]
		switch {
		case isSecret(name):
		case slices.ContainsFunc(values, func(v string) bool { return looksSecret(v) || r.secret(v) || strings.Contains(v, "@") }):
			query.Set(name, "1")
			q.Notes = append(q.Notes, Note{Text: "a value for the parameter " + name + ": the recorded one is secret or personal; guess: 1", Fill: true})
		default:
			query[name] = values
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	q.Path = cleanPath(path)
	r.body(e, &q)
	return q
}

func sortedKeys(v url.Values) []string {
	var names []string
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
