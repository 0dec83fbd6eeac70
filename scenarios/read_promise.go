package scenarios

import (
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"

	"duckload/limiter"
)

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
