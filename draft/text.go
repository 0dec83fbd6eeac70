package draft

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
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
