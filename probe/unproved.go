package probe

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"duckload/limiter"
)

// shut returns how long after the first refusal one client was refused all the
// time, until the end of what it asked; 0: it was admitted again.
func (r Result) shut() time.Duration {
	first := slices.IndexFunc(r.Seen, func(a Answer) bool { return a.Outcome == limiter.Rejected })
	if first < 0 {
		return 0
	}
	var last time.Duration
	for _, a := range r.Seen[first:] {
		if a.Key != r.Seen[first].Key {
			continue
		}
		if a.Sent > r.Seen[first].Answered && a.Outcome != limiter.Rejected {
			return 0
		}
		last = a.Sent
	}
	return max(0, last-r.Seen[first].Answered)
}

// saidWords tells what headers say of a limit, where they say the same all the
// time.
func (r Result) saidWords() []string {
	var names, said []string
	values := map[string]string{}
	for _, a := range r.Seen {
		for _, f := range a.Evidence {
			have, seen := values[f.Name]
			switch {
			case !speaks(f.Name):
			case !seen:
				names, values[f.Name] = append(names, f.Name), f.Value
			case have != f.Value:
				values[f.Name] = "" // it changes: what is left, or a moment
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if v := values[name]; v != "" && len(v) < 80 && len(said) < 4 {
			said = append(said, name+": "+v)
		}
	}
	if len(said) == 0 {
		return nil
	}
	return []string{"the target claims, and nothing of it was believed: " + strings.Join(said, ", ")}
}

// aloneWords says what one client alone cannot tell.
func (r Result) aloneWords() []string {
	if slices.ContainsFunc(r.Scopes, func(s Scope) bool { return s.Way == WayAddress || s.Way == WayKey }) {
		return nil
	}
	all := []string{"who shares the counter is not known: there was one address and one key to ask with (--sources, --header-values)"}
	if len(r.Answers) == 1 && slices.ContainsFunc(r.Answers[0].Variants, func(v string) bool { return strings.Contains(v, "the same") }) {
		all = append(all, "whether windows begin at the same moments for everybody, or for each client at its own, one client cannot tell")
	}
	if r.Limited && !r.Unique() {
		all = append(all, "one client has to wait for itself after each experiment: more of them tell more in the same time")
	}
	return all
}

// Service returns how long an admitted request takes the server, by the
// quickest answer less the quickest refusal; 0: no refusal came before it.
func (r Result) Service() time.Duration {
	var admitted, refused time.Duration
	for _, a := range r.Seen {
		took := a.Answered - a.Sent
		switch {
		case a.Outcome == limiter.Admitted && (admitted == 0 || took < admitted):
			admitted = took
		case a.Outcome == limiter.Rejected && (refused == 0 || took < refused):
			refused = took
		}
	}
	if refused == 0 {
		return 0
	}
	return max(0, admitted-refused)
}

// sure is how much of the quickest service a scenario counts on: the next one
// may be quicker.
const sure = 0.8

// A Near is the family that comes nearest to what was seen where none explains
// it: it would, if decisions could lie so long before their requests were sent.
type Near struct {
	Family Found
	Slack  time.Duration
}

// slacks are what is tried, the smallest first.
var slacks = []time.Duration{20e6, 50e6, 100e6, 200e6, 500e6, 1e9, 2e9, 5e9}

// nearest looks for the family that needs the smallest slack; nil: even the
// longest helps none.
func nearest(seen []Seen, clock time.Duration) *Near {
	for _, slack := range slacks {
		facts := FactsOf(seen, clock+slack)
		for _, f := range Families {
			if boxes := f.narrow(facts, []box{f.whole(facts)}, usual); len(boxes) > 0 {
				n := &Near{Slack: slack}
				n.Family.absorb(&hypothesis{Family: f, boxes: boxes})
				return n
			}
		}
	}
	return nil
}

func (r Result) nearWords() string {
	if r.Near == nil {
		return "no family comes near: none explains it even if decisions lay seconds outside of their requests"
	}
	return fmt.Sprintf("nearest comes %s: it would explain everything if decisions could lie %s before their requests were sent", r.Near.Family.words(), r.Near.Slack)
}
