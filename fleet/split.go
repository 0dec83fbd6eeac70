package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// Split returns what each of n agents sends of a plan. It is a function of the
// plan alone, so agents that hold the same plan need not talk about it, and the
// parts together are the plan: each of its requests once, at the same moment,
// with the same number in its lane.
//
// What a lane sends that belongs to an agent goes to that one. Any other track goes whole to
// one agent if it has phases that react to answers, or if one of its limits
// counts addresses, or may do so: agents have addresses of their own, and what
// is meant for one counter must meet one. The requests of what remains are
// dealt out.
func Split(plan scenarios.Plan, n int) []scenarios.Plan {
	owners := owners(plan, n)
	parts := make([]scenarios.Plan, n)
	for i := range parts {
		parts[i] = plan.Part(i, n, func(track int) int { return owners[track] })
	}
	return parts
}

// Parts says what each agent may send something of, as the header of a record
// numbers the groups of a plan.
func Parts(plan scenarios.Plan, header history.Header, agents []string) []history.Part {
	var all []history.Part
	for i, part := range Split(plan, len(agents)) {
		p := history.Part{Agent: agents[i], Groups: []int{}}
		for _, lane := range sending(part) {
			if g := header.Lanes[lane].Group; !slices.Contains(p.Groups, g) {
				p.Groups = append(p.Groups, g)
			}
		}
		all = append(all, p)
	}
	return all
}

// owners returns which agent plays each track alone; -1: all of them do. The
// largest come first, each to the agent that has the fewest requests so far.
func owners(plan scenarios.Plan, n int) []int {
	all := make([]int, len(plan.Tracks))
	var whole []int
	size := make([]int, len(plan.Tracks))
	load := make([]int, n)
	for i, t := range plan.Tracks {
		all[i] = -1
		for _, p := range t.Phases {
			size[i] += p.Likely
		}
		switch agent := agentOf(plan, t); {
		case agent > 0:
			all[i] = (agent - 1) % n
			load[all[i]] += max(1, size[i])
		case agent == 0 && (n == 1 || indivisible(plan, t)):
			whole = append(whole, i)
		}
	}
	slices.SortStableFunc(whole, func(a, b int) int { return size[b] - size[a] })
	for _, i := range whole {
		least := 0
		for k := range load {
			if load[k] < load[least] {
				least = k
			}
		}
		all[i] = least
		load[least] += max(1, size[i])
	}
	return all
}

// agentOf returns the agent whose lanes a track sends from, counted from 1; 0:
// they are nobody's; -1: they are of several.
func agentOf(plan scenarios.Plan, t scenarios.Track) int {
	one := 0
	for _, p := range t.Phases {
		for _, lane := range p.Lanes {
			switch agent := plan.Lanes[lane].Agent; {
			case one == 0:
				one = agent
			case agent != one:
				return -1
			}
		}
	}
	return one
}

// indivisible reports whether one agent must play a track.
func indivisible(plan scenarios.Plan, t scenarios.Track) bool {
	return slices.ContainsFunc(t.Phases, func(p scenarios.Phase) bool {
		pace, ok := scenarios.PaceOf(p)
		if !ok || pace.Next != nil {
			return true
		}
		limits := plan.Scenario.Groups[plan.Lanes[p.Lanes[0]].Group].Promise.Limits
		return slices.ContainsFunc(limits, func(l limiter.Limit) bool {
			return !l.Unverified && l.Scope != limiter.ScopeKey && l.Scope != limiter.ScopeGlobal
		})
	})
}

// PlanDigest names a plan: two that have the same digest send the same
// requests at the same moments. Agents compare it, because another version of
// duckload may compile the same scenario to another plan.
func PlanDigest(plan scenarios.Plan) string {
	text, err := json.Marshal(plan)
	if err != nil {
		panic(err) // numbers and strings
	}
	sum := sha256.Sum256(fmt.Appendf(text, "\n%s", plan.Scenario.Masked()))
	return hex.EncodeToString(sum[:16])
}
