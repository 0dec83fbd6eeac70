package scenarios

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// interpolation finds ${…} with whatever is inside.
var interpolation = regexp.MustCompile(`\$\{[^}]*\}?`)

// variable is the inside of ${env:NAME} and ${env:NAME:-default}.
var variable = regexp.MustCompile(`^env:([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$`)

// template reads text that may interpolate.
func (r *reader) template(n node) Template {
	text, ok := r.text(n)
	if !ok {
		return Template{}
	}
	return r.templateOf(n, text)
}

func (r *reader) templateOf(n node, text string) Template {
	var t Template
	for {
		found := interpolation.FindStringIndex(text)
		if found == nil {
			return t.then(literal(text))
		}
		t = t.then(literal(text[:found[0]]))
		p, wrong := r.interpolate(text[found[0]:found[1]])
		if wrong != "" {
			r.bad(n, "%s", wrong)
		}
		if p.name != "" {
			r.uses = append(r.uses, use{at: n, of: p.kind, name: p.name})
		}
		if p.secret && p.text != "" {
			r.secrets = append(r.secrets, p.text)
		}
		t.parts = append(t.parts, p)
		text = text[found[1]:]
	}
}

// interpolate reads one ${…}, or says what is wrong with it.
func (r *reader) interpolate(raw string) (p part, wrong string) {
	p.raw = raw
	inside, closed := strings.CutSuffix(strings.TrimPrefix(raw, "${"), "}")
	switch {
	case !closed:
		return p, fmt.Sprintf("%q has no closing brace", shortened(raw))
	case inside == "seq":
		p.kind = "seq"
		return p, ""
	case strings.HasPrefix(inside, "unique."):
		return r.uniqueKind(p, inside)
	case strings.HasPrefix(inside, "identity."), strings.HasPrefix(inside, "capture."):
		p.kind, p.name, _ = strings.Cut(inside, ".")
		if !columnName.MatchString(p.name) {
			p.name = ""
			return p, fmt.Sprintf("%q names nothing (write ${%s.NAME}, with letters, digits, '-' and '_')", shortened(raw), p.kind)
		}
		return p, ""
	case strings.HasPrefix(inside, "env:"):
		return r.variable(p, inside)
	case strings.HasPrefix(inside, "file:"):
		return r.fileText(p, strings.TrimPrefix(inside, "file:"))
	}
	return p, fmt.Sprintf("unknown interpolation %q%s (have ${env:NAME}, ${env:NAME:-default}, ${file:path}, ${unique.KIND}, ${seq}, ${identity.NAME}, ${capture.NAME})",
		shortened(raw), didYouMean(inside, append(uniqueNames(), "seq")))
}

func (r *reader) uniqueKind(p part, inside string) (part, string) {
	for _, u := range uniques {
		if u.name == inside {
			p.kind = inside
			return p, ""
		}
	}
	return p, fmt.Sprintf("unknown value ${%s}%s (have %s)", shortened(inside), didYouMean(inside, uniqueNames()), strings.Join(uniqueNames(), ", "))
}

func uniqueNames() []string {
	names := make([]string, len(uniques))
	for i, u := range uniques {
		names[i] = u.name
	}
	return names
}

// variable reads a value of the environment. As in a shell, an empty variable
// counts as none where there is a default; the default is no secret, since it
// stands in the file.
func (r *reader) variable(p part, inside string) (part, string) {
	found := variable.FindStringSubmatch(inside)
	if found == nil {
		return p, fmt.Sprintf("%q names no variable (write ${env:NAME} or ${env:NAME:-default})", shortened(p.raw))
	}
	name, hasDefault, value := found[1], found[2] != "", ""
	set := false
	if r.env.Lookup != nil {
		value, set = r.env.Lookup(name)
	}
	switch {
	case hasDefault && value == "":
		p.text = found[3]
	case !set:
		return p, fmt.Sprintf("environment variable %s is not set (set it, or write ${env:%s:-default})", name, name)
	default:
		p.text, p.secret = value, true
	}
	return p, ""
}

// fileText reads a file below the folder of the scenario, without the line end
// that editors add.
func (r *reader) fileText(p part, name string) (part, string) {
	clean, wrong := r.below(name)
	if wrong != "" {
		return p, wrong
	}
	text, err := r.env.ReadFile(clean)
	switch {
	case err != nil:
		return p, fmt.Sprintf("file %q: %v", shortened(name), err)
	case len(text) > maxText:
		return p, fmt.Sprintf("file %q is too large (at most %d bytes)", shortened(name), maxText)
	}
	p.text, p.secret = strings.TrimRight(string(text), "\r\n"), true
	return p, ""
}

// sensitive are the headers that carry credentials. A credential that somebody
// wrote into the file in spite of everything is still masked.
var sensitive = []string{"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}

// pairs reads a map of names to templates. valid checks a name, forbidden the
// text of a value.
func (r *reader) pairs(n node, what string, name *regexp.Regexp) []Pair {
	entries, _ := r.entries(n)
	var all []Pair
	for _, e := range entries {
		if !name.MatchString(e.name) {
			r.at(e.at, e.value.path, "not a name of a %s", what)
			continue
		}
		value := r.template(e.value)
		for _, p := range value.parts {
			if strings.ContainsFunc(p.text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				r.bad(e.value, "must not hold control characters or line ends")
			}
		}
		all = append(all, Pair{e.name, r.hidden(e.value, e.name, value)})
	}
	return all
}

// hidden marks the literal credentials of a sensitive header as secrets.
func (r *reader) hidden(n node, name string, t Template) Template {
	text, fixed := t.fixed()
	if !fixed || len(t.parts) != 1 || t.parts[0].secret || !isSensitive(name) {
		return t
	}
	scheme, credential, found := strings.Cut(text, " ")
	if !found {
		scheme, credential = "", text
	} else {
		scheme += " "
	}
	if credential == "" {
		return t
	}
	if !r.standsThere(n, credential) {
		r.bad(n, "a credential must stand on its line in one piece and without escapes, or it could not be masked in the copy of the scenario that a run keeps (better: ${env:NAME})")
	}
	r.secrets = append(r.secrets, credential)
	return literal(scheme).then(Template{parts: []part{{text: credential, secret: true, raw: "***"}}})
}

// standsThere reports whether the line on which a value begins holds a text as
// it is. YAML can write it in other ways: with escapes, or folded.
func (r *reader) standsThere(n node, text string) bool {
	at := n.place()
	if r.lines == nil || at.line > len(r.lines) {
		return r.lines == nil
	}
	line := r.lines[at.line-1]
	alias := at.col <= len(line) && line[at.col-1] == '*' // what it stands for is looked at where that stands
	return alias || bytes.Contains(line, []byte(text))
}

func isSensitive(name string) bool {
	for _, s := range sensitive {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

var (
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	queryName  = regexp.MustCompile(`^[^\x00-\x20]+$`)
)
