package analyze

import (
	"slices"

	"duckload/history"
	"duckload/limiter"
)

// A hypothesis is one way to put the senders of a run together. Scopes that
// do so in the same way cannot be told apart by the run.
type hypothesis struct {
	scopes []limiter.Scope // ScopeUnknown: each sender alone
	tricks []string        // disguises that get round the limiter: what was sent in them says nothing
	key    []int           // by lane
	keys   int             // how many
	over   *overrun        // a ceiling that it breaks
	wrong  []wrongful      // rejections that it does not explain; one is enough where it is not the documented one
	unfit  bool            // no window of the documented length explains the run
}

// An overrun is a key on which the rules of a limit are broken. How, takes much
// more memory to say than whether, so that is left to who wants to know.
type overrun struct {
	limit limiter.Limit
	rules []rule
	key   strand
}

// overrun returns that the rules of a limit are broken on a key; nil if they
// are not.
func (s strand) overrun(l limiter.Limit, rules []rule) *overrun {
	if !s.exceeds(rules) {
		return nil
	}
	return &overrun{l, rules, s}
}

// proof returns a stretch that breaks one of the rules.
func (o *overrun) proof() (spans, rule, excess) {
	spans := o.key.spans(func(r *Row) bool { return isAdmitted(*r) })
	for _, r := range o.rules {
		if x, found := spans.exceed(r); found {
			return spans, r, x
		}
	}
	panic("analyze: a ceiling is broken and nothing breaks it") // both ways to look count the same
}

// finding is the failure, with its witness.
func (o *overrun) finding(c *Case) Finding {
	spans, rule, x := o.proof()
	return x.finding(c, o.limit, spans, rule)
}

func (h hypothesis) explains() bool { return h.over == nil && len(h.wrong) == 0 && !h.unfit }

func (h hypothesis) has(s limiter.Scope) bool { return slices.Contains(h.scopes, s) }

// String returns "per ip", "per key or for everybody".
func (h hypothesis) String() string {
	var all []string
	for _, s := range h.scopes {
		switch s {
		case limiter.ScopeUnknown:
			if len(h.scopes) == 1 {
				return "for each sender alone"
			}
		case limiter.ScopeGlobal:
			all = append(all, "for everybody")
		default:
			all = append(all, "per "+string(s))
		}
	}
	return either(all)
}

// hypotheses returns the ways in which the lanes that sent something can be
// put together, the documented one first. Disguises put nobody apart.
func (c *Case) hypotheses(documented limiter.Scope) []hypothesis {
	sent := c.active()
	var all []hypothesis
	for _, s := range []limiter.Scope{documented, limiter.ScopeIP, limiter.ScopeKey, limiter.ScopeGlobal, limiter.ScopeUnknown} {
		key := undisguised(c.Header, s)
		at := slices.IndexFunc(all, func(h hypothesis) bool { return samePartition(h.key, key, sent) })
		switch {
		case at < 0:
			all = append(all, hypothesis{scopes: []limiter.Scope{s}, key: key, keys: partsOf(key, sent)})
		case !all[at].has(s):
			all[at].scopes = append(all[at].scopes, s)
		}
	}
	return all
}

// active tells for each lane whether it sent anything.
func (c *Case) active() []bool {
	sent := make([]bool, len(c.Header.Lanes))
	for _, r := range c.Rows {
		sent[r.Lane] = true
	}
	return sent
}

// undisguised numbers the lanes by their keys. Without a scope, each identity
// at each address is alone.
func undisguised(header *history.Header, s limiter.Scope) []int {
	key := keys(header, []limiter.Limit{{Scope: s}}).certain
	if s != limiter.ScopeUnknown {
		return key
	}
	first := map[history.Lane]int{}
	for i, l := range header.Lanes {
		// No server tells two agents apart that ask from one address.
		l.Trick, l.Agent, l.Source = "", "", sourceOf(header, l)
		if _, ok := first[l]; !ok {
			first[l] = i
		}
		key[i] = first[l]
	}
	return key
}

// disguises are the tricks of the lanes that sent something.
func (c *Case) disguises() []string {
	var all []string
	for i, sent := range c.active() {
		if t := c.Header.Lanes[i].Trick; sent && t != "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// samePartition reports whether two numberings put the same lanes together.
func samePartition(a, b []int, sent []bool) bool {
	there, back := map[int]int{}, map[int]int{}
	for i := range a {
		if !sent[i] {
			continue
		}
		x, seen := there[a[i]]
		y, also := back[b[i]]
		if seen != also || seen && (x != b[i] || y != a[i]) {
			return false
		}
		there[a[i]], back[b[i]] = b[i], a[i]
	}
	return true
}

func partsOf(key []int, sent []bool) int {
	parts := map[int]bool{}
	for i, k := range key {
		if sent[i] {
			parts[k] = true
		}
	}
	return len(parts)
}

// test finds what breaks a hypothesis. Rejections prove something only where
// nobody else can have caused them.
func (c *Case) test(h *hypothesis, enough int) {
	if len(h.tricks) > 0 {
		honest := *c
		honest.Rows = slices.DeleteFunc(slices.Clone(c.Rows), func(r Row) bool { return slices.Contains(h.tricks, c.Header.Lanes[r.Lane].Trick) })
		c = &honest
	}
	c.overrun(h)
	if c.Header.Groups[c.Group].Exclusive && c.Whole {
		h.wrong = c.wrongFor(*h, enough)
	}
	h.unfit = h.over == nil && len(h.wrong) == 0 && !c.fitsUnder(*h)
}

// overrun finds a ceiling that a hypothesis breaks.
func (c *Case) overrun(h *hypothesis) {
	for _, l := range c.Promise.Limits {
		if l.Unverified || h.over != nil {
			continue
		}
		for _, v := range c.covers(l) {
			for _, key := range c.strands(h.key, l, v.reach) {
				if h.over == nil {
					h.over = key.overrun(l, v.rules)
				}
			}
		}
	}
}

// fitsUnder reports whether windows of the documented length may explain the
// run under a hypothesis: what limit.window asks under the documented scope. It
// is asked where one limit, and nothing else, can have rejected a request.
func (c *Case) fitsUnder(h hypothesis) bool {
	limits := windowed(c.Promise)
	if len(limits) != 1 || len(c.Promise.Limits) != 1 || limits[0].Reading == limiter.Open || !c.refutable() || c.tooMany() {
		return true
	}
	l := limits[0]
	all := c.trafficOn(keyring{certain: h.key, possible: h.key}, l)
	return slices.ContainsFunc(familiesOf(l.Reading), func(f family) bool {
		return f.fitAll(all, holdingOf(l)).holds(float64(l.Window), l.Tolerance)
	})
}

// wrongFor returns the rejections that a hypothesis does not explain. What
// limit.floor found already is not looked for again.
func (c *Case) wrongFor(h hypothesis, enough int) []wrongful {
	key := c.keysUnder(h)
	if enough == 0 && slices.EqualFunc(key, c.possibleKeys(), slices.Equal) {
		wrong, _ := c.wronglyRejected()
		return wrong
	}
	wrong, _ := c.wrongUnder(key, enough)
	return wrong
}

// keysUnder returns for each limit which lanes may share a key of it. A limit
// that is not verified keeps its own scope, which may be another one.
func (c *Case) keysUnder(h hypothesis) [][]int {
	all := c.possibleKeys()
	for i, l := range c.Promise.Limits {
		if !l.Unverified {
			all[i] = h.key
		}
	}
	return all
}
