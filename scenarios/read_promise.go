package scenarios

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"duckload/limiter"
)

// limits reads a promise: one limit, or a list of limits that all hold.
func (r *reader) limits(n node) []limiter.Limit {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.bad(n, "names no limit (write {limit: 100/min})")
	}
	var all []limiter.Limit
	for _, item := range r.oneOrMore(n) {
		all = append(all, r.limit(item))
	}
	return all
}

func (r *reader) limit(n node) limiter.Limit {
	var l limiter.Limit
	found := r.mapping(n, []key{
		{"limit", func(n node) { l.Limit, l.Window = r.perWindow(n) }},
		{"burst", func(n node) { l.Burst = r.whole(n, 1, 1_000_000_000) }},
		{"scope", func(n node) {
			l.Scope = limiter.Scope(r.oneOf(n, string(limiter.ScopeIP), string(limiter.ScopeKey), string(limiter.ScopeGlobal)))
		}},
		{"reading", func(n node) { l.Reading = r.reading(n) }},
		{"tolerance", func(n node) { l.Tolerance = r.tolerance(n) }},
		{"granularity", func(n node) {
			if l.Granularity = r.duration(n); l.Granularity > time.Minute {
				r.bad(n, "must be at most 1m")
			}
		}},
		{"rejects_consume", func(n node) { l.RejectsConsume = r.boolean(n) }},
		{"verify", func(n node) { l.Unverified = !r.boolean(n) }},
	})
	if found == nil {
		return l
	}
	if !found["limit"] {
		r.bad(n, "limit is missing (write limit: 100/min)")
	}
	return r.sense(n, l)
}

// sense gives a limit its default reading, and refuses what contradicts it.
func (r *reader) sense(n node, l limiter.Limit) limiter.Limit {
	if l.Reading == "" {
		l.Reading = limiter.Open
		if l.Burst > 0 {
			l.Reading = limiter.TokenBucket
		}
	}
	bucket := l.Reading == limiter.TokenBucket || l.Reading == limiter.SteppedBucket
	switch {
	case bucket && l.Burst == 0:
		r.bad(n, "a %s needs a burst (its capacity)", l.Reading)
	case !bucket && l.Reading != limiter.Open && l.Burst > 0:
		r.bad(n, "a %s has no burst (leave it out, or write reading: %s)", l.Reading, limiter.TokenBucket)
	case l.Window > 0 && max(l.Burst, l.Limit) > math.MaxInt64/4/int64(l.Window):
		r.bad(n, "too large: limit and burst times the window must stay below %d request years", math.MaxInt64/4/int64(365*24*time.Hour))
	}
	return l
}

func (r *reader) reading(n node) limiter.Reading {
	words := make([]string, len(limiter.Readings))
	for i, reading := range limiter.Readings {
		words[i] = string(reading)
	}
	if n.Value == "leaky-queue" || n.Value == "concurrency" {
		r.bad(n, "not supported yet")
		return limiter.Open
	}
	return limiter.Reading(r.oneOf(n, words...))
}

// windows are the names of windows, with what else people write for them.
var windows = []struct {
	name  string
	other []string
	width time.Duration
}{
	{"s", []string{"sec", "second"}, time.Second},
	{"min", []string{"m", "minute"}, time.Minute},
	{"h", []string{"hr", "hour"}, time.Hour},
	{"day", []string{"d"}, 24 * time.Hour},
}

var ratio = regexp.MustCompile(`^([^/]+)/([^/]+)$`)

// perWindow reads "100/min" or "100/90s".
func (r *reader) perWindow(n node) (int64, time.Duration) {
	text, ok := r.text(n)
	if !ok {
		return 1, time.Second
	}
	found := ratio.FindStringSubmatch(text)
	if found == nil {
		r.bad(n, "must be requests per time, got %q (write 100/min, 10/s, 1000/h, 5000/day or 100/90s)", shortened(text))
		return 1, time.Second
	}
	count, wrong := parseWhole(strings.TrimSpace(found[1]), 1, 1_000_000_000)
	width, wrongToo := parseWindow(strings.TrimSpace(found[2]))
	for _, w := range []string{wrong, wrongToo} {
		if w != "" {
			r.bad(n, "%s", w)
		}
	}
	if width == 0 {
		width = time.Second
	}
	if wrong == "" && count > int64(width)/1000 {
		r.bad(n, "more than 1000000 requests a second")
	}
	return count, width
}

