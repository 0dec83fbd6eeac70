package draft

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"duckload/limiter"
)

// readLimits reads the limits of one row. free: the row says that there is
// none.
func readLimits(r row, cols []column) (limits []Limit, notes []Note, free bool) {
	var odd []string
	frees, several, plan := 0, count(cols, limitOf) > 1, ""
	for i, c := range cols {
		if c.role != limitOf || r.cell(i) == "" {
			continue
		}
		if c.plan && plan != "" {
			notes = append(notes, Note{Text: "guess: the limits are those of " + plan + "; " + c.title + " has: " + r.cell(i), Line: r.line})
			continue
		}
		found := rates(r.cell(i))
		if n := atOnce(r.cell(i)); len(found) == 0 && n > 0 {
			limits = append(limits, Limit{Limit: limiter.Limit{Limit: n, Reading: limiter.Concurrency}, Note: Note{Text: "requests at once: service_time, how long each takes the server at the least, makes the verdict sharper", Line: r.line}})
			continue
		}
		if len(found) == 0 {
			if found = bare(r.cell(i), cmp.Or(rowWindow(r, cols), c.window)); len(found) == 0 {
				if unlimited.MatchString(r.cell(i)) {
					frees++
				} else if !blank(r.cell(i)) {
					odd = append(odd, r.cell(i))
				}
				continue
			}
		}
		if c.plan {
			plan = c.title
		}
		for _, one := range found {
			for _, role := range []role{scopeIs, windowOf} {
				if one.scope == limiter.ScopeUnknown {
					one.scope, one.per = scopeOf(r.cell(find(cols, role)))
				}
			}
			from := Note{Line: r.line}
			if several {
				from.Text = "column " + c.title
			}
			l := one.limit(from)
			var left *Note
			if limits, left = add(limits, l); left != nil {
				notes = append(notes, *left)
			}
		}
	}
	for _, cell := range odd {
		notes = append(notes, Note{Text: "not understood as a limit: " + cell + " (write 100 per minute)", Line: r.line, Fill: len(limits) == 0})
	}
	if len(limits) == 0 {
		return nil, notes, frees > 0 && len(odd) == 0
	}
	return limits, append(notes, burst(limits, r, cols)...), false
}

// bare reads a number whose time stands elsewhere: in its heading, or in a
// column of its own.
func bare(cell string, window time.Duration) []rate {
	tokens := split(cell)
	count, next, ok := amount(tokens, 0)
	if !ok || window == 0 {
		return nil
	}
	for _, word := range tokens[next:] {
		if word[0] >= '0' && word[0] <= '9' {
			return nil // two numbers: which of them?
		}
	}
	r := rate{window: window}
	if r.count, r.window, ok = whole(count, window); !ok {
		return nil
	}
	r.scope, r.per, _ = scopes(tokens, next, next)
	return []rate{r}
}

func rowWindow(r row, cols []column) time.Duration {
	w, _ := window(r.cell(find(cols, windowOf)))
	return w
}

// together is how people say that a limit is for requests at once.
var together = regexp.MustCompile(`(?i)\b(concurrent(ly)?|simultaneous(ly)?|in parallel|parallel|in[- ]flight|at (once|the same time|a time))\b`)

// atOnce reads "5 concurrent requests"; 0: the text says no such thing.
func atOnce(text string) int64 {
	if !together.MatchString(text) {
		return 0
	}
	tokens := split(text)
	for i := range tokens {
		if v, _, ok := amount(tokens, i); ok && v >= 1 && v < 1e6 {
			return int64(v)
		}
	}
	return 0
}

var leadingNumber = regexp.MustCompile(`[0-9]`)

// burst gives the first limit that is judged the burst and the algorithm of its
// row. The shortest window is the one that a burst belongs to.
func burst(limits []Limit, r row, cols []column) (notes []Note) {
	at := 0
	for i, l := range limits {
		if limits[at].Reading == limiter.Concurrency || l.Reading != limiter.Concurrency && l.Window < limits[at].Window {
			at = i
		}
	}
	if limits[at].Reading == limiter.Concurrency {
		return nil
	}
	if i := find(cols, burstOf); i >= 0 && leadingNumber.MatchString(r.cell(i)) {
		tokens := split(r.cell(i))
		for from := range tokens {
			if v, _, ok := amount(tokens, from); ok && v >= 1 && v <= 1e9 {
				limits[at].Burst = int64(v)
				break
			}
		}
	}
	if i := find(cols, burstOf); i >= 0 && limits[at].Burst == 0 && !blank(r.cell(i)) {
		notes = append(notes, Note{Text: "the burst; not understood: " + r.cell(i) + " (write a number)", Line: r.line, Fill: true})
	}
	limits[at].Reading = algorithmOf(r.cell(find(cols, algorithm)), limits[at].Burst > 0)
	return notes
}

// algorithmOf reads the name of an algorithm. One that contradicts what the
// row says of a burst is not taken.
func algorithmOf(cell string, hasBurst bool) limiter.Reading {
	cell = strings.ToLower(strings.NewReplacer("-", " ", "_", " ").Replace(cell))
	for _, a := range []struct {
		words   string
		reading limiter.Reading
		bucket  bool
	}{
		{"token bucket", limiter.TokenBucket, true},
		{"gcra", limiter.TokenBucket, true},
		{"leaky bucket", limiter.TokenBucket, true},
		{"fixed window", limiter.FixedWindow, false},
		{"sliding log", limiter.SlidingLog, false},
		{"sliding window log", limiter.SlidingLog, false},
		{"sliding window counter", limiter.SlidingCounter, false},
		{"sliding counter", limiter.SlidingCounter, false},
	} {
		if strings.Contains(cell, a.words) && a.bucket == hasBurst {
			return a.reading
		}
	}
	return ""
}
