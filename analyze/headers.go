package analyze

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"duckload/history"
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

// remaining judges what was told to remain.
func (h *headerCase) remaining() {
	l := h.Promise.Limits[0]
	ring := keys(h.Header, h.Promise.Limits)
	for _, r := range h.Rows {
		if r.Outcome == limiter.Rejected && r.Remaining > 1 && h.own(r) {
			h.add(lie{
				kind:     "a rejection says that something remains",
				sentence: fmt.Sprintf("the rejection answered at %s says that %d remain", secs(r.Answered), r.Remaining-1),
				rows:     []Row{r},
			})
		}
	}
	admitted := func(r Row) bool { return r.Outcome == limiter.Admitted }
	for _, among := range split(h.Rows, ring.certain, admitted) {
		highest(h.Rows, among, l, func(r Row, most float64) {
			if r.Remaining == 0 || !h.own(r) || float64(r.Remaining-1) <= math.Floor(most+nearly)+1 {
				return
			}
			h.add(lie{
				kind:     "more is said to remain than can",
				sentence: fmt.Sprintf("the request answered at %s was told that %d remain; after the requests certainly admitted before it on the same key at most %.1f can (%s)", secs(r.Answered), r.Remaining-1, max(0, most), l),
				rows:     []Row{r}, allowed: max(0, most),
			})
		})
		if l.Reading == limiter.FixedWindow {
			h.rises(among, l)
		}
	}
	if l.RejectsConsume || !h.Whole || !h.Header.Groups[h.Group].Exclusive {
		return
	}
	spent := func(r Row) bool { return r.Outcome != limiter.Rejected }
	decided := func(r Row) time.Duration {
		return decidedBy(r, h.Header.Groups[h.Header.Lanes[r.Lane].Group].DecidedWithin)
	}
	for _, among := range split(h.Rows, ring.possible, spent) {
		lowest(h.Rows, among, decided, l, h.Header.Groups[h.Group].Fresh, func(r Row, least float64) {
			if r.Remaining == 0 || !h.own(r) || float64(r.Remaining-1) >= math.Floor(least) {
				return
			}
			h.add(lie{
				kind:     "less is said to remain than must",
				sentence: fmt.Sprintf("the request answered at %s was told that %d remain; after every request that can have been decided before it at least %.1f must (%s)", secs(r.Answered), r.Remaining-1, least, l),
				rows:     []Row{r}, allowed: least,
			})
		})
	}
}

// split returns the places of the rows that something is true of, by the
// number of their lane.
func split(rows []Row, number []int, keep func(Row) bool) [][]uint32 {
	all := make([][]uint32, len(number))
	for i, r := range rows {
		if keep(r) {
			all[number[r.Lane]] = append(all[number[r.Lane]], uint32(i))
		}
	}
	return all
}

// rises looks for what remains rising twice within one window, between two
// requests each that were decided one after the other: it rises only when a
// new window begins, and windows do not begin closer together.
func (h *headerCase) rises(among []uint32, l limiter.Limit) {
	window := time.Duration(float64(l.Window)*(1-clockDrift)) - l.Clock()
	var last Row    // the one before
	var since []Row // the rise before
	for _, i := range among {
		r := h.Rows[i]
		if r.Remaining == 0 {
			continue
		}
		if last.Remaining > 0 && last.Answered < r.Sent && r.Remaining > last.Remaining {
			if since != nil && since[1].Answered < last.Sent && r.Answered-since[0].Sent < window {
				h.add(lie{
					kind: "what remains goes up and down within one window",
					sentence: fmt.Sprintf("what remains rose from %d to %d and from %d to %d within %s; a window of %s begins anew once in that time",
						since[0].Remaining-1, since[1].Remaining-1, last.Remaining-1, r.Remaining-1, secs(r.Answered-since[0].Sent), l.Window),
					rows: append(slices.Clone(since), last, r), allowed: 1,
				})
			}
			since = []Row{last, r}
		}
		if r.Answered > last.Answered {
			last = r
		}
	}
}

// resets judges the -Reset of rejections by the retries that followed them
// while nothing was spent.
func (h *headerCase) resets() {
	if !h.Header.Groups[h.Group].Exclusive || !h.Whole {
		return
	}
	pairs := h.droughts()
	var rows []Row
	for _, p := range pairs {
		rows = append(rows, p.rejected)
	}
	step := slowest(h.Promise.Limits)
	for i, e := range h.Evidence(rows) {
		p := pairs[i]
		in, rounding, ok := resetIn(parseAllowance(e.Fields).reset, e.Fields)
		if !ok || p.rejected.Remaining > 1 || in > time.Hour*24*365 || p.shown.Sent-step.step < p.rejected.Answered+step.slow(in)+rounding {
			continue
		}
		h.add(lie{
			kind: "the reset comes too early",
			sentence: fmt.Sprintf("a rejection answered at %s told a reset in %s; a request sent at %s was rejected again, and no other request that could spend the key's allowance came between",
				secs(p.rejected.Answered), secs(in), secs(p.shown.Sent)),
			rows: []Row{p.rejected, p.shown},
		})
	}
}

// mostDroughts is how many stretches without any admission are looked at.
const mostDroughts = 64

// droughts returns the longest stretches in which nothing that may have been
// spent was decided: from the first rejection of each to the last.
func (h *headerCase) droughts() []pair {
	var all []pair
	ring := keys(h.Header, h.Promise.Limits)
	states := make([]drought, len(h.Header.Lanes))
	consume := slices.ContainsFunc(h.Promise.Limits, func(l limiter.Limit) bool { return l.RejectsConsume })
	close := func(s *drought, before time.Duration) {
		for i := range s.pairs {
			p := &s.pairs[i]
			if p.rejected.Answered != 0 && p.shown.Answered != 0 && p.shown.Answered < before && p.shown.Sent-p.rejected.Answered > time.Second {
				all = append(all, *p)
			}
		}
		clear(s.pairs)
		if len(all) >= 2*mostDroughts {
			all = longest(all)
		}
	}
	for i := range states {
		states[i] = drought{busy: math.MinInt64, pairs: make([]pair, len(h.Header.Lanes))}
	}
	for _, r := range h.Rows {
		s := &states[ring.possible[r.Lane]]
		group := h.Header.Lanes[r.Lane].Group
		if r.Outcome != limiter.Rejected || consume {
			close(s, r.Sent)
			s.busy = max(s.busy, decidedBy(r, h.Header.Groups[group].DecidedWithin))
			continue
		}
		p := &s.pairs[ring.certain[r.Lane]]
		if p.rejected.Answered == 0 {
			if h.own(r) && s.busy < r.Sent {
				p.rejected = r
			}
			continue
		}
		p.shown = r
	}
	for i := range states {
		close(&states[i], history.Never)
	}
	return longest(all)
}

// A drought is the state of everything that may share one key; its pairs are
// by what certainly does.
type drought struct {
	busy  time.Duration
	pairs []pair
}

func longest(all []pair) []pair {
	slices.SortStableFunc(all, func(a, b pair) int {
		return int(min(max((b.shown.Sent-b.rejected.Answered)-(a.shown.Sent-a.rejected.Answered), -1), 1))
	})
	return all[:min(len(all), mostDroughts)]
}
