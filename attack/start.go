package attack

import (
	"sync"
	"time"

	"duckload/scenarios"
)

// A start keeps a request that is ready until its moment. What takes long is
// done before: the message is made, the connection is there, and what is left
// is to write.
type start struct {
	at   time.Duration
	open chan struct{} // closed when the moment has come, or the run has ended

	watch func() // waits for the moment, or the end of the run; nil: somebody else does

	mu   sync.Mutex
	past bool
	send func() // by whoever watches the clock; nil: by those who wait
}

func newStart(at time.Duration) *start { return &start{at: at, open: make(chan struct{})} }

// How long before its moment a request is made ready. It holds a connection
// from then on, so it is short where requests follow each other evenly. In a
// burst there are many to be made ready, and each takes a while more.
const (
	lead     = 4 * time.Millisecond
	leadEach = 500 * time.Microsecond
	leadMost = 120 * time.Millisecond
)

// leadOf returns the lead of a static phase. One that is over before its first
// request is made ready is a burst. At a rate it ends between two moments:
// what makes a request ready would want the processor while another leaves.
func leadOf(pace scenarios.Pace, p scenarios.Phase) time.Duration {
	if pace.Length(p) > lead {
		if gap := time.Duration(float64(time.Second) / max(p.Rate, 1)); 0 < gap && gap < 2*lead {
			return lead.Truncate(gap) + gap*3/4
		}
		return lead
	}
	return min(leadMost, lead+time.Duration(pace.Requests(p))*leadEach)
}

// wait returns at the moment. nil has no moment.
func (s *start) wait() {
	switch {
	case s == nil:
	case s.watch != nil:
		s.watch()
	default:
		<-s.open
	}
}

// by calls send once, at the moment, or now if it is past. When it returns,
// that is done.
func (s *start) by(send func()) {
	if s == nil || s.watch != nil {
		s.wait()
		send()
		return
	}
	s.mu.Lock()
	past := s.past
	s.send = send
	s.mu.Unlock()
	if past {
		send()
		return
	}
	<-s.open
}

// begin lets a request go. One that is ready is sent now, and its waiter may
// be told later.
func (s *start) begin() (sent bool) {
	s.mu.Lock()
	s.past = true
	send := s.send
	s.mu.Unlock()
	if send == nil {
		close(s.open)
		return false
	}
	send()
	return true
}

// salvo is how many requests are sent before those who wait for their answers
// are told: they would want the processor that sends.
const salvo = 64

// watch lets the lane's requests go, each at its moment. One thread does, so
// that a burst leaves in one go. When the run ends everything goes, and finds
// that it may not be sent.
func (l *lane) watch() {
	var untold []*start
	for s := range l.starts {
		if s.at > l.clock.now() || len(untold) == salvo {
			untold = tell(untold)
		}
		l.clock.until(l.stopped, s.at)
		if s.begin() {
			untold = append(untold, s)
		}
		if len(l.starts) == 0 {
			untold = tell(untold)
		}
	}
}

func tell(all []*start) []*start {
	for _, s := range all {
		close(s.open)
	}
	return all[:0]
}
