package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// An exportFormat hands observations to other tools. To add one, list it in
// [exportFormats].
type exportFormat struct {
	name  string
	doc   string
	write func(io.Writer, *history.History) error
}

var exportFormats = []exportFormat{
	{"vegeta", "vegeta's own results, one attack for each group: for vegeta report, plot and encode", exportVegeta},
	{"csv", "a line for each observation under a line of names; safe to open in a spreadsheet", exportCSV},
	{"ndjson", "a JSON object for each observation, a line each: for DuckDB, pandas, jq", exportNDJSON},
}

// exportRun writes a history in a format, in the order in which it was
// recorded. It holds no observation in memory; vegeta's numbering needs about
// 16 bytes for each.
func exportRun(w io.Writer, h *history.History, to string) error {
	var names []string
	for _, f := range exportFormats {
		if f.name == to {
			buffered := bufio.NewWriterSize(w, 1<<16)
			if err := f.write(buffered, h); err != nil {
				return fmt.Errorf("export to %s: %w", to, err)
			}
			return buffered.Flush()
		}
		names = append(names, f.name)
	}
	return fmt.Errorf("unknown export format %q%s (have %s)", to, scenarios.DidYouMean(to, names), strings.Join(names, ", "))
}

// An exported is one observation as csv and ndjson have it. Moments are
// nanoseconds since the run began, by one monotonic clock. Bytes of a
// server that are no UTF-8 become U+FFFD: only the record has them exactly.
type exported struct {
	Group      string         `json:"group"`
	Identity   string         `json:"identity"`
	Source     string         `json:"source"` // local address; empty: the default route
	Lane       int            `json:"lane"`
	Pace       string         `json:"pace"`
	Phase      string         `json:"phase"`
	Seq        uint64         `json:"seq"`     // of the request in its lane; attempts of one request share it
	Request    int            `json:"request"` // which of the group's requests, from 0
	SentUnixNS int64          `json:"sent_unix_ns"`
	IntendedNS int64          `json:"intended_ns"`
	SentNS     int64          `json:"sent_ns"`
	AnsweredNS *int64         `json:"answered_ns"` // null, or empty: no answer came
	DoneNS     int64          `json:"done_ns"`
	Resent     bool           `json:"resent"` // given up by the transport and sent again
	Unsent     bool           `json:"unsent"` // no connection came about: nothing left
	Status     int            `json:"status"` // 0: no answer
	Outcome    string         `json:"outcome"`
	Error      string         `json:"error"`
	BytesIn    int64          `json:"bytes_in"`
	BytesOut   int64          `json:"bytes_out"`
	Evidence   limiter.Fields `json:"evidence"` // [{"name": "Retry-After", "value": "3"}]
}

func export(h *history.History, o history.Observation) exported {
	lane, phase := h.Header.Lanes[o.Lane], h.Header.Phases[o.Phase]
	e := exported{
		Group:      h.Header.Groups[lane.Group].Name,
		Identity:   lane.Identity,
		Source:     lane.Source,
		Lane:       o.Lane,
		Pace:       phase.Pace,
		Phase:      phase.Label,
		Seq:        o.Seq,
		Request:    o.Request,
		SentUnixNS: h.Header.Started.UnixNano() + int64(o.Sent),
		IntendedNS: int64(o.Intended),
		SentNS:     int64(o.Sent),
		DoneNS:     int64(o.Done),
		Resent:     o.Resent,
		Unsent:     o.Unsent,
		Status:     o.Status,
		Outcome:    h.Outcome(o).String(),
		Error:      o.Error,
		BytesIn:    o.BytesIn,
		BytesOut:   o.BytesOut,
		Evidence:   o.Evidence,
	}
	if o.Answered != history.Never {
		answered := int64(o.Answered)
		e.AnsweredNS = &answered
	}
	if e.Evidence == nil {
		e.Evidence = limiter.Fields{} // [] and not null
	}
	return e
}

func exportNDJSON(w io.Writer, h *history.History) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for o, err := range h.All() {
		if err != nil {
			return err
		}
		if err := out.Encode(export(h, o)); err != nil {
			return err
		}
	}
	return nil
}

// csvColumns are the names in the first line, those of ndjson.
var csvColumns = []string{
	"group", "identity", "source", "lane", "pace", "phase", "seq", "request",
	"sent_unix_ns", "intended_ns", "sent_ns", "answered_ns", "done_ns",
	"resent", "unsent", "status", "outcome", "error", "bytes_in", "bytes_out", "evidence",
}

// exportCSV writes what a spreadsheet does not take for a formula, whatever a
// server or a scenario said. What a server said stands in the column evidence
// alone, as JSON: in it, = + - and @ are written as JSON's \u escapes wherever
// a formula could begin. Any other text that begins like one gets a leading
// apostrophe, which spreadsheets take as the mark of a text.
func exportCSV(w io.Writer, h *history.History) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvColumns); err != nil {
		return err
	}
	for o, err := range h.All() {
		if err != nil {
			return err
		}
		e := export(h, o)
		evidence, err := json.Marshal(e.Evidence)
		if err != nil {
			return err
		}
		answered := ""
		if e.AnsweredNS != nil {
			answered = integer(*e.AnsweredNS)
		}
		err = out.Write([]string{
			plain(e.Group), plain(e.Identity), plain(e.Source), strconv.Itoa(e.Lane), plain(e.Pace), plain(e.Phase),
			strconv.FormatUint(e.Seq, 10), strconv.Itoa(e.Request),
			integer(e.SentUnixNS), integer(e.IntendedNS), integer(e.SentNS), answered, integer(e.DoneNS),
			strconv.FormatBool(e.Resent), strconv.FormatBool(e.Unsent), strconv.Itoa(e.Status), e.Outcome, plain(e.Error),
			integer(e.BytesIn), integer(e.BytesOut), unformula(evidence),
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func integer(v int64) string { return strconv.FormatInt(v, 10) }

// plain returns a text that no spreadsheet takes for a formula.
func plain(s string) string {
	begin := strings.TrimLeft(s, " \u00a0")
	if begin != "" && strings.ContainsAny(begin[:1], "=+-@\t\r\n") || strings.HasPrefix(begin, "＝") ||
		strings.HasPrefix(begin, "＋") || strings.HasPrefix(begin, "－") || strings.HasPrefix(begin, "＠") {
		return "'" + s
	}
	return s
}

// unformula escapes what could begin a formula in a text of JSON, and changes
// nothing of what the JSON means. It looks at every place, not only the first:
// a spreadsheet with another separator than ours cuts elsewhere.
func unformula(text []byte) string {
	var b strings.Builder
	last := byte(0)
	for _, c := range text {
		word := last >= '0' && last <= '9' || last >= 'A' && last <= 'Z' || last >= 'a' && last <= 'z'
		if strings.IndexByte("=+-@", c) >= 0 && !word {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
		last = c
	}
	return b.String()
}
