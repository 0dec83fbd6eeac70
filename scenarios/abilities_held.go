package scenarios

import (
	"fmt"

	"duckload/limiter"
)

// held says what a plan can decide about a queue or a limit of requests at
// once.
func (a *account) held(l limiter.Limit, burst bool) {
	name, alone := l.String(), a.group.Exclusive
	missing := "nothing exceeds " + name + "; add a burst of 100% + 2"
	switch {
	case l.Reading == limiter.LeakyQueue && a.group.DecidedWithin > 0:
		a.either("limit.ceiling", burst, fmt.Sprintf("one answer before its turn, and one request more than %d in the queue", l.Burst), missing)
	case l.Reading == limiter.LeakyQueue:
		a.either("limit.ceiling", burst, "one answer before its turn; that the queue is not longer needs decided_within", missing)
	case l.ServiceTime > 0:
		a.either("limit.ceiling", burst, fmt.Sprintf("one request more than %s, if answers take less than %s", name, 2*l.ServiceTime), missing)
	default:
		a.say("limit.ceiling", false, "needs service_time: how long each request takes the server at the least")
	}
	a.either("limit.floor", burst && alone, "one request less than "+name+" allows", a.orShared("nothing uses up "+name+"; add a burst of 100%"))
	if l.Scope != limiter.ScopeUnknown {
		a.either("scope", len(a.lanes(l)) > 1, "all senders ask at once", "needs a second sender; give two sources or two identities")
	}
	if l.Reading == limiter.LeakyQueue {
		a.either("sustained", a.has(l, "hold") && alone, "a client that keeps to "+name, a.orShared("needs hold: 100%"))
	}
}

// lanes returns the most lanes that one burst against a limit is sent from.
func (a *account) lanes(l limiter.Limit) []int {
	var most []int
	for _, p := range a.phases {
		if p.Limit == l && p.Pace == burst.Name && len(p.Lanes) > len(most) {
			most = p.Lanes
		}
	}
	return most
}
