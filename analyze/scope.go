package analyze

import (
	"fmt"
	"slices"
	"strings"

	"duckload/limiter"
)

var scopeCheck = Check{
	ID:       "scope",
	Question: "who shares one counter: per IP, per key, or everybody?",
	Doc: `The possible answers are compared as hypotheses: one counter for each sender (identity and address), for each source address, for
each identity, or for everybody. Each of them puts the senders together in its own way, and then the rules of limit.ceiling and limit.floor must
hold for each counter, and the documented window, if there is one alone, must explain it (limit.window).

It fails if the documented scope breaks one of the rules while another scope explains every answer of the run: finer than
documented, if a sender was admitted while the shared allowance was certainly used up; coarser than documented, if a sender was
rejected although its own requests cannot have used up the allowance. A rejection on a key that had certainly not been used at
all is enough alone. A sender in disguise (a forged X-Forwarded-For, another spelling of the path; compiled plans try both on
loopback) has the key that it has without: it fails if only the disguised requests break a rule. A disguise that is answered with neither an admission nor a rejection, such as a 404, is not tried again. It passes if the documented scope explains the run and every other scope that this run's senders could
tell apart from it does not. So a pass needs two senders at least, and one of them used up while the other one asks.

If every scope breaks a rule, the limit itself is not what is documented: see limit.ceiling and limit.floor. Then the scopes are
compared with token buckets of any rate and burst, and the question stays open if that does not tell them apart. Where others share the keys (exclusive: false) or records are lost, rejections say nothing, and only "finer" can be found.
Judged where all limits that are verified have one documented scope; else the scope is measured and shown, not judged.

Typical causes of failure: the address of a proxy instead of the client's; a header that the client may choose (X-Forwarded-For);
several servers, processes or paths that each count for themselves; an empty key that stands for everybody.`,
	Applies: func(p limiter.Promise) bool { return documentedScope(p) != limiter.ScopeUnknown },
	Judge:   judgeScope,
}

// documentedScope returns the scope of all limits that are verified; unknown
// if they differ.
func documentedScope(p limiter.Promise) limiter.Scope {
	scope, first := limiter.ScopeUnknown, true
	for _, l := range p.Limits {
		switch {
		case l.Unverified:
		case first:
			scope, first = l.Scope, false
		case l.Scope != scope:
			return limiter.ScopeUnknown
		}
	}
	return scope
}

func judgeScope(c *Case) []Finding {
	all := c.hypotheses(documentedScope(c.Promise))
	documented, others := &all[0], all[1:]
	tricks := c.disguises()
	if len(others) == 0 && len(tricks) == 0 {
		return []Finding{{Outcome: Inconclusive, Message: "all requests came from one sender, so nobody knows who shares its counter (give a second address with sources, or a second identity)"}}
	}
	c.test(documented, 0)
	if documented.over != nil {
		if f, found := c.gotRound(*documented, tricks); found {
			return []Finding{f}
		}
	}
	for i := range others {
		c.test(&others[i], 1)
	}
	if f, found := c.otherScope(*documented, others); found {
		return []Finding{f}
	}
	if !documented.explains() {
		if f, found := c.anyNumbers(*documented, others); found {
			return []Finding{f}
		}
		return []Finding{{Outcome: Inconclusive, Message: "the limit itself is not what is documented, whoever shares it (see limit.ceiling and limit.floor), and that hides who does"}}
	}
	var left []string
	for _, h := range others {
		if h.explains() {
			left = append(left, h.String())
		}
	}
	if len(left) > 0 {
		return []Finding{{Outcome: Inconclusive, Message: fmt.Sprintf("a counter %s explains the run, but so does one %s: %s", documented, either(left), c.wouldTell())}}
	}
	if len(others) == 0 {
		return []Finding{{Outcome: Inconclusive, Message: "all requests came from one sender, in disguise or not, so nobody knows who else shares its counter (give a second address with sources, or a second identity)"}}
	}
	if name := c.unplaced(); name != "" && documentedScope(c.Promise) != limiter.ScopeIP {
		return []Finding{{Outcome: Inconclusive, Message: fmt.Sprintf("a counter %s explains the run, but nobody knows by which address the target sees agent %s: it may share one with another agent", documented, name)}}
	}
	return []Finding{{Outcome: Pass, Message: fmt.Sprintf("only a counter %s explains the answers to %s%s", documented, c.senders(), c.givenUp(tricks))}}
}

