package analyze

import (
	"fmt"
	"slices"
	"time"

	"duckload/english"
	"duckload/history"
	"duckload/limiter"
)

// webhookChecks are the checks about the events that requests cause, in the
// order in which they are shown. That a rejected request causes none, and an
// admitted one no two, is judged by reject.effect_free and admit.once.
var webhookChecks = []Check{
	webhookCheck(Check{
		ID:       "webhook.delivered",
		Question: "is the event of each admitted request delivered, in time?",
		Doc: `Each admitted request causes an event, which must be delivered within the documented time (within) after the request's answer.
Events are matched to requests by a unique value. A delivery that duckload refuses on purpose (refuse) counts as one: the sender tried.

It fails if the event of an admitted request came later than that, or did not come although duckload listened for as long. Requests
that were answered so late that nobody listened for long enough, and those without a clear answer, decide nothing. The time from the
answer to the first delivery is measured: its percentiles stand in the message.

Where this machine was too busy to look, as its own timers tell, an event that came no later than that explains is not late.

Assumed: what is sent to the address arrives there; a delivery that a network lost is the sender's to send again.

Typical causes of failure: a queue that loses what was under way when a worker restarts; an event that is sent only after a batch is full;
an address that the sender cannot reach (then every event is lost).`,
	}, undelivered),
	webhookCheck(Check{
		ID:       "webhook.once",
		Question: "is each event delivered once?",
		Doc: `A delivery that was accepted must not come again, unless the scenario says delivery: at-least-once. Deliveries of one event share
its id; where events have none, a second delivery for one request counts, unless that request may have been carried out twice.

It fails if an event comes again that was accepted; each such delivery is proof. One that was refused on purpose may come again.

Assumed: the answer to a delivery reaches its sender, as it does where both are on one network.

Typical causes of failure: a sender whose timeout is shorter than its receivers are; two workers that take the same event; a retry that does
not look at the answer.`,
	}, repeated),
	webhookCheck(Check{
		ID:       "webhook.ordered",
		Question: "are events delivered in the order in which they happened?",
		Doc: `Where the scenario says ordered: true, the next event is delivered when the one before was. Of two requests, the first was
answered before the second was sent, so its event must arrive first.

It fails if it arrives later. Events that were refused on purpose are left out, and so are requests without a clear answer.

Assumed: a sender that keeps the order waits for the answer to a delivery before it sends the next.

Typical causes of failure: several workers on one queue; a retry that goes to the end of the queue.`,
	}, disordered),
	webhookCheck(Check{
		ID:       "webhook.retried",
		Question: "does a delivery that was refused come again?",
		Doc: `duckload answers the first deliveries (refuse) with 503, and the sender must deliver those events again within the documented time
(within), with the same id.

It fails if one does not come again although duckload listened for as long. If none was refused, the check is inconclusive.

Assumed: the answer to a delivery reaches its sender, as it does where both are on one network.

Typical causes of failure: a sender that forgets what it has sent; a first retry after minutes, where the scenario's within says seconds.`,
	}, unretried),
	webhookCheck(Check{
		ID:       "webhook.signed",
		Question: "does every delivery carry the right signature?",
		Doc: `Where the scenario has a secret, each delivery must carry the HMAC-SHA256 of its body in the documented header, in hexadecimal
digits, alone or behind "sha256=". A delivery for one of the run's requests that does not is proof, and it counts as no delivery.

It fails if there is one. Nobody else knows the run's unique values, so it is assumed that whoever sends them is the service.

Typical causes of failure: a signature over the text before it was written as JSON; an old secret; one of several services that does not sign.`,
	}, unsigned),
}

// webhookCheck makes a check out of a question about one kind of event.
func webhookCheck(check Check, ask func(*Case, *deliveries) Finding) Check {
	check.Applies = func(p limiter.Promise) bool {
		return slices.ContainsFunc(p.Webhooks, func(w limiter.Webhook) bool { return asked(check.ID, w) })
	}
	check.Judge = func(c *Case) []Finding {
		var all []Finding
		for _, d := range c.delivered() {
			if !asked(check.ID, d.Webhook) {
				continue
			}
			f := ask(c, d)
			f.Check, f.Message = check.ID, d.Event+": "+f.Message
			switch {
			case c.Listened == 0:
				f = Finding{Check: check.ID, Outcome: Inconclusive, Message: d.Event + ": nobody listened in this run"}
			case !c.Whole && f.Outcome != Inconclusive:
				f = Finding{Check: check.ID, Outcome: Inconclusive, Message: d.Event + ": " + unwhole}
			}
			all = append(all, f)
		}
		return all
	}
	return check
}

