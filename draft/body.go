package draft

import (
	"regexp"
	"strings"
)

// fieldIn finds the fields of a body that a table only sketches: {"email","password"}.
var fieldIn = regexp.MustCompile(`"([A-Za-z_][A-Za-z0-9_.-]*)"`)

// takeBody gives a request a body of what a table says of it: its fields, with
// values that no other request has.
func (q *Request) takeBody(cell string, line int) {
	if q.Method == "GET" || q.Method == "HEAD" || q.Method == "DELETE" || q.Method == "OPTIONS" {
		return
	}
	var fields []string
	seen := map[string]bool{}
	for _, f := range fieldIn.FindAllStringSubmatch(cell, 30) {
		if !seen[f[1]] {
			seen[f[1]] = true
			fields = append(fields, quote(f[1])+": "+quote(uniqueFor(f[1])))
		}
	}
	if len(fields) == 0 {
		q.Notes = append(q.Notes, Note{Text: "the body, if it takes one: json: {field: value}", Line: line, Fill: true})
		return
	}
	q.JSON = "{" + strings.Join(fields, ", ") + "}"
	q.Notes = append(q.Notes, Note{Text: "guess: values of the body, by the names of its fields", Line: line})
}

// uniqueFor guesses a value by the name of a field. Values are unique where
// one that comes twice might be refused.
func uniqueFor(field string) string {
	switch name := strings.ToLower(field); {
	case strings.Contains(name, "mail"):
		return "${unique.email}"
	case strings.Contains(name, "password"), strings.Contains(name, "passwd"), strings.Contains(name, "secret"):
		return "${unique.password}"
	case strings.Contains(name, "uuid"), strings.Contains(name, "guid"):
		return "${unique.uuid}"
	case name == "id", strings.HasSuffix(name, "_id"), strings.HasSuffix(field, "Id"), strings.Contains(name, "reference"), strings.Contains(name, "key"):
		return "${unique.id}"
	case strings.Contains(name, "name"):
		return "${unique.name}"
	}
	return "duckload ${unique.id}"
}