// unplaced names an agent whose address nobody knows, where several sent; empty:
// there is none.
func (c *Case) unplaced() string {
	agents, unknown := map[string]bool{}, ""
	for _, i := range lanesOf(c.Header, c.Rows) {
		l := c.Header.Lanes[i]
		if agents[l.Agent] = true; unknown == "" && c.Header.AddressOf(l) == "" {
			unknown = l.Agent
		}
	}
	if len(agents) < 2 {
		return ""
	}
	return unknown
}

// givenUp names the disguises that the server did not understand: their answers
// say nothing about who shares a counter, so plans give them up at the first.
func (c *Case) givenUp(tricks []string) string {
	said, first := map[string]bool{}, map[string]Row{}
	for _, r := range c.Rows {
		switch trick := c.Header.Lanes[r.Lane].Trick; {
		case trick == "":
		case r.Outcome != limiter.Unknown:
			said[trick] = true
		default:
			if _, seen := first[trick]; !seen {
				first[trick] = r
			}
		}
	}
	var text strings.Builder
	for _, trick := range tricks {
		if r, tried := first[trick]; tried && !said[trick] {
			answer := "not answered"
			if status := c.Evidence([]Row{r})[0].Status; status != 0 {
				answer = fmt.Sprintf("answered %d", status)
			}
			fmt.Fprintf(&text, "; %s was %s, so it was not tried further", trick, answer)
		}
	}
	return text.String()
}

// gotRound returns the failure that a disguise gets round the limiter: the
// documented scope explains everything but what was sent in it.
func (c *Case) gotRound(documented hypothesis, tricks []string) (Finding, bool) {
	sets := [][]string{}
	for _, t := range tricks {
		sets = append(sets, []string{t})
	}
	if len(tricks) > 1 {
		sets = append(sets, tricks)
	}
	for _, set := range sets {
		h := hypothesis{tricks: set, key: documented.key}
		if c.test(&h, 1); h.explains() {
			f := documented.over.finding(c)
			f.Message = fmt.Sprintf("%s gets round the limit: %s; without what was sent so, a counter %s explains the run", list(set), f.Witness.Sentence, documented)
			return f, true
		}
	}
	return Finding{}, false
}

// wouldTell says what was missing.
func (c *Case) wouldTell() string {
	switch {
	case !c.Whole:
		return "part of the record is missing, so rejections say nothing"
	case !c.Header.Groups[c.Group].Exclusive:
		return "others share the keys (exclusive: false), so rejections say nothing"
	}
	return "use up one sender's allowance, and ask from another one meanwhile (leave pacing out)"
}

// senders names the lanes that sent something for the group.
func (c *Case) senders() string {
	var firsts []Row // of each lane
	seen := map[uint16]bool{}
	for _, r := range c.Rows {
		if c.Header.Lanes[r.Lane].Group == c.Group && !seen[r.Lane] {
			seen[r.Lane] = true
			firsts = append(firsts, r)
		}
	}
	return c.sendersOf(firsts)
}

// sendersOf names the lanes of some rows.
func (c *Case) sendersOf(rows []Row) string {
	var names []string
	seen := map[uint16]bool{}
	for _, r := range rows {
		if !seen[r.Lane] {
			seen[r.Lane] = true
			names = append(names, laneName(c.Header.Lanes[r.Lane]))
		}
	}
	slices.Sort(names)
	if len(names) > 3 {
		return fmt.Sprintf("%d senders", len(names))
	}
	return list(names)
}

// otherScope returns the failure that the documented scope is not the real
// one, if another one explains what it does not.
func (c *Case) otherScope(documented hypothesis, others []hypothesis) (Finding, bool) {
	for _, h := range others {
		if !h.explains() {
			continue
		}
		if documented.over != nil && h.keys > documented.keys {
			f := documented.over.finding(c)
			f.Message = fmt.Sprintf("finer than documented (%s): %s; one counter %s explains the run", documented, f.Witness.Sentence, h)
			return f, true
		}
		if documented.unfit {
			if f := c.window(windowed(c.Promise)[0]); f.Outcome == Fail {
				f.Message = fmt.Sprintf("%s than documented (%s): %s; one counter %s explains the run", coarserOr(documented, h), documented, f.Message, h)
				return f, true
			}
		}
		if len(documented.wrong) > 0 {
			f := documented.wrong[0].finding(c, len(documented.wrong))
			f.Message = fmt.Sprintf("%s than documented (%s): %s; one counter %s explains the run", coarserOr(documented, h), documented, f.Witness.Sentence, h)
			return f, true
		}
	}
	for _, w := range documented.wrong {
		if w.most > slack {
			continue
		}
		for _, h := range others {
			if h.keys < documented.keys && c.explainedUnder(h, w.row) {
				f := w.finding(c, 1)
				f.Message = fmt.Sprintf("coarser than documented (%s): %s; one counter %s would explain this", documented, f.Witness.Sentence, h)
				return f, true
			}
		}
	}
	return Finding{}, false
}

