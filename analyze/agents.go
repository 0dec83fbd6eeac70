package analyze

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// together brings a counter's rows to one axis of time, where several agents
// sent them: each interval grows by the bound of its agent's clock at both
// ends, so that the decision lies inside it by every agent's clock. All that
// checks conclude from an interval they conclude from its containing the
// decision, so what they find certain stays certain. Rows of one agent alone
// stay as its clock measured them; so do those of one that sent nearly all of
// them, whose clock then is the axis.
func (c *counter) together(h *history.History) {
	agents := c.agents(&h.Header)
	if len(agents) == 0 {
		return
	}
	if len(agents) > 1 {
		c.refused = refusal(&h.Header, agents, c.rows)
	}
	if c.refused != "" {
		return
	}
	of := make([]*history.Agent, len(h.Header.Lanes))
	for i, l := range h.Header.Lanes {
		of[i] = agents[l.Agent]
	}
	main := mainly(c.rows, of)
	c.origin = begun(agents, main)
	for i := range c.rows {
		r := &c.rows[i]
		a := of[r.Lane]
		if a == main {
			r.move(-c.origin, -c.origin)
			continue
		}
		early, _ := a.On(r.Sent)
		_, late := a.On(r.Answered)
		c.apart = max(c.apart, 2*a.Bound)
		if main != nil {
			early, _ = main.Local(early)
			_, late = main.Local(late)
			c.apart = max(c.apart, 2*(a.Bound+main.Bound))
		}
		r.move(early-r.Sent-c.origin, late-r.Answered-c.origin)
	}
	if len(agents) == 1 {
		return // in order already
	}
	if main == nil {
		c.blur = c.apart
	}
	slices.SortFunc(c.rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Ordinal, b.Ordinal))
	})
}

// mainly returns the agent that sent nearly all of some rows; nil: none did.
func mainly(rows []Row, of []*history.Agent) *history.Agent {
	sent := map[*history.Agent]int{}
	for i := range rows {
		a := of[rows[i].Lane]
		if sent[a]++; 4*sent[a] > 3*len(rows) {
			return a
		}
	}
	return nil
}

// move moves both ends of the interval. An answer that never came stays away.
func (r *Row) move(sent, answered time.Duration) {
	r.Sent += sent
	if r.Answered != history.Never {
		r.Answered += answered
	}
}

// begun returns the moment from which on nobody but us can have used a key that
// is ours during the run: when the first of a counter's agents began, by the
// latest that the clocks leave open. It is one of main's clock, or of the common
// axis if there is no main. Rules count from it, so a request of another agent
// may come before it, as it may after a limiter's clock has stepped.
func begun(agents map[string]*history.Agent, main *history.Agent) time.Duration {
	first := time.Duration(math.MaxInt64)
	for _, a := range agents {
		at := a.Start
		if a != main {
			at += a.Bound
		}
		if a != main && main != nil {
			_, at = main.Local(at)
		}
		first = min(first, at)
	}
	return first
}

// agents returns the agents that sent a counter's rows, by name.
func (c *counter) agents(h *history.Header) map[string]*history.Agent {
	if len(h.Agents) == 0 {
		return nil
	}
	sent := make([]bool, len(h.Lanes))
	for i := range c.rows {
		sent[c.rows[i].Lane] = true
	}
	all := map[string]*history.Agent{}
	for i, l := range h.Lanes {
		if !sent[i] {
			continue
		}
		all[l.Agent] = &history.Agent{Name: l.Agent, Unbounded: "the record does not know this agent"}
		for k := range h.Agents {
			if h.Agents[k].Name == l.Agent {
				all[l.Agent] = &h.Agents[k]
			}
		}
	}
	return all
}

// refusal says why nothing can be concluded from what several agents sent;
// empty: it can.
func refusal(h *history.Header, agents map[string]*history.Agent, rows []Row) string {
	names := slices.Sorted(maps.Keys(agents))
	for _, name := range names {
		if why := agents[name].Unbounded; why != "" {
			return fmt.Sprintf("agents %s counted on one counter, but the moments of agent %s cannot be set beside the others': %s", list(names), name, why)
		}
	}
	if !perAddress(h, rows) {
		return ""
	}
	owner := map[string]string{}
	for _, i := range lanesOf(h, rows) {
		l := h.Lanes[i]
		at := h.AddressOf(l)
		switch had, known := owner[at]; {
		case at == "":
			return fmt.Sprintf("the limit counts addresses, and nobody knows by which one the target sees agent %s (give each agent its public address, or one agent alone the group)", l.Agent)
		case known && had != l.Agent:
			return fmt.Sprintf("the limit counts addresses, and agents %s and %s share one (%s): nothing can be said about either", min(had, l.Agent), max(had, l.Agent), at)
		}
		owner[at] = l.Agent
	}
	return ""
}

// lanesOf returns the lanes of some rows, in order.
func lanesOf(h *history.Header, rows []Row) []int {
	sent := make([]bool, len(h.Lanes))
	for i := range rows {
		sent[rows[i].Lane] = true
	}
	var all []int
	for i, yes := range sent {
		if yes {
			all = append(all, i)
		}
	}
	return all
}

// perAddress reports whether a limit that is verified counts addresses.
func perAddress(h *history.Header, rows []Row) bool {
	return slices.ContainsFunc(lanesOf(h, rows), func(i int) bool {
		return slices.ContainsFunc(h.Groups[h.Lanes[i].Group].Promise.Limits, func(l limiter.Limit) bool {
			return !l.Unverified && l.Scope == limiter.ScopeIP
		})
	})
}

// since returns the evidence with moments counted from another one.
func (e Evidence) since(origin time.Duration) Evidence {
	e.Sent -= origin
	if e.Answered != history.Never {
		e.Answered -= origin
	}
	return e
}

// who returns the agents of a run, each with what is missing of it.
func (j *judgement) who() []Agent {
	var all []Agent
	h := &j.history.Header
	agents := slices.Clone(h.Agents)
	for _, name := range h.Roster {
		if !slices.ContainsFunc(agents, func(a history.Agent) bool { return a.Name == name }) {
			agents = append(agents, history.Agent{Name: name, Unbounded: "it left no record"})
		}
	}
	for _, a := range agents {
		one := Agent{Name: a.Name, Address: a.Address, Requests: j.agents[a.Name], Bound: a.Bound, Unbounded: a.Unbounded}
		for _, m := range j.history.Missing {
			if gap, mine := strings.CutPrefix(m, a.Name+": "); mine {
				one.Gaps = append(one.Gaps, gap)
			}
		}
		all = append(all, one)
	}
	return all
}