func parseWindow(text string) (time.Duration, string) {
	for _, w := range windows {
		if w.name == text {
			return w.width, ""
		}
		if slices.Contains(w.other, text) {
			return 0, fmt.Sprintf("unknown time %q (did you mean %q?)", text, w.name)
		}
	}
	if text != "" && text[0] >= '0' && text[0] <= '9' {
		return parseDuration(text)
	}
	return 0, fmt.Sprintf("unknown time %q (have s, min, h, day, or a duration such as 90s)", shortened(text))
}

func (r *reader) tolerance(n node) float64 {
	text, ok := r.text(n)
	if !ok || text == "exact" {
		return 0
	}
	percent, effort := strings.CutPrefix(text, "best-effort ")
	share, wrong := parsePercent(percent)
	if !effort || wrong != "" || share <= 0 || share >= 1 {
		r.bad(n, "must be exact or best-effort with a percentage, got %q (write best-effort 5%%)", shortened(text))
		return 0
	}
	return share
}

func (r *reader) rejection(n node, usual limiter.Rejection) limiter.Rejection {
	r.mapping(n, []key{
		{"status", func(n node) {
			usual.Status = nil
			for _, item := range r.oneOrMore(n) {
				usual.Status = append(usual.Status, int(r.whole(item, 100, 599)))
			}
			if len(usual.Status) == 0 {
				r.bad(n, "names no status (write 429)")
			}
		}},
		{"retry_after", func(n node) {
			usual.RetryAfter = limiter.RetryAfterRule(r.oneOf(n, string(limiter.RetryAfterRequired), string(limiter.RetryAfterExact),
				string(limiter.RetryAfterOptional), string(limiter.RetryAfterNone)))
		}},
		{"json", func(n node) { usual.JSON = r.jsonFields(n, "") }},
	})
	return usual
}

// jsonFields reads values of a JSON body, nested or as dotted paths.
func (r *reader) jsonFields(n node, prefix string) []limiter.Field {
	entries, _ := r.entries(n)
	var all []limiter.Field
	for _, e := range entries {
		if e.value.Kind == yaml.MappingNode {
			all = append(all, r.jsonFields(e.value, prefix+e.name+".")...)
			continue
		}
		text, _ := r.text(e.value)
		all = append(all, limiter.Field{Name: prefix + e.name, Value: text})
	}
	return all
}

func (r *reader) statuses(n node) []limiter.Statuses {
	var all []limiter.Statuses
	for _, item := range r.oneOrMore(n) {
		text, _ := r.text(item)
		s, ok := parseStatuses(text)
		if !ok {
			r.bad(item, "must be a status, got %s (write 2xx, 409 or 200-204)", item.kind())
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		r.bad(n, "names no status (write [2xx])")
	}
	return all
}

var statusWords = regexp.MustCompile(`^([1-5])xx$|^([1-5][0-9][0-9])(?:-([1-5][0-9][0-9]))?$`)

func parseStatuses(text string) (limiter.Statuses, bool) {
	found := statusWords.FindStringSubmatch(text)
	if found == nil {
		return limiter.Statuses{}, false
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	if found[1] != "" {
		return limiter.Statuses{From: number(found[1]) * 100, To: number(found[1])*100 + 99}, true
	}
	s := limiter.Statuses{From: number(found[2]), To: number(found[2])}
	if found[3] != "" {
		s.To = number(found[3])
	}
	return s, s.From <= s.To
}

// percentiles are those that objectives may name.
var percentiles = []struct {
	name string
	at   float64
}{{"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"p99.9", 99.9}}

func (r *reader) objectives(n node) limiter.Objectives {
	var o limiter.Objectives
	keys := []key{{"errors", func(n node) {
		text, ok := r.text(n)
		share, wrong := parsePercent(text)
		if ok && wrong == "" && share > 1 {
			wrong = "must be at most 100%"
		}
		if ok && wrong != "" {
			r.bad(n, "%s", wrong)
		}
		o.Errors = &share
	}}}
	for _, p := range percentiles {
		keys = append(keys, key{p.name, func(n node) {
			o.Latency = append(o.Latency, limiter.LatencyObjective{Percentile: p.at, Most: r.duration(n)})
		}})
	}
	r.mapping(n, keys)
	return o
}
