package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// The published schema of a scenario and the reader are written by hand, each
// in its own words. These tests hold one to the other.

const schemaFile = "../docs/schemas/scenario.schema.json"

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a YAML text as a JSON Schema sees it.
func asJSON(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	read, err := jsonschema.UnmarshalJSON(bytes.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// wholeScenario has every map that a scenario can have, and every word that is one
// of a few.
const wholeScenario = `# yaml-language-server: $schema=scenario.schema.json
version: 1
name: whole
target: https://127.0.0.1:1/prefix/
allow_hosts: [example.com, 10.0.0.1]
documentation: here
defaults:
  on_reject: {status: [429, 503], retry_after: exact, json: {error: {code: E4004}, "a.b": 1}}
  admitted: [2xx, 409, 200-204]
  sources: auto
  objectives: {p50: 100ms, p90: 200ms, p95: 300ms, p99: 2s, p99.9: 1h30m, errors: 0.5%}
  errors: {json: error.code, codes: {E4001: {status: 401, means: no key}, "4002": {status: [403, 401]}}}
identities:
  nobody: {}
  me: {headers: {Authorization: "Bearer ${env:TOKEN}"}, query: {key: 1}}
  users: {file: users.csv, headers: {Authorization: "Bearer ${identity.key}"}}
groups:
  plain:
    promise: {limit: 100/min, burst: 20}
    requests: [GET /x]
  all:
    promise:
      - {limit: 100/min, burst: 20, scope: ip, reading: token-bucket, tolerance: best-effort 5%, granularity: 1s, rejects_consume: true}
      - {limit: 5000/day, verify: false, tolerance: exact}
      - {limit: 5, reading: concurrency, service_time: 200ms}
    identity: [users]
    exclusive: true
    fresh: false
    decided_within: 5s
    transport: standard
    http: 1.1
    reuse: false
    timeout: 5s
    connections: 4
    host: api.example.com
    resolve: 127.0.0.1
    tls: {dangerously_accept_any_certificate: true}
    on_reject: {status: 429, retry_after: required}
    admitted: 2xx
    sources: [127.0.0.2]
    objectives: {errors: 1%}
    errors: {json: code, codes: {E1: {status: 400}}}
    expect: {me: admitted, nobody: E1}
    setup:
      - {POST: /login, json: {a: [1, null, {b: "${identity.key}"}]}, capture: {token: {json: data.token}, id: {header: X-Id}}}
    requests:
      - {POST: "/x/${capture.id}", headers: {A: "${capture.token}"}, query: {q: 1}, form: {email: "${unique.email}"}, weight: 2, creates: account}
      - {PUT: /y, body: text}
      - {POST: /z, json: {id: "${unique.id}"}, effect: {again: {status: 409, json: {error.code: E4003}}}}
      - {POST: /z, body: "${unique.id}", effect: {look: {GET: "/z/${unique.id}"}, happened: {status: 200}, absent: {status: [404, 410]}, count: n, idempotent: true}}
      - {PATCH: /y, file: body.json}
    teardown: [DELETE /x]
    pacing:
      - rest: full
      - rest: 30s
      - burst: 100% + 2
      - burst: 5
      - {hold: 80%, for: 2m}
      - {ramp: 50% -> 150%, for: 2m}
      - {steps: [50%, 3/s], for: 1m}
      - {spike: {from: 20%, to: 300%}, for: 20s}
      - {sine: {mean: 80%, amplitude: 40%, period: 30s}, for: 2m}
      - {soak: 80%, for: 2m}
      - {replay: traffic.csv, time_scale: 2, column: time}
      - {probe: edges, for: 30s}
      - {obey: retry-after, times: 6}
      - find-capacity: {from: 10%, to: 500/s, each: 5s, precision: 3%, requests: 1000}
  other:
    promise: {limit: 100/min, burst: 20}
    shares: plain
    requests: [{GET: /x}]
webhooks:
  listen: 0.0.0.0:8090
  path: /hooks
  secret: "${env:TOKEN}"
  signature: X-Sig
  event: kind
  id: nr
  within: 3s
  grace: 500ms
  delivery: at-least-once
  ordered: true
  refuse: 2
  match:
    made: {group: all, json: data.id, is: "${unique.id}"}
budget: {requests: 20000, duration: 20m}
stop_when: {errors: [20% in 10s, 50% in 1s]}
`

func TestTheWholeScenarioIsRightForBoth(t *testing.T) {
	if _, err := Load("whole.yaml", []byte(wholeScenario), world()); err != nil {
		t.Errorf("the reader: %v", err)
	}
	if err := schema(t).Validate(asJSON(t, []byte(wholeScenario))); err != nil {
		t.Errorf("the schema: %v", err)
	}
}

// Whatever the reader takes, the schema takes too: an editor that complains of
// a good file is worse than none.
func TestWhatTheReaderTakesTheSchemaTakes(t *testing.T) {
	s, taken := schema(t), 0
	check := func(name string, text []byte, env Env) {
		if _, err := Load(name, text, env); err != nil {
			return
		}
		taken++
		if err := s.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, pattern := range []string{"*.yaml", "../examples/*.yaml", "../examples/*/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			env := Process(filepath.Dir(path))
			env.Lookup = func(string) (string, bool) { return "value", true }
			check(path, text, env)
		}
	}
	scripts, err := filepath.Glob("../cmd/duckload/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		env := Env{Lookup: func(string) (string, bool) { return "value", true }, ReadFile: func(name string) ([]byte, error) {
			for _, f := range archive.Files {
				if f.Name == name {
					return f.Data, nil
				}
			}
			return nil, fs.ErrNotExist
		}}
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".yaml") {
				check(script+": "+f.Name, f.Data, env)
			}
		}
	}
	if taken < 10 {
		t.Errorf("only %d scenarios were read; where are the others?", taken)
	}
}

