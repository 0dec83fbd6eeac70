package scenarios

import (
	"slices"
	"strconv"
)

// A Capture is a value to keep of an answer, for ${capture.NAME} in the
// requests that follow. It is a secret.
type Capture struct {
	Name   string
	JSON   string // path in a JSON body, dots between the names; a number is a place in a list
	Header string // or the name of a header
}

// An Errand is what is done once for an identity of a group: its setup before
// the run, its teardown after it. Its requests are no observations.
type Errand struct {
	Group    int    // index into Scenario.Groups
	Identity string // empty: none
	Lane     int    // that sends them
	Lanes    []int  // that use what is captured
}

// Errands returns the errands of the lanes that the plan sends from, for
// groups that have a setup or a teardown.
func (p Plan) Errands() []Errand {
	used := make([]bool, len(p.Lanes))
	for _, track := range p.Tracks {
		for _, phase := range track.Phases {
			for _, lane := range phase.Senders() {
				used[lane] = true
			}
		}
	}
	type owner struct {
		group    int
		identity string
	}
	places := map[owner]int{}
	var all []Errand
	for i, l := range p.Lanes {
		if g := p.Scenario.Groups[l.Group]; !used[i] || len(g.Setup)+len(g.Teardown) == 0 || g.Promise.Turned(l.Identity) {
			continue
		}
		at, ok := places[owner{l.Group, l.Identity}]
		if !ok {
			at = len(all)
			places[owner{l.Group, l.Identity}] = at
			all = append(all, Errand{Group: l.Group, Identity: l.Identity, Lane: i})
		}
		all[at].Lanes = append(all[at].Lanes, i)
	}
	return all
}

// ErrandRequests returns how many requests setup and teardown send.
func (p Plan) ErrandRequests() int {
	n := 0
	for _, e := range p.Errands() {
		n += len(p.Scenario.Groups[e.Group].Setup) + len(p.Scenario.Groups[e.Group].Teardown)
	}
	return n
}

// SetupMessage returns request i of the setup of an errand.
func (p Plan) SetupMessage(e Errand, i int, captured map[string]string) Message {
	return p.errand(e, p.Scenario.Groups[e.Group].Setup[i], "setup", i, captured)
}

// TeardownMessage returns request i of the teardown of an errand.
func (p Plan) TeardownMessage(e Errand, i int, captured map[string]string) Message {
	return p.errand(e, p.Scenario.Groups[e.Group].Teardown[i], "teardown", i, captured)
}

// TeardownNeeds returns the names of the captured values without which request
// i of the teardown of an errand means something else.
func (p Plan) TeardownNeeds(e Errand, i int) []string {
	q := p.Scenario.Groups[e.Group].Teardown[i]
	names := append(q.Path.captures(), q.Body.captures()...)
	for _, pair := range slices.Concat(q.Headers, q.Query) {
		names = append(names, pair.Value.captures()...)
	}
	return names
}

func (p Plan) errand(e Errand, q Request, what string, i int, captured map[string]string) Message {
	name := p.Scenario.Groups[e.Group].Name + "/" + e.Identity + "/" + what + "/" + strconv.Itoa(i)
	if p.agent > 0 { // every agent sets up for itself
		name += "/agent " + strconv.Itoa(p.agent)
	}
	m := p.spelled(q, e.Identity, filling{run: p.Run, group: name, captured: captured})
	m.Request = i
	return m
}
