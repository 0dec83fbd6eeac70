package draft

import (
	"regexp"
	"strings"
)

// What a page says outside of its tables.

var (
	retryAfterIn = regexp.MustCompile(`(?i)\bretry[- ]after\b`)
	baseURLIn    = regexp.MustCompile(`(?i)\b(base (url|uri)|api (root|endpoint) is|server url)\b`)
	urlIn        = regexp.MustCompile("https?://[^\\s`\"'<>)\\]|]+")
	bearerIn     = regexp.MustCompile(`(?i)authorization:\s*(bearer|token|basic)\b`)
	keyHeaderIn  = regexp.MustCompile(`(?i)\b(x-[a-z-]*(?:key|token)[a-z-]*|api-key)\b`)
	notKeyHeader = regexp.MustCompile(`(?i)csrf|xsrf`)
)

// first returns the first line that says something, and its number.
func (d *document) first(says func(string) bool) (string, int) {
	for i, line := range d.lines {
		if says(line) {
			return unmarked(line), i + 1
		}
	}
	return "", 0
}

func (d *document) retryAfter() Note {
	line, at := d.first(retryAfterIn.MatchString)
	if at == 0 {
		return Note{}
	}
	return Note{Text: "required, because the source says: " + line, Line: at}
}

// target finds the base URL: where the page says so, else the one host that
// its endpoints have.
func (d *document) target() (string, Note) {
	line, at := d.first(func(line string) bool { return baseURLIn.MatchString(line) && urlIn.MatchString(line) })
	if at > 0 {
		if u := baseURL(strings.TrimRight(urlIn.FindString(line), ".,;")); u != "" {
			return u, Note{Text: "the documented base URL, which may be production", Line: at}
		}
	}
	for _, e := range d.entries {
		for _, p := range e.endpoints {
			if u := baseURL(p.host); u != "" {
				return u, Note{Text: "the host of the endpoints, which may be production", Line: e.line}
			}
		}
	}
	return "", Note{}
}

// identity guesses how a key travels.
func (d *document) identity() Identity {
	id := Identity{Name: keyName, Note: Note{Text: "set API_KEY in the environment to a key for tests", Fill: true}}
	if _, at := d.first(bearerIn.MatchString); at > 0 {
		found := bearerIn.FindStringSubmatch(d.lines[at-1])
		scheme := strings.ToUpper(found[1][:1]) + strings.ToLower(found[1][1:])
		id.Headers = []Pair{{"Authorization", scheme + " ${env:API_KEY}"}}
		id.Note.Line = at
		return id
	}
	for i, line := range d.lines {
		if name := keyHeaderIn.FindString(line); name != "" && !notKeyHeader.MatchString(name) {
			id.Headers = []Pair{{name, "${env:API_KEY}"}}
			id.Note.Line = i + 1
			return id
		}
	}
	id.Headers = []Pair{{"Authorization", "Bearer ${env:API_KEY}"}}
	id.Note.Text += "; guess: it travels as a bearer token, the source does not say"
	return id
}

// codes finds what a page says of the body of a rejection.
func (d *document) codes() []Note {
	for _, t := range tables(strings.Join(d.lines, "\n")) {
		for _, r := range t.rows {
			for _, c := range r.cells {
				if c == "429" {
					return []Note{{Text: "of a rejection the source says: " + r.text() + "; if its body carries a code, add json: {path.to.code: CODE} to on_reject", Line: r.line}}
				}
			}
		}
	}
	return nil
}
