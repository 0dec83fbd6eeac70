package draft

import (
	"regexp"
	"strings"
	"time"
)

// A role is what a column of a table tells.
type role string

const (
	subject   role = "subject" // what the limit is for: a path, a name
	method    role = "method"
	limitOf   role = "limit"
	windowOf  role = "window"
	burstOf   role = "burst"
	scopeIs   role = "scope"
	authOf    role = "auth"
	algorithm role = "algorithm"
	body      role = "body"
	note      role = "note"
	unknown   role = ""
)

// A heading is how a role is recognised by the words above its column. To
// teach another word, add it here.
type heading struct {
	role role
	doc  string // for those whose table has none
	says *regexp.Regexp
}

// headings are tried in this order: "burst limit" is a burst, "rate limit
// window" a window.
var headings = []heading{
	{subject, "name", regexp.MustCompile(`\bname$`)},
	{burstOf, "burst", regexp.MustCompile(`\b(burst|bucket size|capacity|max(imum)? bucket)\b`)},
	{algorithm, "algorithm", regexp.MustCompile(`\b(algorithm|reading|strategy|limiter)\b`)},
	{windowOf, "window", regexp.MustCompile(`\b(window|period|interval|time ?frame|timespan|duration|window of time)\b`)},
	{method, "method", regexp.MustCompile(`^(http )?(method|verb)s?$`)},
	{authOf, "auth", regexp.MustCompile(`\b(auth|authentication|authorization|needs? a key|key (required|needed)|requires? (a )?(key|auth|authentication)|security)\b`)},
	{scopeIs, "scope", regexp.MustCompile(`\b(scope|applies to|applied to|limited by|keyed by|counted (by|per)|granularity)\b|^(by|per|level)$`)},
	{limitOf, "limit", regexp.MustCompile(`\b(limits?|quotas?|rates?|max(imum)?|throughput|rp[smhd]|qp[smhd]|allowance|(requests|calls|queries|hits)( (per|/) .*)?|number of requests|req/.*|leak rate|refill( rate)?)\b`)},
	{subject, "endpoint", regexp.MustCompile(`\b(endpoints?|paths?|routes?|urls?|uris?|resources?|apis?|operations?|method and path|method & path|group|category|name|bucket|type|plan|tier|client|product|feature|action|request type|service)\b`)},
	{body, "body", regexp.MustCompile(`\b(body|payload)\b`)},
	{note, "note", regexp.MustCompile(`\b(notes?|description|comments?|what it does|remarks?)\b`)},
}

// A column is what is known about one column of a table.
type column struct {
	role   role
	window time.Duration // that its heading names: "requests per minute"
	plan   bool          // of limits that hold for one plan, such as "Free": its heading says no more
	title  string
}

// columns recognises the columns of a table by their headings, and by what
// stands below where a heading says too little.
func columns(t table) []column {
	all := make([]column, len(t.head))
	for i, title := range t.head {
		all[i] = column{title: title, role: roleOf(title)}
		switch all[i].role {
		case limitOf:
			all[i].window, _ = headingWindow(title)
		case scopeIs:
			// "Per" stands above users and above minutes.
			if most(t, i, func(cell string) bool { _, ok := window(cell); return ok }) {
				all[i].role = windowOf
			}
		case subject, note, unknown:
			// "Free", "Pro" and other plans: what stands below is a rate.
			if most(t, i, func(cell string) bool { return len(rates(cell)) > 0 }) {
				all[i].role, all[i].plan = limitOf, true
			}
		}
	}
	return withSubject(t, all)
}

func roleOf(title string) role {
	title = strings.ToLower(strings.Join(strings.Fields(title), " "))
	for _, h := range headings {
		if h.says.MatchString(title) {
			return h.role
		}
	}
	return unknown
}

// headingWindow reads "Requests per minute", "Limit (15 min)" and "RPM".
func headingWindow(title string) (time.Duration, bool) {
	for _, word := range split(title) {
		if w := short[word]; w > 0 {
			return w, true
		}
	}
	tokens := split(title)
	for i, t := range tokens {
		if t == "per" || t == "/" || t == "(" || t == "in" {
			if w, _ := span(tokens, i+1); w > 0 {
				return w, true
			}
		}
	}
	return 0, false
}

// withSubject leaves one column to say what a row is for: the one with paths,
// else the first that is called so, else the first that is nothing else.
func withSubject(t table, all []column) []column {
	best := -1
	for i := range all {
		paths := most(t, i, func(cell string) bool { return pathIn.MatchString(cell) })
		switch {
		case paths && (all[i].role == subject || all[i].role == unknown || all[i].role == note || all[i].role == method):
			all[i].role = subject
			if best < 0 || !most(t, best, func(cell string) bool { return pathIn.MatchString(cell) }) {
				best = i
			}
		case all[i].role == subject && best < 0:
			best = i
		}
	}
	for i := range all {
		if best < 0 && all[i].role == unknown {
			best, all[i].role = i, subject
		}
	}
	for i := range all {
		if all[i].role == subject && i != best {
			all[i].role = note
		}
	}
	return all
}

// most reports whether more than half of the cells of a column that say
// something say it like this.
func most(t table, i int, like func(string) bool) bool {
	some, yes := 0, 0
	for _, r := range t.rows {
		if blank(r.cell(i)) {
			continue
		}
		some++
		if like(r.cell(i)) {
			yes++
		}
	}
	return 2*yes > some
}

var nothing = regexp.MustCompile(`(?i)^\W*(not stated|not documented|n/?a|none|no|tbd|unknown|default)?\W*$`)

// blank reports whether a cell says nothing.
func blank(cell string) bool { return nothing.MatchString(cell) }

// find returns the first column with a role, -1 if there is none.
func find(all []column, r role) int {
	for i, c := range all {
		if c.role == r {
			return i
		}
	}
	return -1
}

func count(all []column, r role) int {
	n := 0
	for _, c := range all {
		if c.role == r {
			n++
		}
	}
	return n
}