// asked reports whether a promise about an event asks a question.
func asked(check string, w limiter.Webhook) bool {
	switch check {
	case "webhook.once":
		return !w.AtLeastOnce
	case "webhook.ordered":
		return w.Ordered
	case "webhook.retried":
		return w.Refused
	case "webhook.signed":
		return w.Signed
	}
	return true
}

func undelivered(_ *Case, d *deliveries) Finding {
	var f Finding
	var lag sample
	lost, late, open := 0, 0, 0
	for _, one := range d.causes {
		if one.accepted == 0 {
			continue
		}
		all := d.of[one.name]
		if len(all) == 0 && !d.awaited(one) {
			open++
			continue
		}
		if len(all) > 0 && all[0].At-one.answered > d.Within && all[0].At-one.answered <= d.Within+d.blind {
			open++ // it may have been us
			continue
		}
		took := time.Duration(0)
		if len(all) > 0 {
			took = max(0, all[0].At-one.answered)
			lag.add(took)
		}
		switch {
		case len(all) == 0:
			if lost++; f.Witness == nil {
				f.Witness = one.witness(0, 1, "request %d was admitted at %s, and its event did not come by %s", one.name.seq, secs(one.answered), secs(d.listened))
			}
		case took > d.Within:
			if late++; f.Witness == nil {
				f.Witness = one.witness(1, 1, "request %d was admitted at %s, and its event came at %s, later than %s after it", one.name.seq, secs(one.answered), secs(all[0].At), d.Within)
			}
		}
	}
	lags := ""
	if lag.n > 0 {
		at := lag.summary()
		lags = fmt.Sprintf("; after the answer: p50 %s, p90 %s, p99 %s, at most %s", brief(at.P50), brief(at.P90), brief(at.P99), brief(at.Max))
	}
	switch {
	case lost+late > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("of the events of %s, %d were lost and %d came later than %s%s", english.Count(lag.n+lost, "admitted request"), lost, late, d.Within, lags)
	case lag.n == 0:
		f.Outcome, f.Message = Inconclusive, "no admitted request was answered early enough; send some, and listen for longer (grace)"
	case open > 0:
		f.Outcome = Inconclusive
		f.Message = fmt.Sprintf("the events of %s were not seen in time, but nobody listened for long enough, or this machine was too busy to look (for up to %s)", english.Count(open, "admitted request"), brief(d.blind))
	default:
		f.Outcome, f.Message = Pass, fmt.Sprintf("every event of %s came within %s%s", english.Count(lag.n, "admitted request"), d.Within, lags)
	}
	return f
}

func repeated(_ *Case, d *deliveries) Finding {
	var f Finding
	events, broken := 0, 0
	for _, one := range d.causes {
		taken := map[string]int{}
		for _, e := range d.taken(one.name) {
			if taken[e.ID]++; taken[e.ID] == 1 {
				events++
			}
			if allowed := max(1, one.possible); taken[e.ID] > 1 && (e.ID != "" || taken[""] > allowed) {
				if broken++; f.Witness == nil {
					f.Witness = one.witness(taken[e.ID], 1, "the event %s of request %d was accepted, and came again at %s", clip(e.ID), one.name.seq, secs(e.At))
				}
			}
		}
	}
	return f.counted(broken, events,
		fmt.Sprintf("%s came again although accepted, beside %s", english.Count(broken, "delivery"), english.Count(events, "event")),
		"no event was delivered",
		fmt.Sprintf("each of %s was delivered once", english.Count(events, "event")))
}

// counted fails where something is not as documented, passes where all that was
// looked at is, and stays open where nothing was.
func (f Finding) counted(broken, looked int, wrong, nothing, right string) Finding {
	switch {
	case broken > 0:
		f.Outcome, f.Message = Fail, wrong
	case looked == 0:
		f.Outcome, f.Message = Inconclusive, nothing
	default:
		f.Outcome, f.Message = Pass, right
	}
	return f
}

