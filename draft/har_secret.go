package draft

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// credentials returns what let a request in, each value replaced by a variable
// of the environment.
func (r *recording) credentials(e exchange) Identity {
	var id Identity
	for _, h := range e.Request.Headers {
		name := strings.ToLower(strings.TrimSpace(h.Name))
		switch {
		case h.Value == "" || !headerName.MatchString(name) || strings.HasPrefix(name, "sec-") || strings.HasPrefix(name, "access-control"):
		case name == "authorization" || name == "proxy-authorization":
			scheme, _, two := strings.Cut(h.Value, " ")
			if !two || !dashWords.MatchString(scheme) || len(scheme) > 12 {
				scheme = ""
			}
			id.Headers = append(id.Headers, Pair{h.Name, strings.TrimSpace(scheme + " ${env:" + envName(name) + "}")})
		case isSecret(name):
			id.Headers = append(id.Headers, Pair{h.Name, "${env:" + envName(name) + "}"})
		}
	}
	for _, name := range sortedKeys(e.url.Query()) {
		if isSecret(name) && queryName.MatchString(name) {
			id.Query = append(id.Query, Pair{name, "${env:" + envName(name) + "}"})
		}
	}
	return id
}

// add takes what another identity has and this one lacks, and reports whether
// there was anything.
func (id *Identity) add(other Identity) bool {
	has := func(all []Pair, p Pair) bool {
		return slices.ContainsFunc(all, func(q Pair) bool { return strings.EqualFold(p.Name, q.Name) })
	}
	for _, p := range other.Headers {
		if !has(id.Headers, p) {
			id.Headers = append(id.Headers, p)
		}
	}
	for _, p := range other.Query {
		if !has(id.Query, p) {
			id.Query = append(id.Query, p)
		}
	}
	return len(other.Headers)+len(other.Query) > 0
}

// leastSecret is how long a value must be to be looked for: shorter ones are
// parts of words.
const leastSecret = 8

// collect notes every credential of the recording, to look for them in the
// draft.
func (r *recording) collect() {
	note := func(text string) {
		if unescaped, err := url.QueryUnescape(text); err == nil && unescaped != text && len(unescaped) >= leastSecret {
			r.secrets = append(r.secrets, unescaped)
		}
		for _, part := range append(strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ';' || c == ',' }), text) {
			if _, value, ok := strings.Cut(part, "="); ok && len(value) >= leastSecret {
				r.secrets = append(r.secrets, value)
			}
			if len(part) >= leastSecret && !strings.EqualFold(part, "bearer") && !strings.EqualFold(part, "digest") {
				r.secrets = append(r.secrets, part)
			}
		}
	}
	for _, e := range r.entries {
		for _, h := range append(slices.Clone(e.Request.Headers), e.Request.Cookies...) {
			if isSecret(h.Name) {
				note(h.Value)
			}
		}
		for _, c := range e.Request.Cookies {
			note(c.Value)
		}
		if u, err := url.Parse(e.Request.URL); err == nil {
			for _, part := range strings.Split(u.Path, "/") {
				if looksSecret(part) {
					note(part)
				}
			}
			for name, values := range u.Query() {
				for _, v := range values {
					if isSecret(name) || looksSecret(v) {
						note(v)
					}
				}
			}
		}
	}
}

// secret reports whether a text holds a credential of the recording, raw or
// escaped.
func (r *recording) secret(text string) bool {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		plain = text
	}
	return slices.ContainsFunc(r.secrets, func(s string) bool { return strings.Contains(text, s) || strings.Contains(plain, s) })
}

// leaks refuses a draft that holds a credential of the recording in spite of
// everything, in whatever way it came in.
func (r *recording) leaks(d Draft) error {
	text := string(d.Text())
	for _, s := range r.secrets {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s))} {
			if strings.Contains(text, form) && !strings.Contains(harmless, strings.ToLower(form)) {
				return Mistakes{{File: r.file, Text: fmt.Sprintf("a credential of the recording (%d bytes) is also part of a name, and would stand in the draft (take it out of the recording)", len(s))}}
			}
		}
	}
	return nil
}

// harmless is what every draft says: a credential that is a part of it is none.
var harmless = strings.ToLower(string(Draft{Groups: []Group{{}}, Identities: []Identity{{Name: keyName}}}.Text())) + " bearer basic client authorization ${env:authorization}"
