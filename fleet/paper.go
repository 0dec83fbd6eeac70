package fleet

import (
	"slices"
	"sync"
	"time"

	"duckload/attack"
	"duckload/scenarios"
)

// A paper tells the coordinator what happens, a few times a second.
type paper struct {
	*session
	mu     sync.Mutex
	events []attack.Event
	counts map[attack.Event]int
	over   chan struct{}
	work   sync.WaitGroup
}

const newsEvery = 300 * time.Millisecond

func newPaper(s *session) *paper {
	p := &paper{session: s, counts: map[attack.Event]int{}, over: make(chan struct{})}
	p.work.Go(func() {
		tick := time.NewTicker(newsEvery)
		defer tick.Stop()
		for {
			select {
			case <-p.over:
				return
			case <-tick.C:
				p.publish(news{})
			}
		}
	})
	return p
}

func (p *paper) event(e attack.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Begins && !p.sends(e.Track) {
		return // another agent does, in its own time
	}
	if e.Begins || e.Ends {
		p.events = append(p.events, e)
		return
	}
	e.At = 0
	p.counts[e]++
}

// sends reports whether any request of a track is ours.
func (p *paper) sends(track int) bool {
	return slices.ContainsFunc(p.part.Tracks[track].Phases, func(phase scenarios.Phase) bool {
		pace, ok := scenarios.PaceOf(phase)
		return ok && pace.Requests(phase) > 0
	})
}

func (p *paper) publish(n news) {
	n.Agent, n.At = p.Name, p.clock.now()-p.clock.ours0
	p.mu.Lock()
	n.Events = p.events
	for e, times := range p.counts {
		n.Counts = append(n.Counts, count{e, times})
	}
	p.events = nil
	clear(p.counts)
	p.mu.Unlock()
	_ = p.bus.Tell(newsSubject(p.order.Run), encode(n)) // it is for those who watch
}

func (p *paper) close(reason string, m manifest) {
	close(p.over)
	p.work.Wait()
	p.publish(news{Ended: true, Reason: reason, Failed: m.Failed, Kind: m.Kind})
}
