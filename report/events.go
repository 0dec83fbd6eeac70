package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// EventsSchema names the contract that each line of events keeps.
const EventsSchema = "duckload.events/1"

var eventsFormat = Format{
	Name:  "ndjson",
	Doc:   "what happened as it happened, an event a line, for programs: schema " + EventsSchema,
	File:  "events.ndjson",
	Write: writeEvents,
}

// The names of events are a contract, as those of verdict.json are.
type (
	runEvent struct {
		Event   string           `json:"event"`
		Schema  string           `json:"schema"`
		Tool    string           `json:"tool"`
		Run     plannedJSON      `json:"run"`
		Groups  []promisedJSON   `json:"groups"`
		Senders []eventLaneJSON  `json:"senders"`
		Phases  []eventPhaseJSON `json:"phases"`
	}
	plannedJSON struct {
		ID       string `json:"id"`
		Scenario string `json:"scenario"`
		Target   string `json:"target"`
		Started  string `json:"started"`
		Planned  int    `json:"planned"`
		Seed     uint64 `json:"seed"`
	}
	promisedJSON struct {
		Name     string      `json:"name"`
		Promise  []limitJSON `json:"promise"`
		Requests []string    `json:"requests"`
	}
	eventLaneJSON struct {
		Group    string  `json:"group"`
		Lane     string  `json:"lane"`
		Identity *string `json:"identity"`
		Source   *string `json:"source"`
	}
	eventPhaseJSON struct {
		Group string `json:"group"`
		Phase string `json:"phase"`
		Pace  string `json:"pace"`
	}
	phaseEvent struct {
		Event string `json:"event"`
		eventPhaseJSON
		Sent *float64 `json:"sent_s"`
	}
	requestEvent struct {
		Event    string         `json:"event"`
		Group    string         `json:"group"`
		Lane     string         `json:"lane"`
		Phase    string         `json:"phase"`
		Seq      uint64         `json:"seq"`
		Request  int            `json:"request"`
		Intended *float64       `json:"intended_s"`
		Sent     *float64       `json:"sent_s"`
		Answered *float64       `json:"answered_s"`
		Done     *float64       `json:"done_s"`
		Resent   bool           `json:"resent"`
		Unsent   bool           `json:"unsent"`
		Status   *int           `json:"status"`
		Outcome  string         `json:"outcome"`
		Error    *string        `json:"error"`
		In       int64          `json:"bytes_in"`
		Out      int64          `json:"bytes_out"`
		Fields   limiter.Fields `json:"fields"`
	}
	checkEvent struct {
		Event string `json:"event"`
		Group string `json:"group"`
		checkJSON
	}
	verdictEvent struct {
		Event    string   `json:"event"`
		Outcome  string   `json:"outcome"`
		Sentence string   `json:"sentence"`
		Duration float64  `json:"duration_s"`
		Complete bool     `json:"complete"`
		Requests int      `json:"requests"`
		Reason   *string  `json:"reason"`
		Caveats  []string `json:"caveats"`
	}
)

// Events writes a run as it happens, a JSON object a line: what is planned,
// each request as it is recorded with its phase before the first of it, each
// check and the verdict. What is written live is what the record gives later,
// byte for byte. It is not safe for use by several goroutines at once.
type Events struct {
	out    io.Writer
	header history.Header
	began  []bool // phases that were written
	failed error  // the first; nothing is written after it
}

// NewEvents writes the event of the run's beginning.
func NewEvents(w io.Writer, h history.Header) *Events {
	e := &Events{out: w, header: h, began: make([]bool, len(h.Phases))}
	begin := runEvent{
		Event: "run", Schema: EventsSchema, Tool: h.Tool,
		Run:     plannedJSON{h.Run, h.Scenario, h.Target, h.Started.Format(time.RFC3339Nano), h.Planned, h.Seed},
		Groups:  []promisedJSON{},
		Senders: []eventLaneJSON{},
		Phases:  []eventPhaseJSON{},
	}
	for _, g := range h.Groups {
		begin.Groups = append(begin.Groups, promisedJSON{g.Name, limitsOf(g.Promise), some(g.Requests)})
	}
	for i, l := range h.Lanes {
		begin.Senders = append(begin.Senders, eventLaneJSON{e.group(l.Group), laneName(h, i), said(l.Identity), said(l.Source)})
	}
	for i := range h.Phases {
		begin.Phases = append(begin.Phases, e.phase(i))
	}
	e.write(begin)
	return e
}

func (e *Events) group(i int) string { return e.header.Groups[i].Name }

func (e *Events) phase(i int) eventPhaseJSON {
	p := e.header.Phases[i]
	return eventPhaseJSON{e.group(p.Group), p.Label, p.Pace}
}

// Observed writes a request, and its phase if it is the first one of it.
func (e *Events) Observed(o history.Observation) error {
	if i := o.Phase; !e.began[i] {
		e.began[i] = true
		e.write(phaseEvent{"phase", e.phase(i), moment(o.Sent)})
	}
	line := requestEvent{
		Event: "request", Group: e.group(e.header.Lanes[o.Lane].Group), Lane: laneName(e.header, o.Lane), Phase: phaseName(e.header, o.Phase),
		Seq: o.Seq, Request: o.Request, Intended: moment(o.Intended), Sent: moment(o.Sent), Answered: moment(o.Answered), Done: moment(o.Done),
		Resent: o.Resent, Unsent: o.Unsent, Outcome: e.header.Outcome(o).String(), Error: said(o.Error), In: o.BytesIn, Out: o.BytesOut, Fields: o.Evidence,
	}
	if o.Status != 0 {
		line.Status = &o.Status
	}
	if line.Fields == nil {
		line.Fields = limiter.Fields{}
	}
	e.write(line)
	return e.failed
}

// Judged writes each check and the verdict, which is the last event.
func (e *Events) Judged(f analyze.Findings) error {
	for _, g := range f.Groups {
		for _, finding := range g.Findings {
			e.write(checkEvent{"check", g.Name, checkOf(e.header, finding)})
		}
	}
	e.write(verdictEvent{
		Event: "verdict", Outcome: string(f.Outcome), Sentence: f.Sentence, Duration: f.Run.Duration.Seconds(),
		Complete: f.Run.Complete, Requests: f.Run.Requests, Reason: said(f.Run.Reason), Caveats: some(f.Caveats),
	})
	return e.failed
}

func (e *Events) write(event any) {
	if e.failed != nil {
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(event); err != nil {
		e.failed = fmt.Errorf("events: %w", err)
		return
	}
	_, e.failed = e.out.Write(visible(b.Bytes()))
}

func writeEvents(w io.Writer, r Report) error {
	e := NewEvents(w, r.Header)
	if r.Observations != nil {
		for o, err := range r.Observations {
			if err != nil {
				return err
			}
			if err := e.Observed(o); err != nil {
				return err
			}
		}
	}
	return e.Judged(r.Findings)
}