func disordered(_ *Case, d *deliveries) Finding {
	var f Finding
	var all []*causing
	for _, one := range d.causes {
		events := d.of[one.name]
		if one.accepted == 1 && one.possible == 1 && len(events) > 0 && events[0].Answered < 400 {
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b *causing) int { return int(a.begins - b.begins) })
	// Of those that were answered before, the one whose event came last.
	byAnswer := slices.Clone(all)
	slices.SortStableFunc(byAnswer, func(a, b *causing) int { return int(a.answered - b.answered) })
	at := func(one *causing) time.Duration { return d.of[one.name][0].At }
	pairs, broken, next := 0, 0, 0
	var last *causing
	for _, one := range all {
		for ; next < len(byAnswer) && byAnswer[next].answered < one.begins; next++ {
			if last == nil || at(byAnswer[next]) > at(last) {
				last = byAnswer[next]
			}
		}
		if last == nil {
			continue
		}
		if pairs++; at(last) > at(one) {
			if broken++; f.Witness == nil {
				f.Witness = one.witness(1, 0, "request %d was answered before request %d was sent, and its event came at %s, after the other's at %s", last.name.seq, one.name.seq, secs(at(last)), secs(at(one)))
				f.Witness.Requests = append(f.Witness.Requests, last.shown...)
				f.Witness.spanned()
			}
		}
	}
	return f.counted(broken, pairs,
		fmt.Sprintf("%d of %s came before one that happened earlier", broken, english.Count(pairs, "event")),
		"no two requests one after another caused events; send some",
		fmt.Sprintf("each of %s came after those that happened earlier", english.Count(pairs, "event")))
}

func unretried(_ *Case, d *deliveries) Finding {
	var f Finding
	came, broken := 0, 0
	for _, one := range d.causes {
		for _, e := range d.of[one.name] {
			first, refused := d.refused[e.ID]
			switch {
			case !refused || first != e:
			case d.again[e.ID]:
				came++
			case d.listened >= e.At+d.Within+d.blind:
				if broken++; f.Witness == nil {
					f.Witness = one.witness(1, 2, "the event %s of request %d was refused at %s with status %d, and did not come again by %s", clip(e.ID), one.name.seq, secs(e.At), e.Answered, secs(d.listened))
				}
			}
		}
	}
	return f.counted(broken, came,
		fmt.Sprintf("%d of %s that were refused did not come again", broken, english.Count(broken+came, "event")),
		"no delivery was refused early enough; listen for longer (grace)",
		fmt.Sprintf("each of %s that were refused came again", english.Count(came, "event")))
}

func unsigned(_ *Case, d *deliveries) Finding {
	var f Finding
	right := 0
	for _, all := range d.of {
		right += len(all)
	}
	for _, e := range d.forged {
		if e.Wrong != "signature" {
			continue
		}
		for _, one := range d.causes {
			if one.name == (subject{e.Lane, e.Seq}) && f.Witness == nil {
				f.Witness = one.witness(len(d.forged), 0, "the delivery for request %d at %s does not carry the signature of its body", e.Seq, secs(e.At))
			}
		}
	}
	switch {
	case f.Witness != nil:
		f.Outcome, f.Message = Fail, fmt.Sprintf("%d of %d deliveries are not signed, or wrongly", len(d.forged), len(d.forged)+right)
	case right == 0:
		f.Outcome, f.Message = Inconclusive, "no event was delivered"
	default:
		f.Outcome, f.Message = Pass, fmt.Sprintf("each of %d deliveries is signed", right)
	}
	return f
}

// witness shows what was sent of a request.
func (one *causing) witness(counted int, allowed float64, format string, args ...any) *Witness {
	w := &Witness{Sentence: fmt.Sprintf(format, args...), Counted: counted, Allowed: allowed, Requests: slices.Clone(one.shown)}
	w.spanned()
	return w
}

// An eventSight is what events say about a request's effect.
type eventSight struct {
	uncaused, silent int      // rejected requests with an event, and without one though it would have come
	twice, once      int      // requests with more events than may have happened, and with one
	rejected, doubly *Witness // of the first of each
}

// sights holds the events of a group against its requests.
func (c *Case) eventSights() (s eventSight) {
	for _, d := range c.delivered() {
		for _, one := range d.causes {
			events := d.of[one.name]
			switch {
			case one.possible == 0 && len(events) > 0:
				if s.uncaused++; s.rejected == nil {
					s.rejected = one.witness(len(events), 0, "request %d was rejected each time that it was sent, and its event %s came at %s", one.name.seq, d.Event, secs(events[0].At))
				}
			case one.possible == 0 && one.last > 0 && d.listened >= one.last+d.Within+d.blind && one.last != history.Never:
				s.silent++
			case d.Named && one.possible > 0 && d.distinct(one.name) > one.possible:
				if s.twice++; s.doubly == nil {
					s.doubly = one.witness(d.distinct(one.name), float64(one.possible), "request %d caused %d events %s with different ids, and at most %d of what was sent may have been carried out", one.name.seq, d.distinct(one.name), d.Event, one.possible)
				}
			case d.Named && one.accepted > 0 && len(events) > 0:
				s.once++
			}
		}
	}
	return s
}
