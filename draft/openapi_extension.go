package draft

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"duckload/limiter"
)

// extensionName are the names under which limits stand in a description.
var extensionName = regexp.MustCompile(`^x(?:api|request)?(?:rate|throttl|quota)(?:e|ing|limiting|limiter|limit)*(?:s$)?`)

// letters makes "x-rateLimit_Window" and "x-ratelimit-window" alike.
func letters(name string) string { return notName.ReplaceAllString(strings.ToLower(name), "") }

// extension reads the x-ratelimit extensions of one map: a map below one of
// them, or several beside each other (x-ratelimit-limit, x-ratelimit-window).
func extension(at value) stated {
	s := stated{}
	beside := map[string]value{}
	for _, f := range at.fields() {
		name := letters(f.name)
		found := extensionName.FindString(name)
		if found == "" || !strings.HasPrefix(f.name, "x-") {
			continue
		}
		if s.place == 0 {
			s.place = f.line
			if f.isMap() {
				s.place = f.followed().at() // one that is referred to is shared
			}
		}
		if rest := name[len(found):]; f.followed().ok() && f.followed().Kind == yaml.ScalarNode && rest != "" || isNumber(f.text()) {
			if rest == "" {
				rest = "limit"
			}
			beside[rest] = f.value
			continue
		}
		s.read(f.value, f.name, 0)
	}
	if len(beside) > 0 {
		s.fromMap(beside, "x-ratelimit", s.place)
	}
	return s
}

func isNumber(text string) bool { _, err := strconv.ParseFloat(text, 64); return err == nil }

// read reads a limit in whatever shape: "100/min", a map, a list of them, or a
// map of maps for users, addresses and the like.
func (s *stated) read(v value, name string, depth int) {
	v = v.followed()
	if !v.ok() || depth > 3 || len(s.limits)+len(s.notes) > 20 {
		return
	}
	switch v.Kind {
	case yaml.SequenceNode:
		for _, item := range v.items() {
			s.read(item, name, depth+1)
		}
		return
	case yaml.ScalarNode:
		found := rates(v.Value)
		for _, r := range found {
			s.put(r, 0, Note{Text: name + ": " + v.Value, Line: v.Line})
		}
		switch {
		case len(found) > 0:
		case unlimited.MatchString(v.Value):
			s.free = true
		default:
			s.notes = append(s.notes, Note{Text: "not understood as a limit: " + name + ": " + v.Value + " (write 100 per minute)", Line: v.Line, Fill: true})
		}
		return
	}
	fields := map[string]value{}
	for _, f := range v.fields() {
		fields[letters(f.name)] = f.value
	}
	if s.fromMap(fields, name, v.Line) {
		return
	}
	for _, f := range v.fields() {
		if f.isMap() || f.followed().ok() && f.followed().Kind == yaml.SequenceNode {
			s.read(f.value, name+"."+f.name, depth+1)
		}
	}
}

// The names of what makes a limit, in letters alone.
var (
	countNames  = []string{"limit", "requests", "maxrequests", "requestlimit", "max", "rate", "ratelimit", "value", "count", "calls", "amount", "quota", "steadyrate"}
	windowNames = []string{"window", "windowsize", "period", "interval", "per", "unit", "timeunit", "time", "timewindow", "duration", "every", "windowseconds", "windowsec", "seconds", "periodseconds", "ttl", "timeframe"}
	burstNames  = []string{"burst", "burstlimit", "burstcapacity", "burstsize", "capacity", "bucketsize"}
	scopeNames  = []string{"scope", "by", "keyby", "key", "identifier", "ratelimitby", "target", "per", "type"}
	wholeNames  = map[string]time.Duration{
		"requestspersecond": time.Second, "persecond": time.Second, "rps": time.Second, "second": time.Second,
		"requestsperminute": time.Minute, "perminute": time.Minute, "rpm": time.Minute, "minute": time.Minute,
		"requestsperhour": time.Hour, "perhour": time.Hour, "rph": time.Hour, "hour": time.Hour,
		"requestsperday": 24 * time.Hour, "perday": 24 * time.Hour, "day": 24 * time.Hour,
	}
)

// fromMap reads a limit of the fields of a map, and reports whether one is
// there.
func (s *stated) fromMap(fields map[string]value, name string, line int) bool {
	before := len(s.limits) + len(s.notes)
	burst := int64(0)
	if v := firstOf(fields, burstNames); v.ok() {
		if n, err := strconv.ParseInt(v.text(), 10, 64); err == nil && n >= 1 && n <= 1e9 {
			burst = n
		}
	}
	scope, per := limiter.ScopeUnknown, ""
	for _, n := range scopeNames {
		if scope == limiter.ScopeUnknown {
			scope, per = scopeOf(fields[n].text())
		}
	}
	put := func(found []rate, from string) {
		for _, r := range found {
			if r.scope == limiter.ScopeUnknown {
				r.scope, r.per = scope, per
			}
			s.put(r, burst, Note{Text: name + from, Line: line})
		}
	}
	for _, n := range sortedNames {
		put(bare(fields[n].text(), wholeNames[n]), "."+n)
	}
	count := firstOf(fields, countNames)
	if text := count.text(); text != "" {
		found := rates(text)
		w, timed := mapWindow(fields)
		if len(found) == 0 {
			found = bare(text, w)
		}
		put(found, "")
		if len(found) == 0 && !timed && before == len(s.limits)+len(s.notes) {
			s.notes = append(s.notes, Note{Text: name + " is " + text + ", in a time that is not stated", Line: line, Fill: true})
		}
	}
	return len(s.limits)+len(s.notes) > before
}

// sortedNames are those of wholeNames, so that no order of a map decides.
var sortedNames = []string{"requestspersecond", "persecond", "rps", "second", "requestsperminute", "perminute", "rpm", "minute", "requestsperhour", "perhour", "rph", "hour", "requestsperday", "perday", "day"}

func firstOf(fields map[string]value, names []string) value {
	for _, n := range names {
		if v := fields[n]; v.followed().ok() {
			return v
		}
	}
	return value{}
}

// mapWindow reads a time: "1m", "per minute", 60, {amount: 1, unit: hour}, or
// a name that says its unit.
func mapWindow(fields map[string]value) (time.Duration, bool) {
	if v, ok := fields["windowms"]; ok {
		return window(v.text() + " ms")
	}
	v := firstOf(fields, windowNames)
	if v.isMap() {
		unit := firstOf(map[string]value{"unit": v.get("unit"), "period": v.get("period")}, []string{"unit", "period"}).text()
		many := firstOf(map[string]value{"amount": v.get("amount"), "value": v.get("value")}, []string{"amount", "value"}).text()
		return window(many + " " + unit)
	}
	if unit := fields["unit"].text(); unit != "" && isNumber(v.text()) {
		return window(v.text() + " " + unit)
	}
	return window(v.text())
}

// seconds reads a number of seconds.
func seconds(text string) time.Duration {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > 366*24*3600 {
		return 0
	}
	return time.Duration(n) * time.Second
}
