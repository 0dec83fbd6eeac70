package scenarios

import (
	"net/url"
	"regexp"
	"strings"
)

// Curl returns words of a curl command that send the like of a request by
// hand: the options for its method, headers and body, and its path with the
// query. Both are ready for a shell. No secret is among them: what comes from
// the environment is a variable of the shell, what comes from a file is read
// there, and what differs from request to request is one value of many.
func (s *Scenario) Curl(group, request int) (options, path string) {
	r := s.Groups[group].Asks()[request]
	var words []string
	if r.Method != "GET" {
		words = append(words, "-X", r.Method)
	}
	if r.Type != "" {
		words = append(words, "-H", literal("Content-Type: "+r.Type).shell())
	}
	words = append(words, curlHeaders(r.Headers)...)
	if !r.Body.Empty() {
		words = append(words, "--data", r.Body.shell())
	}
	return s.masked(strings.Join(words, " ")), s.masked(r.Path.then(queryOf(r.Path, r.Query)).shell())
}

// CurlIdentity returns the options of a curl command that say who asks: the
// headers of an identity. Empty if it has none.
func (s *Scenario) CurlIdentity(name string) string {
	return s.masked(strings.Join(curlHeaders(s.identityOf(name).Headers), " "))
}

func curlHeaders(all []Pair) []string {
	var words []string
	for _, h := range all {
		words = append(words, "-H", literal(h.Name+": ").then(h.Value).shell())
	}
	return words
}

func queryOf(path Template, query []Pair) Template {
	var t Template
	separator := "?"
	if strings.Contains(path.String(), "?") {
		separator = "&"
	}
	for _, q := range query {
		t = t.then(literal(separator + url.QueryEscape(q.Name) + "=")).then(q.Value.escaped(inForm))
		separator = "&"
	}
	return t
}

// masked replaces whatever is secret after all.
func (s *Scenario) masked(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// shell returns the template as one word of a shell.
func (t Template) shell() string {
	var b, text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			b.WriteString(ShellWord(text.String()))
			text.Reset()
		}
	}
	for _, p := range t.parts {
		if word := p.shell(); word != "" {
			flush()
			b.WriteString(`"` + word + `"`)
			continue
		}
		value := p.text
		switch {
		case p.kind == "seq":
			value = "1"
		case p.kind != "":
			value = unique(p.kind, "by hand", "", 1)
		}
		text.WriteString(p.escape.apply(value))
	}
	flush()
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// simple is a default that a shell takes as it is.
var simple = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// shell returns what stands for a part inside of double quotes; empty if it is
// plain text, or a value that may be shown.
func (p part) shell() string {
	inside, _ := strings.CutSuffix(strings.TrimPrefix(p.raw, "${"), "}")
	found := variable.FindStringSubmatch(inside)
	switch {
	case p.kind == "identity", p.kind == "capture":
		return "$" + strings.ToUpper(p.kind+"_"+strings.ReplaceAll(p.name, "-", "_"))
	case found != nil && strings.HasPrefix(p.raw, "${env:"):
		if simple.MatchString(found[3]) {
			return "${" + found[1] + ":-" + found[3] + "}"
		}
		return "$" + found[1]
	case strings.HasPrefix(p.raw, "${file:"):
		name := strings.TrimPrefix(inside, "file:")
		if simple.MatchString(strings.ReplaceAll(name, "/", "")) {
			return "$(cat " + name + ")"
		}
		return "$SECRET"
	case p.secret:
		return "$SECRET"
	}
	return ""
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// ShellWord returns text as one word of a shell. Inside single quotes a shell
// reads everything as it stands, but the quote itself.
func ShellWord(text string) string {
	if bare.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
