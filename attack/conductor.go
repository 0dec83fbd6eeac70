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
	first    int // number of the track's first phase in the plan
	phases   []scenarios.Phase
	reactive bool // what was seen must be kept

	mu          sync.Mutex
	outstanding int
	seen        []scenarios.Seen
	quiet       chan struct{} // closed when nothing is outstanding; nil: nobody waits
}

// A job is a shot on its way through a lane.
type job struct {
	shot  scenarios.Shot
	from  *conductor
	lead  time.Duration // how long before its moment it is made ready
	start *start        // nil: it is sent when it is made
}

// ahead is how long before its nominal start a static phase is prepared:
// connections are dialled, shots are handed to the lanes.
const ahead = 250 * time.Millisecond

// apart keeps the starts of tracks apart. Nobody notices, but two that begin
// in the same instant of virtual time would race, and no run would be like
// another. It is longer than a burst, whose requests are a nanosecond apart.
const apart = 7919 * time.Nanosecond

func reacts(t scenarios.Track) bool {
	return slices.ContainsFunc(t.Phases, func(p scenarios.Phase) bool {
		pace, _ := scenarios.PaceOf(p)
		return pace.Next != nil
	})
}

func (c *conductor) walk() {
	start := time.Duration(c.track) * apart
	for i, p := range c.phases {
		pace, ok := scenarios.PaceOf(p)
		switch {
		case !ok:
			panic("no pace is called " + p.Pace) // the plan was compiled from paces
		case pace.Next != nil:
			start, ok = c.react(pace, i, p, start)
		default:
			start, ok = c.play(pace, i, p, start)
		}
		if !ok {
			break
		}
	}
	// The track lasts as long as its last phase, also if that is a rest.
	if c.clock.rest(c.stopped, start) {
		c.settle()
	}
	c.tell(Event{Ends: true, Phase: len(c.phases) - 1})
}

// play hands out the shots of a static phase and returns when it ends.
func (c *conductor) play(pace scenarios.Pace, i int, p scenarios.Phase, start time.Duration) (end time.Duration, ok bool) {
	if !c.clock.rest(c.stopped, start-ahead) {
		return start, false
	}
	c.tell(Event{Begins: true, Phase: i})
	early := leadOf(pace, p)
	if c.warm(pace, p) {
		start = max(start, c.clock.now()+early)
	}
	n, last := 0, pace.Requests(p)-len(p.Senders())
	pace.Offsets(p, func(offset time.Duration) bool {
		lane := p.Lane(n)
		ok := c.hand(scenarios.Shot{At: start + offset, Lane: lane, Phase: i}, early)
		// With thousands of lanes, those whose turn is over make room. What a
		// reactive pace will want next, nobody knows.
		if n >= last && c.lanes[lane].last == i && !c.reactive {
			c.lanes[lane].finish()
		}
		n++
		return ok
	})
	return start + pace.Length(p), c.stopped.Err() == nil
}

// together is how close requests must be for one to find the connection of the
// other in use.
const together = 20 * time.Millisecond

// warm dials the connections that a phase needs at its start, where it needs
// more than one. It reports whether that was so.
func (c *conductor) warm(pace scenarios.Pace, p scenarios.Phase) (warmed bool) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for lane, n := range within(p, pace, together) {
		if n > 1 && c.lanes[lane].pool != nil {
			warmed = true
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				c.lanes[lane].warm(c.stopped, n)
			})
		}
	}
	wait.Wait()
	return warmed
}

// react asks a reactive pace what to send until it is done.
func (c *conductor) react(pace scenarios.Pace, i int, p scenarios.Phase, start time.Duration) (end time.Duration, ok bool) {
	if !c.clock.rest(c.stopped, start) || !c.settle() {
		return start, false
	}
	c.tell(Event{Begins: true, Phase: i})
	start = c.clock.now()
	for {
		move := pace.Next(p, c.view(i, start))
		for _, shot := range move.Shots {
			shot.Phase = i
			if !c.hand(shot, lead) {
				return start, false
			}
		}
		if len(move.Shots) == 0 && !move.Done {
			// A pace that wants nothing and does not wait would never end.
			move.Wake = max(move.Wake, c.clock.now()+time.Millisecond)
		}
		if !c.settle() || !c.clock.rest(c.stopped, move.Wake) {
			return start, false
		}
		if move.Done {
			return c.clock.now(), true
		}
	}
}

// view is what a pace sees: all that has ended, in the order of sending.
func (c *conductor) view(phase int, start time.Duration) scenarios.View {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortStableFunc(c.seen, func(a, b scenarios.Seen) int {
		return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Intended, b.Intended))
	})
	return scenarios.View{Now: c.clock.now(), Start: start, Phase: phase, Seen: slices.Clone(c.seen)}
}

// hand gives a shot to its lane, and waits for the lane if that is far behind.
func (c *conductor) hand(shot scenarios.Shot, lead time.Duration) bool {
	c.mu.Lock()
	c.outstanding++
	c.mu.Unlock()
	c.offered.Add(1)
	j, l := job{shot: shot, from: c, lead: lead}, c.lanes[shot.Lane]
	if c.spent.Load() {
		l.leave(j)
		return false
	}
	l.once.Do(func() {
		c.clock.rest(c.stopped, shot.At-ahead)
		c.sending.Go(l.attack)
	})
	select {
	case l.jobs <- j:
		return true
	case <-c.stopped.Done():
		l.leave(j)
		return false
	}
}

// over takes the end of a job: what was seen, or nil if it was not sent or
// nobody asks.
func (c *conductor) over(seen *scenarios.Seen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seen != nil {
		c.seen = append(c.seen, *seen)
	}
	c.outstanding--
	if c.outstanding == 0 && c.quiet != nil {
		close(c.quiet)
		c.quiet = nil
	}
}

// settle waits until everything handed out has ended, and reports whether the
// run goes on.
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
