package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// headerOf writes down what a run is about, so that its record can be judged
// without the plan. Groups that the plan leaves out are left out.
func headerOf(plan scenarios.Plan, target string, started time.Time) history.Header {
	h := history.Header{
		Run: plan.Run, Scenario: plan.Scenario.Name, Target: target, Started: started.UTC(),
		Seed: plan.Seed, Planned: plan.Requests(), Tool: "duckload " + version,
		Source: string(plan.Scenario.Masked()), File: fileOf(plan.Scenario),
	}
	place := map[int]int{}
	for _, lane := range plan.Lanes {
		if _, ok := place[lane.Group]; !ok {
			place[lane.Group] = len(h.Groups)
			h.Groups = append(h.Groups, groupOf(plan.Scenario, lane.Group))
		}
		source := ""
		if lane.Source.IsValid() {
			source = lane.Source.String()
		}
		l := history.Lane{Group: place[lane.Group], Identity: lane.Identity, Source: source, Trick: lane.Trick}
		if len(plan.Lanes) <= mostCurled {
			l.Curl = plan.Scenario.CurlIdentity(lane.Identity)
		}
		h.Lanes = append(h.Lanes, l)
	}
	for _, s := range plan.Stretches() {
		phase := history.Phase{Group: place[s.Group], Pace: s.Pace, Label: s.Label}
		if s.Pace == "hold" {
			phase.Rate = s.Rate
		}
		phase.Search = s.Search
		h.Phases = append(h.Phases, phase)
	}
	return h
}

// fileOf is the file that a scenario was read from; empty for a built-in one.
func fileOf(s *scenarios.Scenario) string {
	if strings.HasSuffix(s.Path, " (built in)") {
		return ""
	}
	return filepath.ToSlash(s.Path)
}

// mostCurled is for how many lanes a record says how to ask by hand.
const mostCurled = 1000

func groupOf(s *scenarios.Scenario, i int) history.Group {
	g := s.Groups[i]
	group := history.Group{
		Name: g.Name, Counter: s.Counter(i), Promise: g.Promise, Line: g.Line(),
		Exclusive: g.Exclusive, Fresh: g.Fresh, DecidedWithin: g.DecidedWithin,
	}
	for k, r := range g.Asks() {
		group.Requests = append(group.Requests, r.Method+" "+r.Path.String())
		options, path := s.Curl(i, k)
		group.Curl = append(group.Curl, history.Curl{Options: options, Path: path})
	}
	return group
}

// repromise replaces the promises of a record by those of a scenario. Groups
// are matched by name; each must be there.
func repromise(h *history.Header, s *scenarios.Scenario) error {
	for i := range h.Groups {
		g := &h.Groups[i]
		at := slices.IndexFunc(s.Groups, func(x scenarios.Group) bool { return x.Name == g.Name })
		if at < 0 {
			return usage(fmt.Errorf("%s: no group is called %q, which the record has", s.Path, g.Name))
		}
		g.Promise, g.Exclusive = s.Groups[at].Promise, s.Groups[at].Exclusive
		g.DecidedWithin, g.Line = s.Groups[at].DecidedWithin, s.Groups[at].Line()
	}
	h.File = fileOf(s)
	return nil
}

// trackViews is what progress shows of a plan.
func trackViews(plan scenarios.Plan) []trackView {
	var all []trackView
	for _, t := range plan.Tracks {
		view := trackView{name: t.Name}
		for _, phase := range t.Phases {
			view.phases = append(view.phases, phase.Label)
			view.length += phase.About
			if pace, ok := scenarios.PaceOf(phase); ok {
				view.requests += pace.Requests(phase)
			}
		}
		all = append(all, view)
	}
	return all
}
