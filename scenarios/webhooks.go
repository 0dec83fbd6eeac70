package scenarios

import (
	"slices"
	"time"

	"duckload/limiter"
)

// Webhooks say where deliveries arrive, and to which requests they belong.
type Webhooks struct {
	Listen    string   // host and port
	Path      string   // begins with a slash
	Secret    Template // empty: deliveries are not signed
	Signature string   // header of the signature
	Event, ID string   // dotted paths in the body; ID may be empty

	Grace  time.Duration // how long to listen for what must not come
	Within time.Duration // of its answer, the event of a request is delivered
	Refuse int           // how many events of each kind are refused at first

	Match []Match
}

// A Match says which requests cause a kind of event, and how to tell whose it
// is.
type Match struct {
	Event string   // "agent.registered"
	Group string   // whose requests cause it
	JSON  string   // dotted path in the body
	Is    Template // what stands there, made like a value of the request
}

// Matches returns the matches of a group.
func (w *Webhooks) Matches(group string) []Match {
	if w == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(w.Match), func(m Match) bool { return m.Group != group })
}

// Promises returns what a group is promised.
func (w *Webhooks) promises(group string, atLeastOnce, ordered bool) []limiter.Webhook {
	var all []limiter.Webhook
	for _, m := range w.Matches(group) {
		all = append(all, limiter.Webhook{
			Event: m.Event, Within: w.Within, AtLeastOnce: atLeastOnce, Ordered: ordered,
			Signed: !w.Secret.Empty(), Refused: w.Refuse > 0, Named: w.ID != "",
		})
	}
	return all
}

// EventValue returns what tells that an event belongs to request seq of a
// lane.
func (p Plan) EventValue(lane int, seq uint64, m Match, captured map[string]string) string {
	l := p.Lanes[lane]
	return m.Is.fill(filling{run: p.Run, group: p.numbers(lane), seq: seq, identity: p.Scenario.identityOf(l.Identity).row, captured: captured})
}

// Reveal returns the secret that deliveries are signed with; empty: none.
func (w *Webhooks) Reveal() string { return w.Secret.Render("", "", 0) }
