package history

import (
	"fmt"
	"slices"
)

// Last words are the payload of the frame that ends a record: how the run
// ended, and how much was written. By that, what is missing is known by lane,
// whichever frames were lost.
type lastWords struct {
	End
	Recorded []int `json:"recorded,omitempty"` // observations, by lane
	Events   int   `json:"events,omitempty"`   // deliveries of webhooks
}

// lose notes which groups a stream may lack observations of. Without its last
// words, or if what was read is in doubt, that is whatever its agent's part has.
func (h *History) lose(s stream, words *lastWords, events int, doubt bool) error {
	header, name := &h.Header, ""
	if s.sender != nil {
		header, name = &s.sender.header, s.sender.header.Agents[0].Name
	}
	if words == nil || len(words.Recorded) != len(header.Lanes) || words.Events != events || doubt {
		h.losePart(header, name)
		return nil
	}
	counts, err := s.countLanes()
	if err != nil {
		return err
	}
	for lane, n := range counts {
		if n != words.Recorded[lane] {
			h.loseGroup(header.Lanes[lane].Group)
		}
	}
	h.loseNothing()
	return nil
}

// countLanes counts the observations of a stream that can be read, by its own
// lanes.
func (s stream) countLanes() ([]int, error) {
	counts := make([]int, s.counts.lanes)
	s.sender = nil
	for o, err := range observations([]stream{s}) {
		if err != nil {
			return nil, err
		}
		counts[o.Lane]++
	}
	return counts, nil
}

// losePart notes all that an agent may have sent; all groups, if nobody knows.
func (h *History) losePart(header *Header, agent string) {
	at := slices.IndexFunc(header.Parts, func(p Part) bool { return p.Agent == agent })
	if at < 0 {
		for i := range header.Groups {
			h.loseGroup(i)
		}
		return
	}
	for _, i := range header.Parts[at].Groups {
		h.loseGroup(i)
	}
	h.loseNothing()
}

func (h *History) loseGroup(i int) {
	h.loseNothing()
	h.Lost[i] = true
}

// loseNothing says that what is missing is known by group.
func (h *History) loseNothing() {
	if h.Lost == nil {
		h.Lost = make([]bool, len(h.Header.Groups))
	}
}

// checkParts reports whether the agents' parts lead somewhere.
func (h Header) checkParts() error {
	for _, p := range h.Parts {
		for _, i := range p.Groups {
			if i < 0 || i >= len(h.Groups) {
				return fmt.Errorf("the part of agent %s has group %d: there are %d groups", p.Agent, i, len(h.Groups))
			}
		}
	}
	return nil
}
