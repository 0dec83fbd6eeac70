package draft

import (
	"math"
	"strings"
	"time"

	"duckload/limiter"
)

// fits reports whether a scenario file can hold a limit: the largest numbers
// of package scenarios.
func (l Limit) fits() bool {
	most := max(l.Limit.Limit, l.Burst)
	if l.Reading == limiter.Concurrency {
		return most >= 1 && most < 1_000_000-2
	}
	return l.Limit.Limit >= 1 && most <= 1_000_000_000 && l.Window > 0 && l.Limit.Limit <= int64(l.Window)/1000 &&
		(l.Unverified || most <= math.MaxInt64/4/int64(l.Window))
}

// longest is how long a window may be whose end a run can wait for. A limit
// over a longer one is respected and not judged.
const longest = 12 * time.Hour

// limit makes a limit of a rate.
func (r rate) limit(n Note) Limit {
	l := Limit{Limit: limiter.Limit{Limit: r.count, Window: r.window, Scope: r.scope, Unverified: r.window > longest}, Note: n}
	say := []string{}
	if n.Text != "" {
		say = append(say, n.Text)
	}
	if r.scope == limiter.ScopeKey && r.per != "key" && r.per != "api key" && r.per != "" {
		say = append(say, "guess: per "+r.per+" is read as one counter for each identity")
	}
	if r.window%month == 0 {
		say = append(say, "guess: a month is 30 days")
	}
	if l.Unverified {
		say = append(say, "respected and not judged: no run waits for its end")
	}
	l.Note.Text = strings.Join(say, "; ")
	return l
}

// add puts a limit to those of a group. All of them hold at once, so one for
// the same time and the same holders is another plan's or another client's:
// the smaller is kept, and the other one told about.
func add(limits []Limit, l Limit) (all []Limit, left *Note) {
	for i, have := range limits {
		if have.Window != l.Window || have.Scope != l.Scope {
			continue
		}
		if have.Limit.Limit == l.Limit.Limit && have.Burst == l.Burst {
			return limits, nil
		}
		if l.Limit.Limit < have.Limit.Limit {
			limits[i], l = l, have
		}
		return limits, &Note{Text: "guess: the smaller of two limits for the same time is meant; the other one: " + l.text(), Line: l.Note.Line}
	}
	return append(limits, l), nil
}
