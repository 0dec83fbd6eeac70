package attack

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"duckload/scenarios"
)

// A conductor walks the phases of one track. Static phases follow each other
// at nominal times, so that nothing adds up; a reactive phase begins when
// everything before it has ended.
type conductor struct {
	*run
	track    int
	phases   []scenarios.Phase
	reactive bool

	mu          sync.Mutex
	outstanding int
	seen        []scenarios.Seen
	quiet       chan struct{} // closed when nothing is outstanding; nil: nobody waits
}

// A job is a shot on its way through a lane.
type job struct {
	shot scenarios.Shot
	from *conductor
}

// ahead is how long before its nominal start a phase is prepared: connections
// are dialled, shots are handed to the lanes.
const ahead = 250 * time.Millisecond

func reacts(t scenarios.Track) bool {
	return slices.ContainsFunc(t.Phases, func(p scenarios.Phase) bool {
		pace, _ := scenarios.PaceOf(p)
		return pace.Next != nil
	})
}

func (c *conductor) walk() {
	defer c.tell(Event{Ends: true, Phase: len(c.phases) - 1})
	var start time.Duration
	for i, p := range c.phases {
		pace, ok := scenarios.PaceOf(p)
		if !ok {
			panic("no pace is called " + p.Pace) // compiled phases always have one
		}
		if pace.Next != nil {
			start, ok = c.react(pace, i, p, start)
		} else {
			start, ok = c.play(pace, i, p, start)
		}
		if !ok {
			return
		}
	}
	// The track lasts as long as its last phase, also if that is a rest.
	if c.clock.until(c.stopped, start) {
		c.settle()
	}
}

// play hands out the shots of a static phase and returns when it ends.
func (c *conductor) play(pace scenarios.Pace, i int, p scenarios.Phase, start time.Duration) (end time.Duration, ok bool) {
	if !c.clock.until(c.stopped, start-ahead) {
		return start, false
	}
	c.tell(Event{Begins: true, Phase: i})
	if pace.Name == "burst" {
		c.warm(p)
		start = max(start, c.clock.now())
	}
	n := 0
	pace.Offsets(p, func(offset time.Duration) bool {
		ok := c.hand(scenarios.Shot{At: start + offset, Lane: p.Lane(n), Phase: i})
		n++
		return ok
	})
	return start + pace.Length(p), c.stopped.Err() == nil
}

// warm dials the connections of a burst beforehand. It never sends: a request
// would spend the allowance.
func (c *conductor) warm(p scenarios.Phase) {
	for _, lane := range p.Lanes {
		c.lanes[lane].warm(c.stopped, (p.Count+len(p.Lanes)-1)/len(p.Lanes))
	}
}

// react asks a reactive pace what to send until it is done.
func (c *conductor) react(pace scenarios.Pace, i int, p scenarios.Phase, start time.Duration) (end time.Duration, ok bool) {
	if !c.clock.until(c.stopped, start) || !c.settle() {
		return start, false
	}
	c.tell(Event{Begins: true, Phase: i})
	start = c.clock.now()
	for {
		move := pace.Next(p, c.view(i, start))
		for _, shot := range move.Shots {
			shot.Phase = i
			if !c.hand(shot) {
				return start, false
			}
		}
		if !c.settle() || !c.clock.until(c.stopped, move.Wake) {
			return start, false
		}
		if move.Done {
			return c.clock.now(), true
		}
	}
}

func (c *conductor) view(phase int, start time.Duration) scenarios.View {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortStableFunc(c.seen, func(a, b scenarios.Seen) int { return cmp.Compare(a.Sent, b.Sent) })
	return scenarios.View{Now: c.clock.now(), Start: start, Phase: phase, Seen: slices.Clone(c.seen)}
}

// hand gives a shot to its lane, and waits for the lane if that is far behind.
func (c *conductor) hand(shot scenarios.Shot) bool {
	c.mu.Lock()
	c.outstanding++
	c.mu.Unlock()
	c.offers.Add(1)
	select {
	case c.lanes[shot.Lane].jobs <- job{shot: shot, from: c}:
		return true
	case <-c.stopped.Done():
		c.over(nil)
		return false
	}
}

// over takes the end of a job: what was seen, or nil if it was not sent.
func (c *conductor) over(seen *scenarios.Seen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seen != nil && c.reactive {
		c.seen = append(c.seen, *seen)
	}
	c.outstanding--
	if c.outstanding == 0 && c.quiet != nil {
		close(c.quiet)
		c.quiet = nil
	}
}

// settle waits until everything handed out has ended.
func (c *conductor) settle() bool {
	c.mu.Lock()
	if c.outstanding == 0 {
		c.mu.Unlock()
		return c.stopped.Err() == nil
	}
	if c.quiet == nil {
		c.quiet = make(chan struct{})
	}
	quiet := c.quiet
	c.mu.Unlock()
	select {
	case <-quiet:
		return c.stopped.Err() == nil
	case <-c.stopped.Done():
		return false
	}
}

func (c *conductor) tell(e Event) {
	e.At, e.Track = c.clock.now(), c.track
	c.ended <- ended{event: e}
}
