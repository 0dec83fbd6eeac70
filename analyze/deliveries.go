package analyze

import (
	"slices"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// Deliveries are what was seen of one kind of event of a group.
type deliveries struct {
	limiter.Webhook
	causes   []*causing            // requests of the group, in the order of the record
	of       map[subject][]arrival // by the request that they belong to, in order of arrival
	blind    time.Duration         // by how much what arrived may look late
	listened time.Duration         // until when they could arrive
	forged   []history.Event       // without the right signature
	refused  map[string]arrival    // by id: the first delivery, which was refused
	again    map[string]bool       // ids that were refused, and came again
}

type arrival = history.Event

// A causing is a request that may cause an event: everything that was sent with
// its values.
type causing struct {
	name     subject
	sent     time.Duration // first
	answered time.Duration // of the first answer that accepted it
	accepted int
	possible int           // of what was sent, may have been carried out
	begins   time.Duration // when the first of those was sent
	last     time.Duration // latest answer
	shown    []Evidence    // some of it
}

// delivered reads the record for what the events of a group belong to. Its
// memory grows with the group's requests.
func (c *Case) delivered() []*deliveries {
	if c.hooks != nil || len(c.Promise.Webhooks) == 0 {
		return c.hooks
	}
	causes, all := c.causing()
	for _, w := range c.Promise.Webhooks {
		d := &deliveries{Webhook: w, causes: all, of: map[subject][]arrival{}, listened: c.Listened, blind: c.Blind, refused: map[string]arrival{}, again: map[string]bool{}}
		for _, e := range c.Events {
			name := subject{e.Lane, e.Seq}
			if !e.Matched || e.Kind != w.Event || causes[name] == nil {
				continue
			}
			if e.Wrong != "" {
				d.forged = append(d.forged, e)
				continue
			}
			d.of[name] = append(d.of[name], e)
			if _, before := d.refused[e.ID]; e.ID != "" && before {
				d.again[e.ID] = true
			} else if e.ID != "" && e.Answered >= 400 {
				d.refused[e.ID] = e
			}
		}
		c.hooks = append(c.hooks, d)
	}
	return c.hooks
}

// causing returns the requests of a group, by name and in order.
func (c *Case) causing() (map[subject]*causing, []*causing) {
	of := map[subject]*causing{}
	var all []*causing
	for o, outcome := range c.All() {
		if o.Look == limiter.LookAfter || o.Unsent {
			continue
		}
		one := of[subjectOf(o)]
		if one == nil {
			one = &causing{name: subjectOf(o), sent: o.Sent, begins: history.Never}
			of[subjectOf(o)] = one
			all = append(all, one)
		}
		one.sent = min(one.sent, o.Sent)
		if o.Answered != history.Never {
			one.last = max(one.last, o.Answered)
		}
		if len(one.shown) < few {
			one.shown = append(one.shown, shown(o, outcome))
		}
		e, _ := c.Promise.EffectOf(o.Request)
		switch {
		case outcome == limiter.Rejected:
			continue
		case outcome == limiter.Admitted && e.Happened.Of(o.Status, o.Evidence):
			continue // it happened before, so nothing was done
		case outcome == limiter.Admitted:
			if one.accepted++; one.accepted == 1 || o.Answered < one.answered {
				one.answered = o.Answered
			}
		}
		one.begins = min(one.begins, o.Sent)
		if one.possible++; e.Idempotent {
			one.possible = 1
		}
	}
	return of, all
}

// taken returns the deliveries of a request that were not refused.
func (d *deliveries) taken(name subject) []arrival {
	return slices.DeleteFunc(slices.Clone(d.of[name]), func(e arrival) bool { return e.Answered >= 400 })
}

// distinct returns how many events were delivered for a request. Without ids
// nobody can tell two events from one that comes twice.
func (d *deliveries) distinct(name subject) int {
	ids := map[string]bool{}
	for _, e := range d.of[name] {
		ids[e.ID] = true
	}
	return len(ids)
}

// awaited reports whether an event of a request must have come by the time
// nobody listened any more.
func (d *deliveries) awaited(one *causing) bool {
	return one.accepted > 0 && d.listened >= one.answered+d.Within+d.blind
}
