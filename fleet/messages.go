package fleet

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"duckload/attack"
	"duckload/scenarios"
)

// What coordinator and agents tell each other, and under which subjects. Runs
// and agents have plain names, so a subject cannot be forged by one.

const callSubject = "duckload.call"

func helloSubject(run string) string      { return "duckload.run." + run + ".hello" }
func stopSubject(run string) string       { return "duckload.run." + run + ".stop" }
func clockSubject(run string) string      { return "duckload.run." + run + ".clock" }
func newsSubject(run string) string       { return "duckload.run." + run + ".news" }
func orderSubject(instance string) string { return "duckload.agent." + instance + ".order" }
func startSubject(instance string) string { return "duckload.agent." + instance + ".start" }
func keptSubject(run, agent string) string {
	return kept + "." + run + "." + agent
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckName reports what is wrong with the name of an agent.
func CheckName(name string) error {
	if !plainName.MatchString(name) {
		return fmt.Errorf("%q is not a name (letters, digits, '-' and '_', at most 64)", name)
	}
	return nil
}

// A call asks who is there and has nothing to do.
type call struct {
	Run string `json:"run"`
}

// A hello answers a call.
type hello struct {
	Info     Info   `json:"info"`
	Instance string `json:"instance"`       // of the agent's process
	Busy     string `json:"busy,omitempty"` // with this run
}

// Info says who an agent is. It lies beside its record, as agent.json.
type Info struct {
	Name    string   `json:"name"`
	Sources []string `json:"sources,omitempty"` // addresses that its connections to the target leave from
	Seen    string   `json:"seen,omitempty"`    // its address as the bus sees it
	Local   []string `json:"local,omitempty"`   // addresses that its machine has, but for loopback; at most 64
	Version string   `json:"version"`           // of its duckload
	Run     string   `json:"run,omitempty"`     // that the record beside it is of, and
	Agents  []string `json:"agents,omitempty"`  // all that take part in it
}

// An Order is what an agent is to do.
type Order struct {
	Run    string   `json:"run"`
	Part   int      `json:"part"`   // of the agent, from 0
	Agents []string `json:"agents"` // all of the run, in order of their parts

	Path    string                   `json:"path"`     // of the scenario
	Text    string                   `json:"scenario"` // as it was read: references to secrets, not secrets
	Compile scenarios.CompileOptions `json:"compile"`
	Budget  scenarios.Budget         `json:"budget"` // of the whole run

	Target   string   `json:"target"`             // base URL
	Emulator bool     `json:"emulator,omitempty"` // the coordinator started it itself
	Allow    []string `json:"allow,omitempty"`

	Digest string `json:"digest"` // of the plan: PlanDigest
	World  string `json:"world"`  // of what environment and files supplied: see [Witness]
}

// Ready says that an agent waits for the start, or why it does not.
type ready struct {
	Refused string        `json:"refused,omitempty"`
	Kind    Kind          `json:"kind,omitempty"`
	Bound   time.Duration `json:"bound"` // half the width of what it knows of the coordinator's clock
	Sources []string      `json:"sources,omitempty"`
}

// A Kind says what sort of refusal one is.
type Kind string

// The kinds of refusals. Empty: anything else.
const (
	Guarded  Kind = "guarded"  // a host or a budget that the agent does not allow
	Unusable Kind = "unusable" // the agent cannot reach the target
	Mistaken Kind = "mistaken" // the scenario cannot be read or compiled there, or comes out different
)

// A Refusal is why an agent does not take part.
type Refusal struct {
	Agent string
	Kind  Kind
	Why   string
}

func (r Refusal) Error() string { return "agent " + r.Agent + ": " + r.Why }

// start says when it begins. An agent that does not hear until a while before
// that everybody knows of it does not begin.
type start struct {
	At    time.Duration `json:"at"`    // by the coordinator's clock
	Until time.Duration `json:"until"` // the same clock
	Wall  time.Time     `json:"wall"`  // At, for people
}

// stop ends a run.
type stop struct {
	Reason string `json:"reason"`
}

// A reading is what the coordinator's clock says.
type reading struct {
	Clock string        `json:"clock"` // which one: of a process
	At    time.Duration `json:"at"`
	Go    bool          `json:"go,omitempty"` // every agent has confirmed the start
}

// News is what an agent has done since its last news.
type news struct {
	Agent  string         `json:"agent"`
	At     time.Duration  `json:"at"`               // by its clock, since the start
	Events []attack.Event `json:"events,omitempty"` // phases and tracks that began and ended
	Counts []count        `json:"counts,omitempty"`
	Ended  bool           `json:"ended,omitempty"`  // nothing more is sent, and
	Reason string         `json:"reason,omitempty"` // why it ended early
	Failed string         `json:"failed,omitempty"` // what kept it from being what was asked for
	Kind   Kind           `json:"kind,omitempty"`
}

// A count is of requests of a phase that had the same outcome.
type count struct {
	attack.Event
	N int `json:"n"`
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of text and numbers
	}
	return text
}

func decode[T any](data []byte) (v T, err error) {
	err = json.Unmarshal(data, &v)
	return v, err
}
