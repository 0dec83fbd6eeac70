package draft

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Bounds of the bodies that are made of a schema.
const (
	deepest     = 4
	longestBody = 8 << 10
	mostFields  = 40
)

// A sampler makes values of examples and schemas.
type sampler struct{ spent int }

// sample returns a value for a schema as a JSON text whose strings may
// interpolate. name is what the field is called.
func (s *sampler) sample(name string, schema value, depth int) string {
	schema = schema.followed()
	kind := typeOf(schema)
	if s.spent++; !schema.ok() || depth > deepest && (kind == "object" || kind == "array") || depth > 2*deepest || s.spent > 500 {
		return "null"
	}
	if strings.Contains(strings.ToLower(name), "mail") && kind == "string" {
		return quote("${unique.email}")
	}
	for _, given := range []string{"example", "default", "const"} {
		if v := schema.get(given); v.ok() {
			return s.literal(v, 0)
		}
	}
	for _, list := range []string{"examples", "enum"} {
		if v := schema.get(list).items(); len(v) > 0 && v[0].ok() {
			return s.literal(v[0], 0)
		}
	}
	for _, choice := range []string{"oneOf", "anyOf"} {
		if v := schema.get(choice).items(); len(v) > 0 {
			return s.sample(name, v[0], depth+1)
		}
	}
	switch kind {
	case "object":
		return s.object(schema, depth)
	case "array":
		return "[" + s.sample(name, schema.get("items"), depth+1) + "]"
	case "integer", "number":
		if least := schema.get("minimum").text(); jsonNumber.MatchString(least) {
			return least
		}
		return "1"
	case "boolean":
		return "true"
	}
	return quote(formatted(name, schema.get("format").text()))
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$`)

func typeOf(schema value) string {
	for _, t := range schema.get("type").items() {
		if t.text() != "null" {
			return t.text()
		}
	}
	switch {
	case schema.get("properties").ok(), schema.get("allOf").ok():
		return "object"
	case schema.get("items").ok():
		return "array"
	}
	return "string"
}

// object makes an object of what a schema requires; of everything where it
// requires nothing.
func (s *sampler) object(schema value, depth int) string {
	required, fields := map[string]bool{}, []field{}
	parts := append([]value{schema}, schema.get("allOf").items()...)
	for _, part := range parts {
		for _, name := range part.get("required").items() {
			required[name.text()] = true
		}
		fields = append(fields, part.get("properties").fields()...)
	}
	var all []string
	seen := map[string]bool{}
	for _, f := range fields {
		if len(required) > 0 && !required[f.name] || seen[f.name] || !goodKey(f.name) || len(all) >= mostFields || f.get("readOnly").text() == "true" {
			continue
		}
		seen[f.name] = true
		all = append(all, quote(inert(f.name))+": "+s.sample(f.name, f.value, depth+1))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// goodKey refuses what YAML has no room for as a key on one line.
func goodKey(name string) bool { return name != "" && len(name) <= 200 }

func formatted(name, format string) string {
	switch format {
	case "email":
		return "${unique.email}"
	case "uuid":
		return "${unique.uuid}"
	case "password":
		return "${unique.password}"
	case "date":
		return "2026-01-31"
	case "date-time":
		return "2026-01-31T12:00:00Z"
	case "uri", "url":
		return "https://example.com/"
	}
	return uniqueFor(name)
}

// literal returns an example as JSON. Nothing in it interpolates.
func (s *sampler) literal(v value, depth int) string {
	v = v.followed()
	if s.spent++; !v.ok() || depth > deepest || s.spent > 500 {
		return "null"
	}
	switch v.Kind {
	case yaml.MappingNode:
		var all []string
		seen := map[string]bool{}
		for _, f := range v.fields() {
			if !seen[f.name] && goodKey(f.name) && len(all) < mostFields {
				seen[f.name] = true
				if strings.Contains(strings.ToLower(f.name), "mail") && strings.Contains(f.text(), "@") {
					all = append(all, quote(inert(f.name))+": "+quote("${unique.email}"))
					continue
				}
				all = append(all, quote(inert(f.name))+": "+s.literal(f.value, depth+1))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	case yaml.SequenceNode:
		var all []string
		for _, item := range v.items()[:min(len(v.Content), mostFields)] {
			all = append(all, s.literal(item, depth+1))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	switch {
	case v.Tag == "!!null":
		return "null"
	case v.Tag == "!!bool" && (v.Value == "true" || v.Value == "false"):
		return v.Value
	case (v.Tag == "!!int" || v.Tag == "!!float") && jsonNumber.MatchString(v.Value):
		return v.Value
	}
	return quote(inert(v.Value))
}