// have finds what the reader would take in a message of its.
var have = regexp.MustCompile(`unknown (?:key|value).*\(have ([^)]*)\)$`)

// answers puts a word into a place of the whole scenario and returns what the
// reader says that it would take there instead; nil: it says no such thing.
func answers(t *testing.T, put func(*yaml.Node)) []string {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(wholeScenario), &doc); err != nil {
		t.Fatal(err)
	}
	put(doc.Content[0])
	text, err := yaml.Marshal(&doc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load("whole.yaml", text, world())
	var mistakes Mistakes
	if !errors.As(err, &mistakes) {
		return nil
	}
	for _, m := range mistakes {
		if found := have.FindStringSubmatch(m.Text); found != nil && (strings.Contains(m.Path, odd) || strings.Contains(m.Text, odd)) {
			return strings.Split(found[1], ", ")
		}
	}
	return nil
}

// odd is no key and no word of a scenario.
const odd = "qqqqqqqqqqqqqqqqqqqq"

// built leaves out the keys that the reader knows and refuses: "not supported
// yet". Those that are in the schema need not be asked for.
func built(t *testing.T, at func(*yaml.Node) *yaml.Node, names []string, published map[string]any) []string {
	t.Helper()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		if published[name] != nil {
			return false
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(wholeScenario), &doc); err != nil {
			t.Fatal(err)
		}
		object := at(doc.Content[0])
		object.Content = append(object.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &yaml.Node{Kind: yaml.ScalarNode, Value: "x"})
		text, _ := yaml.Marshal(&doc)
		_, err := Load("whole.yaml", text, world())
		return strings.Contains(fmt.Sprint(err), "."+name+": not supported yet")
	})
}

// Each map of a scenario has the same keys in the schema as for the reader,
// and each word that is one of a few has the same few.
func TestTheSchemaHasTheKeysOfTheReader(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	w := walker{t: t, definitions: root["definitions"].(map[string]any), visited: map[string]bool{}}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(wholeScenario), &doc); err != nil {
		t.Fatal(err)
	}
	w.walk("scenario", doc.Content[0], []any{root}, func(n *yaml.Node) *yaml.Node { return n })
	for _, name := range closedObjects(root) {
		if !w.visited[name] {
			t.Errorf("the schema has an object with the keys %s, which no map of the whole scenario has", name)
		}
	}
}

// A walker goes through a scenario and its schema side by side.
type walker struct {
	t           *testing.T
	definitions map[string]any
	visited     map[string]bool // objects of the schema, by their keys
}

