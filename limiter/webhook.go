package limiter

import "time"

// A Webhook is what is promised about one kind of event: each admitted request
// of a group causes one, which is delivered to whoever listens.
type Webhook struct {
	Event string `json:"event"` // "agent.registered"

	Within      time.Duration `json:"within"`                  // of the answer, the event is delivered
	AtLeastOnce bool          `json:"at_least_once,omitempty"` // a delivery that was accepted may come again
	Ordered     bool          `json:"ordered,omitempty"`       // the next is delivered when the one before was
	Signed      bool          `json:"signed,omitempty"`        // each delivery carries the right signature
	Refused     bool          `json:"refused,omitempty"`       // some deliveries are refused, and must come again
	Named       bool          `json:"named,omitempty"`         // each event has an id, which its deliveries share
}
