package scenarios

import (
	"slices"
	"time"
)

// A share says which requests of a phase one of several agents sends.
type share struct {
	// own are the numbers of the phase's requests that are this agent's, among
	// the first period of them, in rising order: one of each lane. They repeat
	// with every period.
	own    []int
	period int
}

// elsewhere is the share of an agent that sends nothing of a phase.
var elsewhere = &share{period: 1}

// A turn says which requests of a lane are an agent's: first, and each step
// after it.
type turn struct{ first, step uint64 }

// Part returns what one of several agents sends of a plan, counted from 0. All
// agents' parts together are the plan: every request of it once, at the same
// moment, with the same number. The lanes, the tracks and the numbers of phases
// stay as they are.
//
// A track whose owner is an agent is played by that one alone, as one with
// reactive phases must be. If it is negative, the requests of the track are
// dealt out: those of a lane that belongs to an agent to that one, of any other
// request k of lane l to agent (k+l) mod agents. That asks for nobody's leave
// during the run.
func (p Plan) Part(agent, agents int, owner func(track int) int) Plan {
	all := p
	all.Tracks = slices.Clone(p.Tracks)
	all.agent = agent
	all.turns = make([]turn, len(p.Lanes))
	for i := range all.turns {
		all.turns[i].step = 1
	}
	for t := range all.Tracks {
		track := &all.Tracks[t]
		track.Phases = slices.Clone(track.Phases)
		switch o := owner(t); {
		case o == agent:
		case o >= 0:
			for i := range track.Phases {
				track.Phases[i] = track.Phases[i].shared(elsewhere)
			}
		default:
			all.deal(track.Phases, agent, agents)
		}
	}
	return all
}

// deal takes an agent's share of the phases of a track, all of them static.
func (p *Plan) deal(phases []Phase, agent, agents int) {
	sent := map[int]int{} // by lane, in the phases before
	for i, phase := range phases {
		pace, _ := PaceOf(phase)
		lanes := len(phase.Lanes)
		if p.Lanes[phase.Lanes[0]].Agent > 0 {
			phases[i] = phase.shared(p.pinned(phase, agent))
			continue
		}
		s := &share{period: lanes * agents}
		for place, lane := range phase.Lanes {
			round := mod(agent-lane-sent[lane], agents) // of the lanes, in which it is the agent's turn
			s.own = append(s.own, round*lanes+place)
			first := mod(agent-lane, agents)
			p.turns[lane] = turn{uint64(first), uint64(agents)}
		}
		slices.Sort(s.own)
		requests := pace.Requests(phase)
		for place, lane := range phase.Lanes {
			sent[lane] += (requests - place + lanes - 1) / lanes
		}
		phases[i] = phase.shared(s)
	}
}

// pinned is an agent's share of a phase whose lanes belong to agents.
func (p *Plan) pinned(phase Phase, agent int) *share {
	s := &share{period: len(phase.Lanes)}
	for place, lane := range phase.Lanes {
		if p.Lanes[lane].Agent == agent+1 {
			s.own = append(s.own, place)
		}
	}
	return s
}

// mod is the remainder that is never negative.
func mod(a, n int) int { return (a%n + n) % n }

// shared returns an agent's share of a phase.
func (p Phase) shared(s *share) Phase {
	p.share = s
	pace, _ := PaceOf(p)
	n := pace.Requests(p)
	p.Likely, p.Rejections = min(p.Likely, n), min(p.Rejections, n)
	if n == 0 {
		p.About = pace.Length(p)
	}
	return p
}

// of returns the pace of an agent's share of a phase. A share is static, or
// nothing at all.
func (s *share) of(whole Pace) Pace {
	if len(s.own) == 0 {
		return Pace{Name: whole.Name, Doc: whole.Doc, Offsets: rest.Offsets, Length: func(Phase) time.Duration { return 0 }, Requests: rest.Requests}
	}
	return Pace{
		Name: whole.Name, Doc: whole.Doc, Length: whole.Length,
		Offsets: func(p Phase, yield func(time.Duration) bool) {
			n, next := 0, 0
			whole.Offsets(p, func(at time.Duration) bool {
				if n++; n-1 != s.number(next) {
					return true
				}
				next++
				return yield(at)
			})
		},
		Requests: func(p Phase) int {
			all := whole.Requests(p)
			rest, _ := slices.BinarySearch(s.own, all%s.period)
			return all/s.period*len(s.own) + rest
		},
	}
}

// number returns the number in the whole phase of the i-th request of a share.
func (s *share) number(i int) int {
	return i/len(s.own)*s.period + s.own[i%len(s.own)]
}

// Seq returns the number in its lane of the n-th request that is sent from it,
// both counted from 0. They differ where several agents send from the lane.
func (p Plan) Seq(lane int, n uint64) uint64 {
	if p.turns == nil {
		return n
	}
	return p.turns[lane].first + n*p.turns[lane].step
}

// Senders returns the lanes that may send something of the phase.
func (p Phase) Senders() []int {
	if p.share == nil {
		return slices.Concat(p.Lanes, p.Others)
	}
	pace, _ := PaceOf(p)
	n := min(pace.Requests(p), len(p.share.own))
	lanes := make([]int, n)
	for i := range lanes {
		lanes[i] = p.Lane(i)
	}
	return lanes
}
