package limiter

import "time"

// Awkward lists models that real servers have and nobody documents: no reading
// names them. Where a model of [Models] is asked for by name, these are not
// found; they are there to be recognised.
var Awkward = []Model{
	idleWindow,
	elasticWindow,
	lenientCounter,
}

var idleWindow = Model{
	Name: "idle-window",
	Doc:  "Limit requests, counted until none was admitted for a Window: the counter expires only after silence; Burst is not read.",
	New:  func(l Limit) (Limiter, error) { return newIdle(l, false) },
}

var elasticWindow = Model{
	Name: "elastic-window",
	Doc:  "Limit requests, counted until none came for a Window, admitted or not: who keeps asking is kept out; Burst is not read.",
	New:  func(l Limit) (Limiter, error) { return newIdle(l, true) },
}

func newIdle(l Limit, elastic bool) (Limiter, error) {
	if err := windowMistakes(l); err != nil {
		return nil, err
	}
	return idle{limit: &l, elastic: elastic}, nil
}

// An idle limiter counts from the first request after silence on.
type idle struct {
	limit   *Limit
	elastic bool // rejected requests break the silence, too
	latest  time.Duration
	since   time.Duration // when the silence began
	count   int64
}

func (i idle) Take(at time.Duration) (Decision, Limiter) {
	i.latest = now(at, i.latest)
	if i.latest-i.since >= i.limit.Window {
		i.count = 0
	}
	d := Decision{OK: i.count < i.limit.Limit}
	if d.OK {
		i.count++
	}
	if d.OK || i.elastic {
		i.since = i.latest
	}
	d.Remaining = i.limit.Limit - i.count
	d.Reset = i.since + i.limit.Window - i.latest
	if d.Remaining == 0 {
		d.Wait = d.Reset
	}
	return d, i
}

func (i idle) rejectsConsume() bool { return i.elastic }
