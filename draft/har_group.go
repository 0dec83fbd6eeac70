package draft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
	g.Notes = append(g.Notes, Note{Text: fmt.Sprintf("%s %s: recorded %s [%s]", all[0].Request.Method, all[0].path, times(len(all)), numbers(all))})
	if len(limited) > 0 {
		g.Notes = append(g.Notes, Note{Text: fmt.Sprintf("answered 429 %s", times(len(limited)))})
	}
	for _, e := range all {
		if g.Limits = observedLimits(e); len(g.Limits) > 0 {
			break
		}
	}
	g.Requests = []Request{r.request(all[0])}
	return g
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
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

// body keeps the shape of a body: the names of its fields, its numbers and
// truths. Texts become values that no other request has.
func (r *recording) body(e exchange, q *Request) {
	data := e.Request.PostData
	if data == nil || data.Text == "" && len(data.Params) == 0 {
		return
	}
	guess := Note{Text: "guess: values of the body; the recorded texts are not copied"}
	media, _, _ := strings.Cut(strings.ToLower(data.MimeType), ";")
	switch {
	case strings.Contains(media, "json"):
		decoder := json.NewDecoder(bytes.NewReader([]byte(data.Text)))
		decoder.UseNumber()
		s := sampler{}
		if body, err := s.shape(decoder, "", 0); err == nil && len(body) <= longestBody {
			q.JSON = body
			q.Notes = append(q.Notes, guess)
			return
		}
	case media == "application/x-www-form-urlencoded":
		if len(data.Params) == 0 {
			values, _ := url.ParseQuery(data.Text)
			for _, name := range sortedKeys(values) {
				data.Params = append(data.Params, harPair{Name: name})
			}
		}
		for _, p := range data.Params {
			if goodKey(p.Name) && !hasPair(q.Form, inert(p.Name)) && len(q.Form) < mostFields {
				q.Form = append(q.Form, Pair{inert(p.Name), uniqueFor(p.Name)})
			}
		}
		q.Notes = append(q.Notes, guess)
		return
	}
	q.Notes = append(q.Notes, Note{Text: "a body (write json, form, body or file)", Fill: true})
}

// shape reads a JSON value and writes one of the same shape.
func (s *sampler) shape(in *json.Decoder, name string, depth int) (string, error) {
	t, err := in.Token()
	if s.spent++; err != nil || depth > 2*deepest || s.spent > 500 {
		return "", fmt.Errorf("too large to keep: %w", err)
	}
	switch v := t.(type) {
	case json.Delim:
		return s.shapeOf(in, v, name, depth)
	case json.Number:
		if !jsonNumber.MatchString(v.String()) || isSecret(name) || len(v.String()) > 6 {
			return "1", nil
		}
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case string:
		return quote(uniqueFor(name)), nil
	}
	return "null", nil
}

func (s *sampler) shapeOf(in *json.Decoder, open json.Delim, name string, depth int) (string, error) {
	var all []string
	seen := map[string]bool{}
	for in.More() {
		key := name
		if open == '{' {
			t, err := in.Token()
			if err != nil {
				return "", err
			}
			key, _ = t.(string)
		}
		value, err := s.shape(in, key, depth+1)
		if err != nil {
			return "", err
		}
		switch {
		case open == '[' && len(all) < 3:
			all = append(all, value)
		case open == '{' && (looksSecret(key) || isID(key)):
			// A map by keys, tokens or addresses: data, not names.
		case open == '{' && goodKey(key) && !seen[inert(key)] && len(all) < mostFields:
			seen[inert(key)] = true
			all = append(all, quote(inert(key))+": "+value)
		}
	}
	if _, err := in.Token(); err != nil {
		return "", err
	}
	if open == '[' {
		return "[" + strings.Join(all, ", ") + "]", nil
	}
	return "{" + strings.Join(all, ", ") + "}", nil
}
