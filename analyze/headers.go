package analyze

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"duckload/english"
	"duckload/limiter"
)

var headersTrue = Check{
	ID:       "headers",
	Question: "do the rate-limit headers tell the truth?",
	Doc: `RateLimit, RateLimit-Policy (all drafts of draft-ietf-httpapi-ratelimit-headers) and X-RateLimit-* are judged where they are
sent: a header is a promise of its own to the client that reads it. Where none is sent, nothing is judged.

- The limits and policies that are named must be documented ones. A policy may name the limit or the burst, in the documented
  window or another at the same rate; policies of windows that are not documented, or of another quota unit than requests, are
  left alone, and so is what remains under them. A partition key (pk) is not judged: no promise says what it should be.
- What remains after an admitted request must be possible: no more than is left when every request that certainly came before
  has taken its share, and no less than is left when every request that may have come before has. One more is allowed for,
  because some count before they subtract. Queues and limits of requests at once are not judged so. "No less" is judged only where nobody else uses the key. After a rejection, something must
  be exhausted. Under a fixed window, the answers may not ask for two beginnings of a window within the length of one: by rising
  twice, or by not falling.
- Of several limits, an item of RateLimit speaks of the one that its policy has the window of, and a bare number of the one that
  stands beside it (X-RateLimit-Limit; limit= of draft -07). Where nothing says which is meant, what remains is a lie only if every limit contradicts
  it; if neither one limit alone nor the tightest in each answer explains all of them, the check is inconclusive.
- A reset is too early if a request was rejected after it, with a second for rounding and another one for a date, although nothing was
  spent since and no other limit can have caused it. It is too late if it lies further away than the whole allowance needs to
  come back, or than a window is long; under a fixed window also if the window was seen to begin anew before.
  The number may be seconds, or a moment since 1970 in seconds or milliseconds, counted from the Date of the same answer. The t of RateLimit counts
  as a reset; but where its policy is a string it cannot be too early, because since draft -11 it says nothing about when there will be more.

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
	example  string // told with the kind, instead of how often; empty: none
	sentence string
	rows     []Row
	allowed  float64
}

// The kinds of lies about what remains, and when there will be more.
const (
	leftAfterRejection = "a rejection says that something remains"
	leftTooMuch        = "more is said to remain than can"
	leftTooLittle      = "less is said to remain than must"
	leftByNone         = "what is said to remain fits none of the limits"
	leftUpAndDown      = "what remains goes up and down within one window"
	leftStanding       = "what remains does not fall as it must within one window"
	resetTooEarly      = "the reset comes too early"
	resetTooLate       = "the reset comes too late"
	resetBeyond        = "a reset lies further away than the limit can ask for"
)

// headerCase collects lies by kind, in the order in which they were found.
type headerCase struct {
	*Case
	lies  []lie // the first of each kind
	count map[string]int

	spoken [lastClaim + 1][][]int // by claim: which limits each account may speak of
	clues  clues
	lapsed int // soft resets after which nothing had come back

	claimed [lastClaim + 1]int // answers by their Claim
	named   []HeaderFact       // what they named
	broken  []string           // fields that cannot be read
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
	h.read(claims)
	c.told = h
	unsettled := ""
	if !slices.ContainsFunc(c.Promise.Limits, isHeld) { // what remains of those does not follow from decisions
		unsettled = h.remaining()
		h.early()
		h.late()
	}

	f := Finding{Check: "headers", Outcome: Pass, Message: fmt.Sprintf("nothing that %s told about limits, remaining allowance or reset is contradicted", english.Count(told, "answer"))}
	switch {
	case len(h.lies) > 0:
		f = h.lied()
	case !c.Whole:
		f.Outcome, f.Message = Inconclusive, unwhole
	case unsettled != "":
		f.Outcome, f.Message = Inconclusive, unsettled
	}
	if len(h.broken) > 0 {
		f.Message += "; " + strings.Join(h.broken, ", ") + " cannot be parsed, so clients must ignore it"
	}
	if h.lapsed > 0 {
		f.Message += fmt.Sprintf("; after %s of RateLimit nothing had come back, which is a promise in drafts before -11 and none since", english.Count(h.lapsed, "t"))
	}
	if n := c.teller.skipped; n > 0 {
		f.Message += fmt.Sprintf("; %s of several limits were not looked at beyond the first", english.Count(n, "answer"))
	}
	return []Finding{f}
}

// lied returns the failure that the lies make together.
func (h *headerCase) lied() Finding {
	var parts []string
	for _, l := range h.lies {
		if l.example != "" {
			parts = append(parts, l.kind+": "+l.example)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s (%d ×)", l.kind, h.count[l.kind]))
	}
	first := h.lies[0]
	return Finding{
		Check: "headers", Outcome: Fail, Message: "the rate-limit headers are wrong: " + strings.Join(parts, "; "),
		Witness: (&Witness{Sentence: first.sentence, Counted: h.count[first.kind], Allowed: first.allowed}).of(h.Case, first.rows),
	}
}

// own reports whether a row is of the case's own group.
func (h *headerCase) own(r Row) bool { return h.Header.Lanes[r.Lane].Group == h.Group }

// claims returns a row for each claim that was made, and how many answers made one.
func (h *headerCase) claims() (rows []Row, told int) {
	for _, r := range h.Rows {
		if r.Claim == 0 || !h.own(r) {
			continue
		}
		told++
		h.claimed[r.Claim]++
		if h.claimed[r.Claim] == 1 {
			rows = append(rows, r)
		}
	}
	return rows, told
}

// read notes for each claim of which limits it speaks and what could not be
// read, and compares what was said about the limits with what is documented.
func (h *headerCase) read(claims []Row) {
	for i, e := range h.Evidence(claims) {
		a := parseAllowance(e.Fields)
		if n := claims[i].Claim; n < lastClaim {
			h.spoken[n] = h.meant(a)
		}
		for _, name := range a.broken {
			if !slices.Contains(h.broken, name) {
				h.broken = append(h.broken, name)
			}
		}
		for _, n := range a.limits {
			h.saysOfLimits(fmt.Sprintf("a limit of %d", n), claims[i:i+1], !h.documented(n, a.policies))
		}
		for _, p := range a.policies {
			h.saysOfLimits(fmt.Sprintf("a policy of %s", p), claims[i:i+1], !h.permits(p))
		}
	}
}

// saysOfLimits notes what a claim names, and that it is a lie if it is.
func (h *headerCase) saysOfLimits(said string, claim []Row, wrong bool) {
	h.names(said, claim[0], wrong)
	if wrong {
		h.add(lie{
			kind:     fmt.Sprintf("%s is named, where %s is documented", said, limitsOf(h.Promise)),
			sentence: fmt.Sprintf("this answer names %s; documented is %s", said, limitsOf(h.Promise)),
			rows:     claim,
		})
	}
}

// documented reports whether a number is one of a documented limit, or the
// quota of a policy beside it that is left alone.
func (h *headerCase) documented(n int64, beside []policy) bool {
	return len(h.numbered(n)) > 0 || slices.ContainsFunc(beside, func(p policy) bool { return p.quota == n && p.window > 0 && h.permits(p) })
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

// near reports whether a number is the documented one, within the tolerance.
func near(n, documented int64, l limiter.Limit) bool {
	return documented > 0 && math.Abs(float64(n-documented)) <= l.Tolerance*float64(documented)
}

// How a policy may tell a documented limit, the surest way last.
const (
	itsNothing = iota
	itsBurst
	itsRate
	itsLimit
)

// tells says how a policy may be an account of a limit.
func (p policy) tells(l limiter.Limit) int {
	switch {
	case p.burst != 0 && l.Burst != 0 && !near(p.burst, l.Burst, l):
		return itsNothing
	case (p.window == l.Window || p.window == 0) && near(p.quota, l.Limit, l):
		return itsLimit
	case p.hasRate(l):
		return itsRate
	case near(p.quota, l.Burst, l):
		return itsBurst
	}
	return itsNothing
}

// hasRate reports whether a policy has the rate of a limit, in whatever words.
func (p policy) hasRate(l limiter.Limit) bool {
	theirs, ours := float64(p.quota)*float64(l.Window), float64(l.Limit)*float64(p.window)
	return p.window > 0 && math.Abs(theirs-ours) <= (l.Tolerance+nearly)*ours
}

// permits reports whether no documented limit contradicts a policy.
func (h *headerCase) permits(p policy) bool {
	rival := false // a documented limit of which this may be a false account
	for _, l := range h.Promise.Limits {
		if p.other || p.tells(l) != itsNothing {
			return true
		}
		rival = rival || p.window == l.Window || p.window == 0 || len(h.Promise.Limits) == 1 && p.window < l.Window || p.hasRate(l)
	}
	return !rival
}
