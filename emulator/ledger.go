package emulator

import (
	"net/http"
	"strings"
	"sync"
)

// Ledger is the path under which the emulator tells how often something was
// done for an e-mail address: GET Ledger?email=… answers {"times": 1}. It is no
// part of the published API and has no limit; follow-ups are tried out on it.
const Ledger = "/emulator/effects"

// A ledger counts what was done, for the newest so many e-mail addresses.
type ledger struct {
	mu    sync.Mutex
	times map[string]int
	order []string // a ring, once it is full
	next  int
	most  int
}

func newLedger(most int) *ledger { return &ledger{times: map[string]int{}, most: most} }

func (l *ledger) add(email string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	email = strings.ToLower(email)
	if l.times[email]++; l.times[email] > 1 {
		return
	}
	if len(l.order) < l.most {
		l.order = append(l.order, email)
		return
	}
	delete(l.times, l.order[l.next])
	l.order[l.next] = email
	l.next = (l.next + 1) % l.most
}

func (s *Server) told(r *http.Request) answer {
	email := strings.ToLower(r.URL.Query().Get("email"))
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return done(http.StatusOK, map[string]any{"email": email, "times": s.ledger.times[email]})
}

// did writes down that a request did its work, and delivers the events of it. A
// request that does its work twice is written down twice.
func (s *Server) did(c call, events ...string) {
	times := 1
	switch f := s.config.Faults; {
	case f.Forgetful:
		times = 0
	case f.Twice:
		times = 2
	}
	for range times {
		s.ledger.add(c.body["email"])
		for _, kind := range events {
			s.postman.happened(kind, c)
		}
	}
}
