package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf16"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// Schema names the contract that verdict.json keeps.
const Schema = "duckload.verdict/1"

var jsonFormat = Format{
	Name:   "json",
	Doc:    "every finding, for programs: schema " + Schema,
	File:   "verdict.json",
	Always: true,
	Write:  writeJSON,
}

// The names of verdict.json are a contract: keys may be added, none renamed or
// taken away. What was not documented, not measured or did not happen is null.
type (
	verdictJSON struct {
		Schema      string       `json:"schema"`
		Outcome     string       `json:"outcome"`
		Sentence    string       `json:"sentence"`
		Tool        string       `json:"tool"`
		Run         runJSON      `json:"run"`
		Groups      []groupJSON  `json:"groups"`
		Lateness    latenessJSON `json:"lateness_ms"`
		Agents      []agentJSON  `json:"agents,omitempty"` // of a fleet
		Caveats     []string     `json:"caveats"`
		Assumptions []string     `json:"assumptions"`
	}
	agentJSON struct {
		Name      string   `json:"name"`
		Address   *string  `json:"address"`
		Requests  int      `json:"requests"`
		Bound     *float64 `json:"bound_ms"` // null: nothing bounds its clock
		Unbounded *string  `json:"unbounded"`
		Gaps      []string `json:"gaps"`
	}
	runJSON struct {
		ID       string  `json:"id"`
		Scenario string  `json:"scenario"`
		Target   string  `json:"target"`
		Started  string  `json:"started"`
		Duration float64 `json:"duration_s"`
		Complete bool    `json:"complete"`
		Requests int     `json:"requests"`
		Seed     uint64  `json:"seed"`
		Reason   *string `json:"reason"`
	}
	groupJSON struct {
		Name     string       `json:"name"`
		Outcome  string       `json:"outcome"`
		Lanes    []string     `json:"lanes"`
		Promise  []limitJSON  `json:"promise"`
		Measured *measured    `json:"measured"`
		Checks   []checkJSON  `json:"checks"`
		Requests requestsJSON `json:"requests"`
		Latency  latencyJSON  `json:"latency_ms"`

		Webhooks []webhookJSON  `json:"webhooks,omitempty"` // of each kind of event
		Capacity []capacityJSON `json:"capacity,omitempty"` // of searches
	}
	limitJSON struct {
		Limit          int64    `json:"limit"`
		Window         *float64 `json:"window_s"` // null: of requests at once
		Burst          *int64   `json:"burst"`
		Scope          *string  `json:"scope"`
		Reading        string   `json:"reading"`
		Tolerance      float64  `json:"tolerance"`
		RejectsConsume bool     `json:"rejects_consume"`
		Verified       bool     `json:"verified"`
	}
	checkJSON struct {
		ID      string       `json:"id"`
		Outcome string       `json:"outcome"`
		Message string       `json:"message"`
		Witness *witnessJSON `json:"witness"`
	}
	witnessJSON struct {
		Sentence string         `json:"sentence"`
		From     *float64       `json:"from_s"`
		To       *float64       `json:"to_s"`
		Counted  int            `json:"counted"`
		Allowed  *float64       `json:"allowed"`
		Requests []evidenceJSON `json:"requests"`
		More     int            `json:"more"`
	}
	evidenceJSON struct {
		Lane     string         `json:"lane"`
		Phase    string         `json:"phase"`
		Seq      uint64         `json:"seq"`
		Request  int            `json:"request"`
		Sent     *float64       `json:"sent_s"`
		Answered *float64       `json:"answered_s"`
		Status   *int           `json:"status"`
		Outcome  string         `json:"outcome"`
		Fields   limiter.Fields `json:"fields"`
	}
	requestsJSON struct {
		Sent     int `json:"sent"`
		Admitted int `json:"admitted"`
		Rejected int `json:"rejected"`
		Unknown  int `json:"unknown"`
	}
	latencyJSON struct {
		Admitted percentilesJSON `json:"admitted"`
		Rejected percentilesJSON `json:"rejected"`
		Unknown  percentilesJSON `json:"unknown"`
	}
	percentilesJSON struct {
		N    int      `json:"n"`
		Mean *float64 `json:"mean"`
		P50  *float64 `json:"p50"`
		P90  *float64 `json:"p90"`
		P95  *float64 `json:"p95"`
		P99  *float64 `json:"p99"`
		Max  *float64 `json:"max"`
	}
	latenessJSON struct {
		N   int      `json:"n"`
		P50 *float64 `json:"p50"`
		P99 *float64 `json:"p99"`
		Max *float64 `json:"max"`
	}
	measured struct {
		Family         *string   `json:"family"`
		Consistent     []string  `json:"consistent"`
		LimitPerWindow *interval `json:"limit_per_window"`
		RatePerSecond  *interval `json:"rate_per_s"`
		Burst          *interval `json:"burst"`
		Window         *interval `json:"window_s"`
		AtOnce         *interval `json:"at_once,omitempty"`
		Scope          *string   `json:"scope"`
		RejectsConsume *bool     `json:"rejects_consume"`
	}
	interval struct {
		Low  *float64 `json:"low"`
		High *float64 `json:"high"` // null: without bound
	}
)