// alternatives spells out references, anyOf and allOf.
func (w walker) alternatives(schemas []any) []map[string]any {
	var all []map[string]any
	for _, s := range schemas {
		s, ok := s.(map[string]any)
		if !ok {
			continue
		}
		all = append(all, s)
		if to, ok := s["$ref"].(string); ok {
			all = append(all, w.alternatives([]any{w.definitions[strings.TrimPrefix(to, "#/definitions/")]})...)
		}
		for _, several := range []string{"anyOf", "allOf"} {
			if list, ok := s[several].([]any); ok {
				all = append(all, w.alternatives(list)...)
			}
		}
	}
	return all
}

func (w walker) walk(path string, n *yaml.Node, schemas []any, at func(*yaml.Node) *yaml.Node) {
	of := w.alternatives(schemas)
	switch n.Kind {
	case yaml.MappingNode:
		w.mapping(path, n, of, at)
	case yaml.SequenceNode:
		for i := range n.Content {
			var items []any
			for _, s := range of {
				items = append(items, s["items"])
			}
			w.walk(fmt.Sprintf("%s[%d]", path, i), n.Content[i], items, func(root *yaml.Node) *yaml.Node { return at(root).Content[i] })
		}
	default:
		w.word(path, of, at)
	}
}

func (w walker) mapping(path string, n *yaml.Node, of []map[string]any, at func(*yaml.Node) *yaml.Node) {
	got := map[string]any{}
	for _, s := range of {
		if properties, ok := s["properties"].(map[string]any); ok {
			for name, value := range properties {
				got[name] = value
			}
			w.visited[names(properties)] = true
		}
	}
	want := answers(w.t, func(root *yaml.Node) {
		object := at(root)
		object.Content = append(object.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: odd}, &yaml.Node{Kind: yaml.ScalarNode, Value: "x"})
	})
	want = built(w.t, at, want, got)
	if slices.Sort(want); names(got) != strings.Join(want, ", ") {
		w.t.Errorf("%s: the schema has the keys %s, the reader %s", path, names(got), strings.Join(want, ", "))
	}
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i].Value
		var values []any
		for _, s := range of {
			if properties, ok := s["properties"].(map[string]any); ok {
				values = append(values, properties[name])
			}
			values = append(values, s["additionalProperties"])
		}
		w.walk(path+"."+name, n.Content[i+1], values, func(root *yaml.Node) *yaml.Node { return at(root).Content[i+1] })
	}
}

// word compares the few words of which a value is one.
func (w walker) word(path string, of []map[string]any, at func(*yaml.Node) *yaml.Node) {
	var got []string
	for _, s := range of {
		if list, ok := s["enum"].([]any); ok {
			for _, word := range list {
				if word := fmt.Sprint(word); !slices.Contains(got, word) {
					got = append(got, word)
				}
			}
		}
	}
	want := answers(w.t, func(root *yaml.Node) { *at(root) = yaml.Node{Kind: yaml.ScalarNode, Value: odd} })
	if strings.HasSuffix(path, ".identity[0]") || strings.HasSuffix(path, ".shares") || strings.HasSuffix(path, ".version") {
		return // names of this file, or a number
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		w.t.Errorf("%s: the schema has the words %q, the reader %q", path, got, want)
	}
}

func names(properties map[string]any) string {
	var all []string
	for name := range properties {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// closedObjects names every object of a schema by its keys.
func closedObjects(node any) []string {
	var all []string
	switch node := node.(type) {
	case map[string]any:
		if properties, ok := node["properties"].(map[string]any); ok && node["additionalProperties"] == false {
			all = append(all, names(properties))
		}
		for _, child := range node {
			all = append(all, closedObjects(child)...)
		}
	case []any:
		for _, child := range node {
			all = append(all, closedObjects(child)...)
		}
	}
	return all
}

// What the reader says of a pace is what an editor shows.
func TestTheSchemaDescribesEveryPace(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root struct {
		Definitions struct {
			Pace struct {
				Properties   map[string]struct{ Description string }
				Dependencies map[string][]string
			}
		}
	}
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	pace := root.Definitions.Pace
	for _, h := range rhythms {
		if got := pace.Properties[h.name].Description; got != h.doc {
			t.Errorf("%s: got %q, want %q", h.name, got, h.doc)
		}
		if got := pace.Dependencies[h.name]; !slices.Equal(got, h.needs) {
			t.Errorf("%s needs %q, want %q", h.name, got, h.needs)
		}
	}
}
