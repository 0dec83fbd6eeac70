package scenarios

import (
	"embed"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
)

// A Script is what a server does to a client that is to be judged: a few
// answers in a row to each method and path, then the answers that it asked for.
type Script struct {
	Name string
	Doc  string // one sentence; may be empty

	// Paths are those that the script answers: "/v1/orders" is that path alone,
	// "/v1/*" all below. Empty: every path that the emulated API has.
	Paths []string

	Turns []Turn

	// Published: where the turns are over, the published limits hold. Else
	// nothing is limited.
	Published bool

	// Then is the answer once the turns are over; nil: the emulated API answers.
	Then *Turn

	// Budget is the most requests that a client may send to one method and path
	// until it succeeds.
	Budget int
}

// A Turn is an answer of a script, given some times in a row.
type Turn struct {
	Times int // 0: for ever

	Status int
	Close  bool // the connection ends without an answer, and Status is 0
	After  time.Duration

	// Wait is what Retry-After tells, as a number of seconds or as a date; 0:
	// the answer has none.
	Wait time.Duration
	Date bool

	Code string // of the error in the body; empty: none
	Body string // instead of the usual one; empty: the usual one
}

// Forever reports whether the script never relents.
func (s Script) Forever() bool { return len(s.Turns) > 0 && s.Turns[len(s.Turns)-1].Times == 0 }

// UsualBudget is the most requests for one call if a script does not say.
const UsualBudget = 10

//go:embed scripts/*.yaml
var scripts embed.FS

// Scripts names the scripts that come with duckload, in the order in which
// they are played.
var Scripts = []string{
	"limited", "limited-date", "limited-silent", "faults", "unavailable", "closed", "slow",
	"outage", "bad-key", "low-tier", "exists", "published",
}

// BuiltInScript returns a script that comes with duckload.
func BuiltInScript(name string) (Script, error) {
	if !slices.Contains(Scripts, name) {
		return Script{}, fmt.Errorf("no script called %q is built in%s (have %s, or name a file that ends in .yaml)", name, didYouMean(name, Scripts), strings.Join(Scripts, ", "))
	}
	text, err := scripts.ReadFile(path.Join("scripts", name+".yaml"))
	if err != nil {
		panic(err) // the file is compiled in
	}
	s, err := LoadScript(name+" (built in)", text)
	s.Name = name
	return s, err
}

// ScriptText is the file of a script that comes with duckload, to begin one's
// own with.
func ScriptText(name string) ([]byte, error) {
	if _, err := BuiltInScript(name); err != nil {
		return nil, err
	}
	return scripts.ReadFile(path.Join("scripts", name+".yaml"))
}

// LoadScript reads a script and checks it. If anything is wrong, the error is
// [Mistakes]: all of them.
func LoadScript(file string, text []byte) (Script, error) {
	r := &reader{file: file, sourcesAt: map[netip.Addr]Mistake{}}
	root := r.parse(text)
	if root == nil {
		return Script{}, r.mistakes.sorted()
	}
	s := Script{Budget: UsualBudget, Name: strings.TrimSuffix(path.Base(file), path.Ext(file))}
	top := node{Node: root}
	found := r.mapping(top, []key{
		{"version", func(n node) { r.whole(n, 1, 1) }},
		{"name", func(n node) { s.Name, _ = r.text(n) }},
		{"doc", func(n node) { s.Doc, _ = r.text(n) }},
		{"paths", func(n node) {
			for _, item := range r.oneOrMore(n) {
				s.Paths = append(s.Paths, r.scriptPath(item))
			}
		}},
		{"limits", func(n node) { s.Published = r.oneOf(n, "published") != "" }},
		{"answers", func(n node) { s.Turns = r.turns(n) }},
		{"then", func(n node) {
			turn := r.turn(n, false)
			s.Then = &turn
		}},
		{"budget", func(n node) { s.Budget = int(r.whole(n, 1, 100_000)) }},
	})
	if found != nil && !found["version"] {
		r.bad(top, "version is missing")
	}
	if found != nil && !found["answers"] && !found["limits"] {
		r.bad(top, "answers is missing")
	}
	if s.Published && (s.Then != nil || len(s.Paths) > 0) {
		r.bad(top, "the published limits are those of the emulated API: leave out paths and then")
	}
	if s.Forever() && s.Then != nil {
		r.bad(top, "then is never reached: the last answer is given for ever (give it a number of times)")
	}
	if len(r.mistakes) > 0 {
		return Script{}, r.mistakes.sorted()
	}
	return s, nil
}

func (r *reader) scriptPath(n node) string {
	text, ok := r.text(n)
	if ok && (!strings.HasPrefix(text, "/") || strings.Contains(strings.TrimSuffix(text, "*"), "*")) {
		r.bad(n, "must be a path, with * at its end at most, got %s (write /v1/orders or /v1/*)", n.kind())
	}
	return text
}

func (r *reader) turns(n node) []Turn {
	var all []Turn
	items := r.items(n)
	if len(items) == 0 && n.kind() == "a list" {
		r.bad(n, "name at least one answer")
	}
	for i, item := range items {
		turn := r.turn(item, true)
		if turn.Times == 0 && i < len(items)-1 {
			r.bad(item, "is given for ever: the answers below it are never reached")
		}
		all = append(all, turn)
	}
	return all
}

// turn reads an answer; what is given once the others are over has no number
// of times.
func (r *reader) turn(n node, counted bool) Turn {
	t := Turn{Times: 1}
	keys := []key{
		{"status", func(n node) { t.Status = int(r.whole(n, 200, 599)) }},
		{"close", func(n node) { t.Close = r.boolean(n) }},
		{"after", func(n node) { t.After = r.duration(n) }},
		{"retry_after", func(n node) { t.Wait, t.Date = r.waitOf(n) }},
		{"code", func(n node) { t.Code, _ = r.text(n) }},
		{"body", func(n node) { t.Body, _ = r.text(n) }},
	}
	if counted {
		keys = append(keys, key{"times", func(n node) {
			if t.Times = 0; n.Value != "forever" {
				t.Times = int(r.whole(n, 1, 10_000))
			}
		}})
	}
	found := r.mapping(n, keys)
	switch {
	case found == nil:
	case t.Close && (found["status"] || found["retry_after"] || found["code"] || found["body"]):
		r.bad(n, "a connection that is closed has no status, retry_after, code or body")
	case !t.Close && !found["status"]:
		r.bad(n, "status is missing (or write close: true)")
	case t.Status >= 200 && t.Status < 400 && (t.Wait > 0 || t.Code != ""):
		r.bad(n, "an answer that is no error has neither retry_after nor code")
	}
	return t
}

// waitOf reads "2s", or "date 2s" for the date that is then.
func (r *reader) waitOf(n node) (wait time.Duration, date bool) {
	text, ok := r.text(n)
	if !ok {
		return 0, false
	}
	text, date = strings.CutPrefix(text, "date ")
	wait, wrong := parseDuration(text)
	switch {
	case wrong != "":
		r.bad(n, "%s, or date 2s for the other form", wrong)
	case wait%time.Second != 0:
		r.bad(n, "must be whole seconds, as Retry-After is, got %q", text)
	}
	return wait, date
}
