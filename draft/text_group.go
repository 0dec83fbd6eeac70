package draft

import (
	"fmt"
	"strings"
	"time"

	"duckload/limiter"
)

func (w *writer) groups(all []Group) {
	w.line(0, "")
	w.line(0, "groups:")
	for _, g := range all[:min(len(all), maxGroups)] {
		for _, n := range g.Notes[:min(len(g.Notes), maxNotes)] {
			w.note(1, n)
		}
		w.line(1, "%s:", quoted(g.Name))
		w.promise(g.Limits)
		if g.Identity != "" {
			w.line(2, "identity: %s", quoted(g.Identity))
		}
		w.line(2, "requests:")
		for _, q := range g.Requests[:min(len(g.Requests), maxRequests)] {
			w.request(q)
		}
		if more := len(g.Requests) - maxRequests; more > 0 {
			w.line(3, "# %d more were left out", more)
		}
		w.line(0, "")
	}
	if more := len(all) - maxGroups; more > 0 {
		w.line(1, "# %d more groups were left out", more)
	}
	text := strings.TrimRight(w.b.String(), "\n")
	w.b.Reset()
	w.b.WriteString(text + "\n")
}

// promise writes the limits of a group. One that no file can hold, or that
// nobody states, is a comment and a mark.
func (w *writer) promise(limits []Limit) {
	var fit []Limit
	for _, l := range limits {
		if l.fits() {
			fit = append(fit, l)
			continue
		}
		w.line(2, "# not written: %d per %s is more than a scenario can hold (line %d)", l.Limit.Limit, per(l.Window), l.Note.Line)
	}
	if len(fit) == 0 {
		w.line(2, "%sthe limit; this one is a placeholder that is respected and not judged", fillIn)
		w.line(2, "promise: {limit: 60/min, verify: false}")
		return
	}
	if len(fit) == 1 {
		w.note(2, fit[0].Note)
		w.line(2, "promise: %s", fit[0].text())
		return
	}
	w.line(2, "promise: # all of them hold at once")
	for _, l := range fit {
		w.note(3, l.Note)
		w.line(3, "- %s", l.text())
	}
}

func (l Limit) text() string {
	if l.Reading == limiter.Concurrency {
		return fmt.Sprintf("{limit: %d, reading: %s}", l.Limit.Limit, l.Reading)
	}
	text := fmt.Sprintf("{limit: %d/%s", l.Limit.Limit, per(l.Window))
	if l.Burst > 0 {
		text += fmt.Sprintf(", burst: %d", l.Burst)
	}
	if l.Scope != limiter.ScopeUnknown {
		text += ", scope: " + string(l.Scope)
	}
	if l.Reading != "" {
		text += ", reading: " + string(l.Reading)
	}
	if l.Unverified {
		text += ", verify: false"
	}
	return text + "}"
}

// per is limiter.Per without the zeros: "15m", not "15m0s".
func per(w time.Duration) string {
	text := limiter.Per(w)
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func (w *writer) request(q Request) {
	for _, n := range q.Notes {
		w.note(3, n)
	}
	if len(q.Query)+len(q.Headers) == 0 && q.JSON == "" && len(q.Form) == 0 && q.Creates == "" {
		w.line(3, "- %s", quotedRequest(q.Method+" "+inertPath(q.Path)))
		return
	}
	w.line(3, "- %s: %s", q.Method, quoted(inertPath(q.Path)))
	w.pairs(4, "headers", q.Headers)
	w.pairs(4, "query", q.Query)
	if q.JSON != "" {
		w.line(4, "json: %s", q.JSON)
	} else {
		w.pairs(4, "form", q.Form)
	}
	if q.Creates != "" {
		w.line(4, "creates: %s", quote(inert(oneLine(q.Creates))))
	}
}

// quotedRequest is quoted for a method, a blank and a path.
func quotedRequest(text string) string {
	method, path, _ := strings.Cut(text, " ")
	if plain.MatchString(path) {
		return method + " " + path
	}
	return quote(text)
}
