package scenarios

import (
	"time"
)

// A Description is what a plan would do, for people to read before it does.
type Description struct {
	Requests  int           `json:"requests"` // at most
	Likely    int           `json:"likely"`   // if the promises are kept
	Duration  time.Duration `json:"duration"` // about
	Creates   []Creation    `json:"creates,omitempty"`
	Steps     []Step        `json:"steps"`
	Abilities []Ability     `json:"abilities"`
}

// A Creation is what requests leave on the target.
type Creation struct {
	What   string `json:"what"` // "account"
	Most   int    `json:"most"`
	Likely int    `json:"likely"` // if the promises are kept
}

// A Step is one phase as a person plans it.
type Step struct {
	Group      string        `json:"group"`
	Label      string        `json:"label"`
	Why        string        `json:"why,omitempty"`
	From       time.Duration `json:"from"`       // about, since the start of the run
	Takes      time.Duration `json:"takes"`      // about
	Requests   int           `json:"requests"`   // at most
	Likely     int           `json:"likely"`     // if the promise is kept
	Rejections int           `json:"rejections"` // of the likely ones
	Creates    []Creation    `json:"creates,omitempty"`
}

// Describe says what a plan would send, how long it takes, what it creates on
// the target, and what it can decide at a round trip (0: 15 ms). Numbers are
// bounds: answers decide how many reactive phases really send.
func Describe(p Plan, trip time.Duration) Description {
	if trip <= 0 {
		trip = assumedTrip
	}
	d := Description{Requests: p.Requests(), Likely: p.Likely(), Duration: p.Duration()}
	for _, track := range p.Tracks {
		var from time.Duration
		for _, phase := range track.Phases {
			pace, _ := PaceOf(phase)
			g := p.Scenario.Groups[p.Lanes[phase.Lanes[0]].Group]
			n := pace.Requests(phase)
			step := Step{
				Group: g.Name, Label: phase.Label, Why: phase.Why, From: from, Takes: phase.About,
				Requests: n, Likely: phase.Likely, Rejections: phase.Rejections, Creates: g.creates(n, phase.Likely-phase.Rejections),
			}
			from += phase.About
			d.Steps = append(d.Steps, step)
			d.Creates = sum(d.Creates, step.Creates)
		}
	}
	phases := make([][]Phase, len(p.Scenario.Groups))
	for _, s := range p.Stretches() {
		phases[s.Group] = append(phases[s.Group], s.Phase)
	}
	for i, g := range p.Scenario.Groups {
		d.Abilities = append(d.Abilities, abilities(g, phases[i], trip)...)
	}
	return d
}

// creates returns what numbers of admitted requests leave on the target.
func (g Group) creates(most, likely int) []Creation {
	var all []Creation
	total := 0
	for _, q := range g.Requests {
		total += q.Weight
	}
	for _, q := range g.Requests {
		if q.Creates != "" && most > 0 {
			share := func(n int) int { return (n*q.Weight + total - 1) / total }
			all = sum(all, []Creation{{q.Creates, share(most), share(likely)}})
		}
	}
	return all
}

func sum(all, more []Creation) []Creation {
next:
	for _, m := range more {
		for i := range all {
			if all[i].What == m.What {
				all[i].Most += m.Most
				all[i].Likely += m.Likely
				continue next
			}
		}
		all = append(all, m)
	}
	return all
}