func writeJSON(w io.Writer, r Report) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(verdict(r)); err != nil {
		return fmt.Errorf("verdict.json: %w", err)
	}
	_, err := w.Write(visible(b.Bytes()))
	return err
}

// visible spells out in JSON what JSON allows but a terminal obeys. Only
// strings hold such runes, and to a parser the bytes mean the same.
func visible(doc []byte) []byte {
	if !slices.ContainsFunc(doc, func(c byte) bool { return c != '\n' && (c < ' ' || c > '~') }) {
		return doc // nearly always
	}
	var b bytes.Buffer
	for _, r := range string(doc) {
		switch {
		case r == '\n' || !unseen(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}

func verdict(r Report) verdictJSON {
	f := r.Findings
	v := verdictJSON{
		Schema: Schema, Outcome: string(f.Outcome), Sentence: f.Sentence, Tool: r.Tool,
		Run: runJSON{
			ID: f.Run.ID, Scenario: f.Run.Scenario, Target: f.Run.Target,
			Started: f.Run.Started.Format(time.RFC3339Nano), Duration: f.Run.Duration.Seconds(),
			Complete: f.Run.Complete, Requests: f.Run.Requests, Seed: f.Run.Seed, Reason: said(f.Run.Reason),
		},
		Groups:      []groupJSON{},
		Caveats:     some(f.Caveats),
		Assumptions: some(f.Assumptions),
	}
	if l := f.Lateness; l.N > 0 {
		v.Lateness = latenessJSON{N: l.N, P50: millis(l.P50), P99: millis(l.P99), Max: millis(l.Max)}
	}
	for _, a := range f.Agents {
		one := agentJSON{Name: a.Name, Address: said(a.Address), Requests: a.Requests, Unbounded: said(a.Unbounded), Gaps: some(a.Gaps)}
		if a.Unbounded == "" {
			one.Bound = millis(a.Bound)
		}
		v.Agents = append(v.Agents, one)
	}
	for _, g := range f.Groups {
		v.Groups = append(v.Groups, groupOf(r.Header, g))
	}
	return v
}

func groupOf(h history.Header, g analyze.Group) groupJSON {
	all := groupJSON{
		Name: g.Name, Outcome: string(g.Outcome), Lanes: some(g.Lanes),
		Promise: limitsOf(g.Promise), Measured: measuredOf(g.Measured), Checks: []checkJSON{},
		Requests: requestsJSON{g.Sent, g.Admitted, g.Rejected, g.Unknown},
		Webhooks: webhooksOf(g),
		Capacity: capacitiesOf(g),
		Latency: latencyJSON{
			Admitted: percentiles(g.Latency[limiter.Admitted]),
			Rejected: percentiles(g.Latency[limiter.Rejected]),
			Unknown:  percentiles(g.Latency[limiter.Unknown]),
		},
	}
	for _, f := range g.Findings {
		all.Checks = append(all.Checks, checkOf(h, f))
	}
	return all
}
