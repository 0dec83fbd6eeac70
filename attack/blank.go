package attack

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"duckload/limiter"
)

// forms are the ways in which a secret travels: as it is, in URLs, in JSON, in
// base64, and in the base64 of a longer text, such as Basic credentials.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	all := []string{
		secret, query, path, lowerEscapes(query), lowerEscapes(path), string(quoted[1 : len(quoted)-1]),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			if inside := aligned(encoding, secret, offset); len(inside) >= leastAligned {
				all = append(all, inside)
			}
		}
	}
	return all
}

// aligned returns the characters of the base64 of a longer text that depend on
// the secret in it alone, if it begins that many bytes after a multiple of
// three.
func aligned(e *base64.Encoding, secret string, offset int) string {
	text := e.EncodeToString([]byte("\x00\x00"[:offset] + secret))
	return text[(8*offset+5)/6 : 8*(offset+len(secret))/6]
}

// leastAligned is how many characters of base64 are no accident.
const leastAligned = 6

// lowerEscapes writes %2F as %2f, as some servers do.
func lowerEscapes(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// blanking returns what replaces secrets by ***, the longest first; nil if
// there are none.
func blanking(secrets []string) *strings.Replacer {
	var all []string
	for _, s := range secrets {
		all = append(all, forms(s)...)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	all = slices.Compact(all) // most forms of most secrets are alike
	var pairs []string
	for _, form := range all {
		if form != "" {
			pairs = append(pairs, form, "***")
		}
	}
	if pairs == nil {
		return nil
	}
	return strings.NewReplacer(pairs...)
}

// leastEchoed is how long a secret must be to be looked for in evidence.
const leastEchoed = 8

// echoed reports whether a secret, found in what a server said of its limits,
// is there because the server echoed it. Numbers and short words may be what
// the limit is: without them a check would blame the server for our asterisks.
func echoed(secret string) bool {
	return len(secret) >= leastEchoed && strings.Trim(secret, "0123456789.") != ""
}

// An evidenceMask replaces secrets in evidence; made anew when secrets come.
type evidenceMask struct{ replacer *strings.Replacer } // nil: there are no secrets

// blank returns evidence without the secrets of the run: a server that says a
// key back must not bring it into the record. Evidence without one comes back
// as it is.
func (r *run) blank(fields limiter.Fields) limiter.Fields {
	if len(fields) == 0 {
		return fields
	}
	m := r.mask.evidence.Load()
	if m == nil {
		m = r.blankEvidence()
	}
	if m.replacer == nil {
		return fields
	}
	copied := false
	for i, f := range fields {
		said := limiter.Field{Name: m.replacer.Replace(f.Name), Value: m.replacer.Replace(f.Value)}
		if said == f {
			continue
		}
		if !copied { // answers share their evidence
			fields, copied = slices.Clone(fields), true
		}
		fields[i] = said
	}
	return fields
}

func (r *run) blankEvidence() *evidenceMask {
	r.mask.mu.Lock()
	defer r.mask.mu.Unlock()
	if m := r.mask.evidence.Load(); m != nil { // somebody else has made it meanwhile
		return m
	}
	var secrets []string
	for _, s := range append(r.plan.Scenario.Secrets(), r.mask.secrets...) {
		if echoed(s) {
			secrets = append(secrets, s)
		}
	}
	m := &evidenceMask{blanking(secrets)}
	r.mask.evidence.Store(m)
	return m
}
