package history

import (
	"encoding/json"
	"time"
)

// A Doubt says that from a moment on nobody knows whose the answers of a lane
// are: the target sent more of them than it was asked for, and HTTP/1.1 has
// nothing but their order to tell them apart.
type Doubt struct {
	Lane int           `json:"lane"` // index into Header.Lanes
	From time.Duration `json:"from"` // Sent of the first request whose answer may be another one's
}

// Doubtful is the Error of an observation whose answer may be another one's.
const Doubtful = "doubtful"

// Doubted returns an observation without its answer, which may be another
// one's: the server may have decided about it at any time, and in any way.
func (o Observation) Doubted() Observation {
	if o.Answered == Never {
		return o
	}
	o.Answered, o.Status, o.Error, o.Evidence = Never, 0, Doubtful, nil
	return o
}

// AppendDoubt adds a doubt. It holds for what was appended before as well, and
// is written at once.
func (w *Writer) AppendDoubt(d Doubt) error {
	payload, err := json.Marshal(d)
	if err != nil {
		return w.fail(err)
	}
	w.disk.Lock()
	defer w.disk.Unlock()
	w.mu.Lock()
	err = w.err
	w.mu.Unlock()
	if err != nil {
		return err
	}
	return w.put(head{kind: kindDoubt, raw: uint32(len(payload))}, payload)
}

// doubts are since when the answers of each lane are doubtful. Nil: none are.
type doubts map[int]time.Duration

// read takes one from a frame, if it is of a lane that there is.
func (all *doubts) read(payload []byte, lanes int) error {
	var d Doubt
	if err := json.Unmarshal(payload, &d); err != nil {
		return err
	}
	if d.Lane < 0 || d.Lane >= lanes {
		return nil
	}
	if *all == nil {
		*all = doubts{}
	}
	if since, known := (*all)[d.Lane]; !known || d.From < since {
		(*all)[d.Lane] = d.From
	}
	return nil
}

// apply takes the answers away that are doubtful.
func (all doubts) apply(rows []Observation) {
	if all == nil {
		return
	}
	for i := range rows {
		if since, ok := all[rows[i].Lane]; ok && rows[i].Sent >= since {
			rows[i] = rows[i].Doubted()
		}
	}
}
