package analyze

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"duckload/limiter"
)

var headersTrue = Check{
	ID:       "headers",
	Question: "do the rate-limit headers tell the truth?",
	Doc: `RateLimit, RateLimit-Policy (all drafts of draft-ietf-httpapi-ratelimit-headers) and X-RateLimit-* are judged where they are
sent: a header is a promise of its own to the client that reads it. Where none is sent, nothing is judged.

- The limits and policies that are named must be documented ones. A policy may name the limit or the burst, in the documented
  window or another at the same rate; policies of windows that are not documented are left alone.
- What remains after an admitted request must be possible: no more than is left when every request that certainly came before
  has taken its share, and no less than is left when every request that may have come before has. One more is allowed for,
  because some count before they subtract. After a rejection nothing remains. Under a fixed window, what remains may not
  rise twice within one window. Judged only where the promise is a single limit, and "no less" only where nobody else uses the key.
- After the moment of a -Reset, with a second for rounding and another one for a date, a request must be admitted if
  nothing was spent since. The number may be seconds, or a moment since 1970 in seconds or milliseconds. The t of RateLimit is not judged so: since draft -11
  it says nothing about when there will be more.

It fails only if no placement of the decisions within the measured intervals explains what was told. Fields that cannot be
parsed are ignored, as the drafts ask of clients, and mentioned.

Typical causes of failure: the header is written from another limit than the one that is enforced; counters that are not
shared between servers, so that what remains goes up and down; a reset in milliseconds; headers of a limiter that is
configured and not enforced.`,
	Applies: exercised,
	Judge:   judgeHeaders,
}

// A lie is one thing that headers said and that cannot be true.
type lie struct {
	kind     string
	sentence string
	rows     []Row
	allowed  float64
}

// headerCase collects lies by kind, in the order in which they were found.
type headerCase struct {
	*Case
	lies  []lie // the first of each kind
	count map[string]int
}

func (h *headerCase) add(l lie) {
	if h.count[l.kind] == 0 {
		h.lies = append(h.lies, l)
	}
	h.count[l.kind]++
}

func judgeHeaders(c *Case) []Finding {
	h := &headerCase{Case: c, count: map[string]int{}}
	claims, told := h.claims()
	if told == 0 {
		return nil
	}
	broken := h.limits(claims)
	if len(c.Promise.Limits) == 1 && slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Remaining > 0 }) {
		h.remaining()
	}
	h.resets()

	f := Finding{Check: "headers", Outcome: Pass, Message: fmt.Sprintf("nothing that %s told about limits, remaining allowance or reset is contradicted", plural(told, "answer"))}
	if !c.Whole {
		f.Outcome = Inconclusive
		f.Message = unwhole
	}
	if len(h.lies) > 0 {
		var parts []string
		for _, l := range h.lies {
			parts = append(parts, fmt.Sprintf("%s (%d ×)", l.kind, h.count[l.kind]))
		}
		first := h.lies[0]
		f.Outcome = Fail
		f.Message = "the rate-limit headers are wrong: " + strings.Join(parts, "; ")
		f.Witness = (&Witness{Sentence: first.sentence, Counted: h.count[first.kind], Allowed: first.allowed}).of(c, first.rows)
	}
	if len(broken) > 0 {
		f.Message += "; " + strings.Join(broken, ", ") + " cannot be parsed, so clients must ignore it"
	}
	return []Finding{f}
}

// own reports whether a row is of the case's own group.
func (h *headerCase) own(r Row) bool { return h.Header.Lanes[r.Lane].Group == h.Group }

// claims returns a row for each claim that was made, and how many answers made one.
func (h *headerCase) claims() (rows []Row, told int) {
	var seen [math.MaxUint8 + 1]bool
	for _, r := range h.Rows {
		if r.Claim == 0 || !h.own(r) {
			continue
		}
		told++
		if !seen[r.Claim] {
			seen[r.Claim] = true
			rows = append(rows, r)
		}
	}
	return rows, told
}

// limits compares what was said about the limits with what is documented, and
// returns the names of fields that could not be read.
func (h *headerCase) limits(claims []Row) []string {
	var broken []string
	for i, e := range h.Evidence(claims) {
		a := parseAllowance(e.Fields)
		for _, name := range a.broken {
			if !slices.Contains(broken, name) {
				broken = append(broken, name)
			}
		}
		for _, n := range a.limits {
			if !h.documented(n) {
				h.add(lie{
					kind:     fmt.Sprintf("a limit of %d is named, where %s is documented", n, limitsOf(h.Promise)),
					sentence: fmt.Sprintf("this answer names a limit of %d; documented is %s", n, limitsOf(h.Promise)),
					rows:     claims[i : i+1],
				})
			}
		}
		for _, p := range a.policies {
			if !h.permits(p) {
				h.add(lie{
					kind:     fmt.Sprintf("a policy of %s is named, where %s is documented", p, limitsOf(h.Promise)),
					sentence: fmt.Sprintf("this answer names a policy of %s; documented is %s", p, limitsOf(h.Promise)),
					rows:     claims[i : i+1],
				})
			}
		}
	}
	return broken
}

func (p policy) String() string {
	s := fmt.Sprint(p.quota)
	if p.window > 0 {
		s += " per " + p.window.String()
	}
	if p.burst > 0 {
		s += fmt.Sprintf(" with burst %d", p.burst)
	}
	return s
}

// documented reports whether a number is one of a documented limit.
func (h *headerCase) documented(n int64) bool {
	return slices.ContainsFunc(h.Promise.Limits, func(l limiter.Limit) bool {
		return near(n, l.Limit, l) || near(n, l.Burst, l)
	})
}

// near reports whether a number is the documented one, within the tolerance.
func near(n, documented int64, l limiter.Limit) bool {
	return documented > 0 && math.Abs(float64(n-documented)) <= l.Tolerance*float64(documented)
}

// permits reports whether no documented limit contradicts a policy.
func (h *headerCase) permits(p policy) bool {
	rival := false // a documented limit of which this may be a false account
	for _, l := range h.Promise.Limits {
		sameWindow := p.window == l.Window || p.window == 0
		sameRate := p.window > 0 && math.Abs(float64(p.quota)*float64(l.Window)-float64(l.Limit)*float64(p.window)) <= (l.Tolerance+nearly)*float64(l.Limit)*float64(p.window)
		sameBurst := p.burst == 0 || l.Burst == 0 || near(p.burst, l.Burst, l)
		if (sameRate || sameWindow && near(p.quota, l.Limit, l) || near(p.quota, l.Burst, l)) && sameBurst {
			return true
		}
		rival = rival || sameWindow || len(h.Promise.Limits) == 1 && p.window < l.Window || sameRate
	}
	return !rival
}
