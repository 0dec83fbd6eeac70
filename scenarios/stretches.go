package scenarios

import "time"

// Requests returns the most requests that the plan sends.
func (p Plan) Requests() int {
	n := 0
	for _, track := range p.Tracks {
		for _, phase := range track.Phases {
			if pace, ok := PaceOf(phase); ok {
				n += pace.Requests(phase)
			}
		}
	}
	return n
}

// Likely returns how many requests the plan sends if the promises are kept.
func (p Plan) Likely() int {
	n := 0
	for _, track := range p.Tracks {
		for _, phase := range track.Phases {
			n += phase.Likely
		}
	}
	return n
}

// Duration returns about how long the plan takes if the promises are kept.
func (p Plan) Duration() time.Duration {
	var longest time.Duration
	for _, track := range p.Tracks {
		var length time.Duration
		for _, phase := range track.Phases {
			length += phase.About
		}
		longest = max(longest, length)
	}
	return longest
}

// A Stretch is a phase with its place in a plan.
type Stretch struct {
	Phase
	Track int // index into Plan.Tracks
	Index int // index into the track's phases
	Group int // index into Scenario.Groups
}

// Stretches returns the phases of all tracks in one list, as a record numbers
// them.
func (p Plan) Stretches() []Stretch {
	var all []Stretch
	for t, track := range p.Tracks {
		for i, phase := range track.Phases {
			all = append(all, Stretch{Phase: phase, Track: t, Index: i, Group: p.Lanes[phase.Lanes[0]].Group})
		}
	}
	return all
}
