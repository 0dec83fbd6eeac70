package scenarios

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// A Template is text with interpolations: ${env:NAME}, ${env:NAME:-default},
// ${file:path}, ${unique.kind}, ${seq}, ${identity.NAME} and ${capture.NAME}. Environment and files are read when
// the scenario is loaded; what came from them is a secret and is masked
// wherever the template is shown.
type Template struct {
	parts []part
}

type part struct {
	text   string // literal text, or the value read from the environment or a file
	secret bool   // came from the environment or a file, or stands where credentials stand
	kind   string // "": text; else "seq", "identity", "capture", "unique.email", …
	name   string // of the column or the captured value
	raw    string // as written, for showing
	escape escape // how the value is written into what surrounds it
}

// An escape says in what kind of text a value is put.
type escape uint8

const (
	asIs   escape = iota
	inJSON        // between the quotes of a JSON string
	inPath        // a part of a path
	inForm        // a name or value of application/x-www-form-urlencoded, or of a query
)

func (e escape) apply(s string) string {
	switch e {
	case inJSON:
		quoted, err := json.Marshal(s)
		if err != nil {
			panic(err) // a string can always be marshalled
		}
		return string(quoted[1 : len(quoted)-1])
	case inPath:
		return url.PathEscape(s)
	case inForm:
		return url.QueryEscape(s)
	}
	return s
}

// literal returns a template of plain text.
func literal(text string) Template {
	if text == "" {
		return Template{}
	}
	return Template{parts: []part{{text: text, raw: text}}}
}

// Empty reports whether nothing was written.
func (t Template) Empty() bool { return len(t.parts) == 0 }

// Render returns the text for one request. Unique values are a function of
// run, group and seq alone and differ whenever one of these does; group names
// whatever numbers its requests by itself, usually a lane.
func (t Template) Render(run, group string, seq uint64) string {
	return t.fill(filling{run: run, group: group, seq: seq})
}

// A filling is what the interpolations of a template stand for in a request.
type filling struct {
	run, group string
	seq        uint64
	identity   row
	captured   map[string]string
}

func (t Template) fill(f filling) string {
	if len(t.parts) == 1 && t.parts[0].kind == "" {
		return t.parts[0].escape.apply(t.parts[0].text)
	}
	var b strings.Builder
	for _, p := range t.parts {
		text := p.text
		switch p.kind {
		case "":
		case "seq":
			text = strconv.FormatUint(f.seq, 10)
		case "identity":
			text = f.identity[p.name]
		case "capture":
			text = f.captured[p.name]
		default:
			text = unique(p.kind, f.run, f.group, f.seq)
		}
		b.WriteString(p.escape.apply(text))
	}
	return b.String()
}

// captures returns the names of the captured values that the template needs.
func (t Template) captures() []string {
	var names []string
	for _, p := range t.parts {
		if p.kind == "capture" {
			names = append(names, p.name)
		}
	}
	return names
}

// String returns the template as it was written. It never holds a secret.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.raw)
	}
	return b.String()
}

// escaped returns the template for use inside another kind of text.
func (t Template) escaped(e escape) Template {
	parts := make([]part, len(t.parts))
	for i, p := range t.parts {
		p.escape = e
		parts[i] = p
	}
	return Template{parts: parts}
}

// then returns both templates as one.
func (t Template) then(more Template) Template {
	parts := append([]part(nil), t.parts...)
	for _, p := range more.parts {
		if last := len(parts) - 1; last >= 0 && plain(parts[last]) && plain(p) {
			parts[last].text += p.text
			parts[last].raw += p.raw
			continue
		}
		parts = append(parts, p)
	}
	return Template{parts: parts}
}

func plain(p part) bool { return p.kind == "" && !p.secret && p.escape == asIs }

// fixed returns the text of a template that does not differ from request to
// request, and whether it is one.
func (t Template) fixed() (string, bool) {
	for _, p := range t.parts {
		if p.kind != "" {
			return "", false
		}
	}
	return t.Render("", "", 0), true
}
