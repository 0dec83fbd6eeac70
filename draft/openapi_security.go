package draft

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A scheme is a way in which a key travels.
type scheme struct {
	name     string // in the description
	identity Identity
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// readSchemes reads the security schemes that a header or a query carries.
func readSchemes(root value) []scheme {
	var all []scheme
	taken := map[string]bool{}
	for _, f := range root.get("components", "securitySchemes").fields() {
		env := "${env:" + envName(f.name) + "}"
		id := Identity{Note: Note{Text: "set " + envName(f.name) + " in the environment to a key for tests", Line: f.line, Fill: true}}
		kind, name := f.get("type").text(), f.get("name").text()
		switch in := f.get("in").text(); {
		case kind == "http" && strings.EqualFold(f.get("scheme").text(), "basic"):
			id.Headers = []Pair{{"Authorization", "Basic " + env}}
			id.Note.Text = "set " + envName(f.name) + " in the environment to user:password in base64"
		case kind == "http" || kind == "oauth2" || kind == "openIdConnect":
			id.Headers = []Pair{{"Authorization", "Bearer " + env}}
		case kind == "apiKey" && in == "header" && headerName.MatchString(name):
			id.Headers = []Pair{{name, env}}
		case kind == "apiKey" && in == "cookie" && headerName.MatchString(name):
			id.Headers = []Pair{{"Cookie", name + "=" + env}}
		case kind == "apiKey" && in == "query" && queryName.MatchString(name):
			id.Query = []Pair{{name, env}}
		default:
			continue
		}
		id.Name = unused(slug(humps.ReplaceAllString(f.name, "${1}-${2}")), "client", taken)
		all = append(all, scheme{name: f.name, identity: id})
	}
	return all
}

var queryName = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

// envName makes a name of an environment variable: "bearerAuth" is BEARER_AUTH.
func envName(name string) string {
	name = humps.ReplaceAllString(name, "${1}_${2}")
	name = strings.ToUpper(strings.ReplaceAll(slug(name), "-", "_"))
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = strings.TrimSuffix("API_KEY_"+name, "_")
	}
	return name
}

var humps = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// schemeOf returns the identity that an operation needs. Where one of the
// alternatives is to need nothing, nothing is needed.
func (d *description) schemeOf(o operation) string {
	security := o.get("security")
	if !security.ok() {
		security = d.root.get("security")
	}
	needed := ""
	for _, alternative := range security.items() {
		names := alternative.fields()
		if len(names) == 0 {
			return ""
		}
		i := slices.IndexFunc(d.schemes, func(s scheme) bool { return s.name == names[0].name })
		if i >= 0 && needed == "" {
			needed = d.schemes[i].identity.Name
		}
	}
	return needed
}

// identities returns the identities that groups name. A group whose limit is
// counted by key needs one even where its operations do not say so.
func (d *description) identities(groups []Group) []Identity {
	var all []Identity
	for i, g := range groups {
		keyed := slices.ContainsFunc(g.Limits, func(l Limit) bool { return l.Scope == "key" })
		if g.Identity == "" && keyed {
			groups[i].Identity = keyName
			if len(d.schemes) > 0 {
				groups[i].Identity = d.schemes[0].identity.Name
			}
		}
		name := groups[i].Identity
		if name == "" || slices.ContainsFunc(all, func(id Identity) bool { return id.Name == name }) {
			continue
		}
		at := slices.IndexFunc(d.schemes, func(s scheme) bool { return s.identity.Name == name })
		if at < 0 {
			all = append(all, Identity{Name: name, Headers: []Pair{{"Authorization", "Bearer ${env:API_KEY}"}},
				Note: Note{Text: fmt.Sprintf("set API_KEY in the environment to a key for tests; guess: %s is counted by a bearer token", g.Name), Fill: true}})
			continue
		}
		all = append(all, d.schemes[at].identity)
	}
	return all
}
