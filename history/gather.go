package history

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
)

// mostLanes is how many lanes a record can name.
const mostLanes = 1 << 16

// A sender is the agent that wrote a stream, and how what it wrote is read.
type sender struct {
	header Header
	axis   Axis
	shift  time.Duration // from the agent's moments to those of the whole history
	lanes  []int         // by the stream's own: the lane of the whole history
	used   []bool
	last   time.Duration // the latest moment in the stream, by the agent's clock
}

// moment returns where a moment of the agent lies in the whole history. All of
// an agent's are moved alike, so that what lies between two of them remains
// what its clock measured.
func (s *sender) moment(t time.Duration) time.Duration {
	if t == Never {
		return Never
	}
	return t + s.shift
}

// place puts an observation into the whole history.
func (s *sender) place(o *Observation) {
	o.Lane = s.lanes[o.Lane]
	o.Intended, o.Sent, o.Answered, o.Done = s.moment(o.Intended), s.moment(o.Sent), s.moment(o.Answered), s.moment(o.Done)
}

// gather makes one history of the streams of several agents. Each lane becomes
// one for every agent that sent from it: agents have addresses of their own, so
// what two of them sent from a lane need not count on one counter.
func (h *History) gather(streams []stream, headers []Header) error {
	senders := make([]*sender, len(streams))
	for i := range streams {
		s := &sender{header: headers[i]}
		if len(s.header.Agents) != 1 {
			s.header.Agents = []Agent{{Name: streams[i].name}}
		}
		senders[i] = s
		if err := h.admit(senders[:i], s); err != nil {
			return fmt.Errorf("%s: %w", streams[i].dir(), err)
		}
		if err := s.look(streams[i]); err != nil {
			return err
		}
	}
	h.Header = senders[0].header
	h.Header.Agents, h.Header.Lanes, h.Header.Planned = nil, nil, 0
	for i, s := range senders {
		probes, err := ReadProbes(streams[i].dir())
		if err != nil {
			return err
		}
		s.axis, err = AxisOf(probes, 0, s.last)
		if s.header.Agents[0].Unbounded = ""; err != nil {
			s.header.Agents[0].Unbounded = err.Error()
		}
		h.Header.Planned += s.header.Planned
		streams[i].sender = s
	}
	afterZero(senders)
	for _, s := range senders {
		agent := s.header.Agents[0]
		agent.Drift, agent.Start = s.axis.Slope, s.shift
		// The drift counts from moment 0 of the history, not of the agent.
		agent.Bound = s.axis.Bound + time.Duration(math.Ceil(math.Abs(s.axis.Slope*float64(s.shift))))
		h.Header.Agents = append(h.Header.Agents, agent)
	}
	h.missed()
	return h.lay(senders)
}

// dir is the folder that a stream lies in.
func (s stream) dir() string { return filepath.Dir(s.segments[0].path) }

// admit reports why a stream cannot be part of one history with those before.
func (h *History) admit(before []*sender, s *sender) error {
	for _, other := range before {
		if err := SameRun(other.header, s.header); err != nil {
			return err
		}
		if a, b := other.header.Agents[0].Name, s.header.Agents[0].Name; a == b {
			return fmt.Errorf("a second record of agent %q, which is not a copy of the first: keep the one that belongs to the run", a)
		}
	}
	return nil
}

// SameRun reports why two agents' records cannot be one history. The addresses
// that they sent from are their own.
func SameRun(a, b Header) error {
	switch {
	case a.Run != b.Run:
		return fmt.Errorf("of run %q, beside one of run %q: keep one run in a folder", b.Run, a.Run)
	case !a.Started.Equal(b.Started):
		return fmt.Errorf("its moments count from %s, those of the record beside it from %s", b.Started, a.Started)
	case !reflect.DeepEqual(a.Groups, b.Groups) || !slices.Equal(unplaced(a.Lanes), unplaced(b.Lanes)) || !slices.Equal(a.Phases, b.Phases):
		return errors.New("its groups, lanes or phases are not those of the record beside it: the agents did not have the same plan")
	}
	return nil
}

// unplaced returns lanes without what differs from machine to machine.
func unplaced(lanes []Lane) []Lane {
	all := slices.Clone(lanes)
	for i := range all {
		all[i].Source, all[i].Agent = "", ""
	}
	return all
}

// look finds which lanes a stream uses, and how long it goes on.
func (s *sender) look(from stream) error {
	s.used = make([]bool, len(s.header.Lanes))
	d, err := newDecoder(s.header.Version, len(s.header.Lanes), len(s.header.Phases))
	if err != nil {
		return err
	}
	r := &reader{walk: walk{stream: from}, decoder: d}
	defer r.close()
	defer d.close()
	for {
		o, err := r.peek()
		if err != nil || o == nil {
			return err
		}
		s.used[o.Lane] = true
		s.last = max(s.last, o.Sent, o.Done)
		if o.Answered != Never {
			s.last = max(s.last, o.Answered)
		}
		r.rows = r.rows[1:]
	}
}

// afterZero moves all senders alike, so that the first of them begins at
// moment 0.
func afterZero(senders []*sender) {
	early := -senders[0].axis.Shift
	for _, s := range senders {
		early = max(early, -s.axis.Shift)
	}
	for _, s := range senders {
		s.shift = s.axis.Shift + early
	}
}

// missed notes the agents of the roster that left no record.
func (h *History) missed() {
	for _, name := range h.Header.Roster {
		if !slices.ContainsFunc(h.Header.Agents, func(a Agent) bool { return a.Name == name }) {
			h.Missing = append(h.Missing, fmt.Sprintf("%s: no record of this agent: nothing that it sent is here", name))
			h.losePart(&h.Header, name)
		}
	}
}

// lay makes the lanes of the whole history: one for each agent that sent from
// a lane, and one for a lane that nobody sent from.
func (h *History) lay(senders []*sender) error {
	for _, s := range senders {
		s.lanes = make([]int, len(s.header.Lanes))
	}
	for lane := range senders[0].header.Lanes {
		nobody := true
		for i, s := range senders {
			last := i == len(senders)-1
			if !s.used[lane] && !(nobody && last) {
				continue
			}
			nobody = false
			s.lanes[lane] = len(h.Header.Lanes)
			l := s.header.Lanes[lane]
			if s.used[lane] {
				l.Agent = s.header.Agents[0].Name
			}
			h.Header.Lanes = append(h.Header.Lanes, l)
		}
	}
	if n := len(h.Header.Lanes); n > mostLanes {
		return fmt.Errorf("the agents sent from %d lanes in all, a history can name %d", n, mostLanes)
	}
	return nil
}

// together returns how a run ended that several agents made. One that did not
// end leaves the whole without an end.
func (h *History) together(ends []*End, senders []*sender) *End {
	if slices.Contains(ends, nil) || len(ends) < len(h.Header.Roster) {
		return nil
	}
	all := &End{Complete: true}
	var reasons []string
	for i, e := range ends {
		name := h.Header.Agents[i].Name
		all.At = max(all.At, senders[i].moment(e.At))
		all.Complete = all.Complete && e.Complete
		all.Offered += e.Offered
		for _, n := range e.Notes {
			all.Notes = append(all.Notes, name+": "+n)
		}
		if e.Reason != "" && !slices.Contains(reasons, e.Reason) {
			reasons = append(reasons, e.Reason)
		}
	}
	all.Reason = strings.Join(reasons, "; ")
	return all
}
