package history

import (
	"encoding/json"
	"time"
)

// An Event is one delivery of a webhook that arrived during the run.
type Event struct {
	At   time.Duration `json:"at"`             // when it had been read
	Kind string        `json:"kind"`           // "agent.registered"; empty: it did not say
	ID   string        `json:"id,omitempty"`   // of the event; deliveries of one share it
	Lane int           `json:"lane,omitempty"` // of the request that it belongs to
	Seq  uint64        `json:"seq,omitempty"`

	Matched  bool   `json:"matched,omitempty"` // it belongs to a request
	Answered int    `json:"answered"`          // the status by which it was taken or refused
	Wrong    string `json:"wrong,omitempty"`   // "signature": it is missing or wrong; "body": not what is documented
}

// mostEvents is how many deliveries a record keeps.
const mostEvents = 200_000

// frameEvents is how many of them a frame has.
const frameEvents = 2000

// AppendEvent adds a delivery. Like an observation, it is kept in memory until
// there are enough of them, or Flush is called. Beyond 200,000, deliveries are
// left out; the caller says so in the end of the run.
func (w *Writer) AppendEvent(e Event) error {
	w.mu.Lock()
	if w.err != nil || w.kept == mostEvents {
		defer w.mu.Unlock()
		return w.err
	}
	w.kept++
	w.events = append(w.events, e)
	full := len(w.events) >= frameEvents
	w.mu.Unlock()
	if !full {
		return nil
	}
	w.disk.Lock()
	defer w.disk.Unlock()
	return w.writeEvents()
}

// writeEvents writes what there is. The caller holds disk.
func (w *Writer) writeEvents() error {
	w.mu.Lock()
	err, all := w.err, w.events
	w.events = nil
	w.mu.Unlock()
	for err == nil && len(all) > 0 {
		n := min(len(all), frameEvents)
		var payload []byte
		if payload, err = json.Marshal(all[:n]); err != nil {
			return w.fail(err)
		}
		err = w.put(head{kind: kindEvents, raw: uint32(len(payload))}, payload)
		all = all[n:]
	}
	return err
}

// parseEvents reads a frame of deliveries, those of lanes that there are.
func parseEvents(payload []byte, lanes int) ([]Event, error) {
	var all []Event
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Matched && (all[i].Lane < 0 || all[i].Lane >= lanes) {
			all[i].Matched = false
		}
	}
	return all, nil
}
