package draft

import (
	"regexp"
	"strings"
)

// What an OpenAPI description states about the limits of an operation.
type stated struct {
	limits []Limit
	notes  []Note
	free   bool // it says that there is none
	place  int  // line at which it is stated: operations that share it share the limits
}

// limitsOf looks for the limits of an operation: at the operation before its
// path before the whole, in what is meant for machines before what is meant for
// people.
func (d *description) limitsOf(o operation) stated {
	for _, at := range []value{o.value, o.item} {
		if s := extension(at); s.found() {
			return s
		}
	}
	if s := d.plans.limitsOf(o.method, o.path); s.found() {
		return s
	}
	if s := extension(d.root); s.found() {
		return s
	}
	if s := d.answers(o); s.found() {
		return s
	}
	for _, name := range []string{"description", "summary"} {
		if s := prose(o.get(name)); s.found() {
			return s
		}
	}
	return prose(d.root.get("info", "description"))
}

func (s stated) found() bool { return s.free || len(s.limits)+len(s.notes) > 0 }

// put adds a rate as a limit.
func (s *stated) put(r rate, burst int64, n Note) {
	l := r.limit(n)
	l.Burst = burst
	var left *Note
	if s.limits, left = add(s.limits, l); left != nil {
		s.notes = append(s.notes, *left)
	}
}

// sentences that a person wrote for people.
var sentence = regexp.MustCompile(`(?i)\b(rate|limit|throttl|quota|at most|up to|maximum|allowed)`)

// prose reads limits in a text. Only where it speaks of limits: "the report is
// sent 5 times per day" is none.
func prose(text value) stated {
	s := stated{place: text.at()}
	if !sentence.MatchString(text.text()) {
		return s
	}
	for _, part := range strings.FieldsFunc(text.text(), func(r rune) bool { return r == '\n' || r == ';' }) {
		if !sentence.MatchString(part) {
			continue
		}
		for _, r := range rates(part) {
			s.put(r, 0, Note{Text: "guess, from a text: " + part, Line: text.at()})
		}
	}
	return s
}

// answers reads what an answer with status 429 says, and the headers of the
// others.
func (d *description) answers(o operation) stated {
	responses := o.get("responses")
	for _, status := range []string{"429", "4XX", "200", "201", "2XX", "default"} {
		answer := responses.get(status)
		if !answer.ok() {
			continue
		}
		if s := headers(answer.get("headers")); s.found() {
			return s
		}
		if status != "429" {
			continue
		}
		s := stated{place: answer.get("description").at()}
		for _, r := range rates(answer.get("description").text()) {
			s.put(r, 0, Note{Text: "guess, from the answer with status 429: " + answer.get("description").text(), Line: s.place})
		}
		if s.found() {
			return s
		}
	}
	return stated{}
}

var (
	limitHeader  = regexp.MustCompile(`(?i)^(x-)?rate-?limit(-limit)?(-(second|minute|hour|day))?$`)
	policyHeader = regexp.MustCompile(`(?i)^(x-)?ratelimit-policy$`)
	policy       = regexp.MustCompile(`(?:q=)?([0-9]{1,9})\s*;.*?\bw=([0-9]{1,9})`)
)

// headers reads the headers of an answer that tell a limit, where the
// description gives them a value.
func headers(all value) stated {
	for _, h := range all.fields() {
		text, given := parameter(h.followed())
		about := h.get("description").text()
		switch {
		case policyHeader.MatchString(h.name) && given:
			s := stated{place: h.line}
			for _, found := range policy.FindAllStringSubmatch(text, 8) {
				for _, r := range bare(found[1], seconds(found[2])) {
					s.put(r, 0, Note{Text: "guess, from the example of " + h.name + ": " + text, Line: h.line})
				}
			}
			if s.found() {
				return s
			}
		case limitHeader.MatchString(h.name):
			s := stated{place: h.line}
			for _, r := range rates(about) {
				s.put(r, 0, Note{Text: "guess, from what is said of " + h.name + ": " + about, Line: h.line})
			}
			if s.found() || !given {
				return s
			}
			w, ok := headingWindow(strings.ReplaceAll(h.name, "-", " per ") + " " + about)
			if !ok {
				w, ok = window(about)
			}
			for _, r := range bare(text, w) {
				s.put(r, 0, Note{Text: "guess, from the example of " + h.name + ": " + about, Line: h.line})
			}
			if !ok {
				s.notes = append(s.notes, Note{Text: h.name + " is " + text + ", in a time that is not stated", Line: h.line, Fill: true})
			}
			if s.found() {
				return s
			}
		}
	}
	return stated{}
}

// findRetryAfter notes the first answer with status 429 that has the header.
func (d *description) findRetryAfter(o operation) {
	for _, h := range o.get("responses", "429", "headers").fields() {
		if strings.EqualFold(h.name, "Retry-After") && d.retryAfter.Text == "" {
			d.retryAfter = Note{Text: "required, because answers with status 429 are described with Retry-After", Line: h.line}
		}
	}
}