// anyNumbers compares the scopes where the limit itself is not what is
// documented: with a token bucket of any rate and burst. It fails if the
// documented scope has none that explains the run and another one has, and
// passes if it alone has one.
func (c *Case) anyNumbers(documented hypothesis, others []hypothesis) (Finding, bool) {
	if limits := c.Promise.Limits; len(limits) != 1 || limits[0].Reading != limiter.TokenBucket || !c.refutable() || len(c.Rows) > fewRows {
		return Finding{}, false
	}
	var left []string
	for _, h := range others {
		if empty, known := c.noBucket(h); !known {
			return Finding{}, false
		} else if !empty {
			left = append(left, h.String())
		}
	}
	empty, _ := c.noBucket(documented)
	switch {
	case !empty && len(left) == 0:
		return Finding{Outcome: Pass, Message: fmt.Sprintf("the limit is not what is documented, but whatever it is, only a counter %s explains the answers to %s", documented, c.senders())}, true
	case empty && len(left) > 0 && len(documented.wrong) > 0:
		f := documented.wrong[0].finding(c, len(documented.wrong))
		f.Message = fmt.Sprintf("no token bucket %s explains the run, but one %s does: %s", documented, either(left), f.Witness.Sentence)
		return f, true
	}
	return Finding{}, false
}

// noBucket reports whether no token bucket explains the run under a
// hypothesis, if that can be asked.
func (c *Case) noBucket(h hypothesis) (empty, known bool) {
	for _, s := range h.scopes {
		if s != limiter.ScopeUnknown {
			l := c.Promise.Limits[0]
			l.Scope = s
			return c.alone(l).fit(l).region.empty, true
		}
	}
	return false, false
}

func coarserOr(documented, h hypothesis) string {
	switch {
	case h.keys < documented.keys:
		return "coarser"
	case h.keys > documented.keys:
		return "finer"
	}
	return "other"
}

// explainedUnder reports whether a hypothesis explains one rejection.
func (c *Case) explainedUnder(h hypothesis, r Row) bool {
	wrong, _ := c.wrongUnder(c.keysUnder(h), 0)
	return !slices.ContainsFunc(wrong, func(w wrongful) bool { return w.row.Ordinal == r.Ordinal })
}

// examinable is how many rows are looked at again and again for what is
// measured beside the verdicts.
const examinable = 200_000

const unknownScope = "unknown"

func (c *Case) tooMany() bool { return len(c.Rows) > examinable }

// measuredScope returns who shares a counter, as far as the run shows it at
// the documented limits: "ip", "key", "global" or "unknown".
func (c *Case) measuredScope() string {
	if c.tooMany() {
		return unknownScope
	}
	documented := documentedScope(c.Promise)
	all := c.tested()
	if len(all) < 2 {
		return unknownScope
	}
	var left []hypothesis
	for _, h := range all {
		if h.explains() {
			left = append(left, h)
		}
	}
	if len(left) != 1 {
		return unknownScope
	}
	if h := left[0]; h.keys == 1 && documented == limiter.ScopeUnknown {
		return string(limiter.ScopeGlobal) // nobody has shown a counter of his own
	} else if len(h.scopes) > 0 {
		named := slices.DeleteFunc(slices.Clone(h.scopes), func(s limiter.Scope) bool { return s == limiter.ScopeUnknown })
		switch {
		case documented != limiter.ScopeUnknown && h.has(documented):
			return string(documented)
		case len(named) == 1:
			return string(named[0])
		case h.keys == 1 && len(named) > 0:
			return string(limiter.ScopeGlobal)
		}
	}
	return unknownScope
}

// tested returns the ways to put the senders together, the documented one
// first, each with the first thing that breaks it.
func (c *Case) tested() []hypothesis {
	if c.put == nil {
		c.put = c.hypotheses(documentedScope(c.Promise))
		for i := range c.put {
			if len(c.put) > 1 {
				c.test(&c.put[i], 1)
			}
		}
	}
	return c.put
}
