package draft

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"duckload/limiter"
)

// Bounds of what a draft holds, so that a person can read it to its end.
const (
	maxGroups   = 200
	maxRequests = 25 // of a group
	maxNotes    = 100
)

// Text returns a draft as a scenario file with comments. It reads as one
// whatever the source held; what "duckload check" may still find is a limit
// that no plan can honour.
func (d Draft) Text() []byte {
	var w writer
	w.line(0, "# A draft, made from %s by duckload init.", oneLine(d.Source))
	w.line(0, "# What was read stands with its line there; look for FILL IN, then run: duckload check FILE")
	for _, n := range d.Notes[:min(len(d.Notes), maxNotes)] {
		w.note(0, n)
	}
	w.line(0, "version: 1")
	w.line(0, "name: %s", cmp.Or(slug(d.Name), "draft"))
	w.target(d)
	w.line(0, "documentation: %s", quote(inert(oneLine(d.Source))))
	w.line(0, "")
	w.defaults(d)
	w.identities(d.Identities)
	w.groups(d.Groups)
	w.line(0, "")
	w.line(0, "# A hard stop, checked before each request is sent.")
	w.line(0, "budget: {requests: 20000, duration: 30m}")
	w.line(0, "stop_when: {errors: 20%% in 10s}")
	w.left(d)
	return []byte(w.b.String())
}

type writer struct{ b strings.Builder }

func (w *writer) line(depth int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text != "" {
		w.b.WriteString(strings.Repeat("  ", depth))
	}
	w.b.WriteString(text + "\n")
}

func (w *writer) note(depth int, n Note) {
	if n.Text == "" {
		return // what was read stands above the group already
	}
	w.line(depth, "%s", n.comment())
}

func (n Note) comment() string {
	mark := "# "
	if n.Fill {
		mark = fillIn
	}
	if n.Line > 0 {
		return fmt.Sprintf("%s%s (line %d)", mark, oneLine(n.Text), n.Line)
	}
	return mark + oneLine(n.Text)
}

// target writes where to send, and allows no host: that is a person's to do.
func (w *writer) target(d Draft) {
	u, err := url.Parse(d.Target)
	if err != nil || d.Target == "" || u.Hostname() == "" || strings.Contains(d.Target, "${") {
		w.line(0, "%sthe base URL of a system that you may test", fillIn)
		w.line(0, "target: https://staging.example.com")
		w.line(0, "%sits host, once you may test it: until it stands here, every run is refused", fillIn)
		w.line(0, "allow_hosts: []")
		return
	}
	w.note(0, d.TargetNote)
	w.line(0, "target: %s", quote(d.Target))
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && ip.IsLoopback() {
		w.line(0, "allow_hosts: [] # loopback needs no permission")
		return
	}
	w.line(0, "%sthe host %s, once you may test it: until it stands here, every run is refused", fillIn, oneLine(u.Hostname()))
	w.line(0, "allow_hosts: []")
}

func (w *writer) defaults(d Draft) {
	w.line(0, "defaults:")
	rule := "optional"
	if d.RetryAfter.Text != "" {
		rule = "required"
		w.note(1, d.RetryAfter)
	} else {
		w.line(1, "# The source does not promise Retry-After: it is judged where it is sent.")
	}
	w.line(1, "on_reject: {status: 429, retry_after: %s}", rule)
	w.line(1, "admitted: [2xx] # what surely spends allowance")
	w.line(1, "# objectives: {p99: 2s, errors: 1%%} # your own demands on admitted requests")
}

func (w *writer) identities(all []Identity) {
	if len(all) == 0 {
		return
	}
	w.line(0, "")
	w.line(0, "identities:")
	for _, id := range all {
		w.note(1, id.Note)
		w.line(1, "%s:", quoted(id.Name))
		w.pairs(2, "headers", id.Headers)
		w.pairs(2, "query", id.Query)
		if len(id.Headers)+len(id.Query) == 0 {
			w.line(2, "headers: {}")
		}
	}
}

func (w *writer) pairs(depth int, name string, pairs []Pair) {
	if len(pairs) == 0 {
		return
	}
	w.line(depth, "%s:", name)
	for _, p := range pairs {
		w.line(depth+1, "%s: %s", quoted(p.Name), quote(p.Value))
	}
}

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

// left writes what is no group, so that nothing of the source is lost.
func (w *writer) left(d Draft) {
	if len(d.Left) == 0 {
		return
	}
	w.line(0, "")
	w.line(0, "# Read, and not made a group:")
	for _, n := range d.Left[:min(len(d.Left), maxNotes)] {
		w.note(0, n)
	}
	if more := len(d.Left) - maxNotes; more > 0 {
		w.line(0, "# … and %d more", more)
	}
}
