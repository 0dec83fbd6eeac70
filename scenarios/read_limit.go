package scenarios

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
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
	var number node
	found := r.mapping(n, []key{
		{"limit", func(n node) { number = n }},
		{"burst", func(n node) { l.Burst = r.whole(n, 1, 1_000_000_000) }},
		{"scope", func(n node) {
			l.Scope = limiter.Scope(r.oneOf(n, string(limiter.ScopeIP), string(limiter.ScopeKey), string(limiter.ScopeGlobal)))
		}},
		{"reading", func(n node) { l.Reading = r.reading(n) }},
		{"tolerance", func(n node) { l.Tolerance = r.tolerance(n) }},
		{"precision", func(n node) { l.Precision = r.rateWithin(n) }},
		{"granularity", func(n node) {
			if l.Granularity = r.duration(n); l.Granularity > time.Minute {
				r.bad(n, "must be at most 1m")
			}
		}},
		{"service_time", func(n node) { l.ServiceTime = r.duration(n) }},
		{"rejects_consume", func(n node) { l.RejectsConsume = r.boolean(n) }},
		{"verify", func(n node) { l.Unverified = !r.boolean(n) }},
	})
	if found == nil {
		return l
	}
	switch {
	case !found["limit"]:
		r.bad(n, "limit is missing (write limit: 100/min)")
	case l.Reading == limiter.Concurrency:
		l.Limit = r.atOnce(number)
	default:
		l.Limit, l.Window = r.perWindow(number)
	}
	return r.sense(n, l)
}

// atOnce reads how many requests may be under way at once.
func (r *reader) atOnce(n node) int64 {
	if ratio.MatchString(n.Value) {
		r.bad(n, "a limit of requests at once has no time, got %q (write limit: 5)", shortened(n.Value))
		return 1
	}
	return r.whole(n, 1, maxBurst-2)
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
	case l.Reading == limiter.LeakyQueue && l.Burst == 0:
		r.bad(n, "a %s needs a burst (how many it takes in at once, the one that is let through included)", l.Reading)
	case l.Reading == limiter.LeakyQueue && l.RejectsConsume:
		r.bad(n, "what a %s rejects takes no place in it (leave rejects_consume out)", l.Reading)
	case l.ServiceTime > 0 && l.Reading != limiter.Concurrency:
		r.bad(n, "service_time is for requests at once (leave it out, or write reading: %s)", limiter.Concurrency)
	case l.Precision > 0 && l.Reading != limiter.TokenBucket:
		r.bad(n, "precision is for the rate of a %s (leave it out, or give a burst)", limiter.TokenBucket)
	case bucket && l.Burst == 0:
		r.bad(n, "a %s needs a burst (its capacity)", l.Reading)
	case !bucket && l.Reading != limiter.Open && l.Reading != limiter.LeakyQueue && l.Burst > 0:
		r.bad(n, "a %s has no burst (leave it out, or write reading: %s)", l.Reading, limiter.TokenBucket)
	case !l.Unverified && l.Window > 0 && max(l.Burst, l.Limit) > math.MaxInt64/4/int64(l.Window): // a quota is only counted
		r.bad(n, "too large: limit and burst times the window must stay below %d request years", math.MaxInt64/4/int64(365*24*time.Hour))
	}
	return l
}

func (r *reader) reading(n node) limiter.Reading {
	words := make([]string, len(limiter.Readings))
	for i, reading := range limiter.Readings {
		words[i] = string(reading)
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
	count, width, wrong := perWindowOf(text)
	for _, w := range wrong {
		r.bad(n, "%s", w)
	}
	return count, width
}

// ParsePerWindow reads requests per time: "100/min", "5/s", "100/90s". The error
// has a line for each mistake.
func ParsePerWindow(text string) (count int64, window time.Duration, err error) {
	count, window, wrong := perWindowOf(text)
	if len(wrong) > 0 {
		return 0, 0, errors.New(strings.Join(wrong, "\n"))
	}
	return count, window, nil
}

func perWindowOf(text string) (count int64, width time.Duration, wrong []string) {
	found := ratio.FindStringSubmatch(text)
	if found == nil {
		return 1, time.Second, []string{fmt.Sprintf("must be requests per time, got %q (write 100/min, 10/s, 1000/h, 5000/day or 100/90s)", shortened(text))}
	}
	count, badCount := parseWhole(strings.TrimSpace(found[1]), 1, 1_000_000_000)
	width, badWidth := parseWindow(strings.TrimSpace(found[2]))
	for _, w := range []string{badCount, badWidth} {
		if w != "" {
			wrong = append(wrong, w)
		}
	}
	if width == 0 {
		width = time.Second
	}
	if badCount == "" && count > int64(width)/1000 {
		wrong = append(wrong, "more than 1000000 requests a second")
	}
	return count, width, wrong
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

// rateWithin reads how narrow a measured rate must be. Clocks that keep to the
// assumptions differ by 0.05 %, so nothing is measured more finely than twice
// that.
func (r *reader) rateWithin(n node) float64 {
	text, ok := r.text(n)
	if !ok {
		return 0
	}
	share, wrong := parsePercent(text)
	if wrong != "" || share < 0.001 || share > 0.5 {
		r.bad(n, "must be from 0.1%% to 50%%, got %q (write 0.2%%)", shortened(text))
		return 0
	}
	return share
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
