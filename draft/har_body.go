package draft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

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
