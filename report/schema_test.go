package report

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaOf compiles a published schema, and with it a strict one that allows
// no key beside those it names.
func schemaOf(t *testing.T, name string) (published, strict *jsonschema.Schema) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "schemas", name+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc := parsed(t, text)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("published.json", doc); err != nil {
		t.Fatal(err)
	}
	closed := parsed(t, text)
	delete(closed.(map[string]any), "$id")
	closeObjects(closed)
	if err := compiler.AddResource("strict.json", closed); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("published.json"), compiler.MustCompile("strict.json")
}

// closeObjects forbids every key that a schema does not name. At the top of
// the events stands only what they have in common.
func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["properties"]; ok && node["oneOf"] == nil {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeObjects(child)
		}
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	}
}

func parsed(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestVerdictsKeepTheirSchema(t *testing.T) {
	published, strict := schemaOf(t, "verdict")
	for _, s := range append(samples, struct {
		name   string
		report func() Report
	}{"hostile", hostileEverywhere}, struct {
		name   string
		report func() Report
	}{"at once", atOnce}) {
		verdict := parsed(t, written(t, func(w io.Writer) error { return writeJSON(w, s.report()) }))
		for _, schema := range []*jsonschema.Schema{published, strict} {
			if err := schema.Validate(verdict); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		}
	}
}

func TestEventsKeepTheirSchema(t *testing.T) {
	published, strict := schemaOf(t, "events")
	for _, r := range []Report{passing(), failing(), undecided(), hostileEverywhere()} {
		for line := range bytes.Lines(written(t, func(w io.Writer) error { return writeEvents(w, r) })) {
			for _, schema := range []*jsonschema.Schema{published, strict} {
				if err := schema.Validate(parsed(t, line)); err != nil {
					t.Errorf("%.200s: %v", line, err)
				}
			}
		}
	}
}

// A schema names what is written and nothing else, and asks for all of it.
func TestSchemasNameWhatIsWritten(t *testing.T) {
	for name, structs := range map[string]map[string]any{
		"verdict": {
			"": verdictJSON{}, "run": runJSON{}, "groups": groupJSON{}, "lateness_ms": latenessJSON{}, "requests": requestsJSON{}, "latency_ms": latencyJSON{},
			"limit": limitJSON{}, "measured": measured{}, "interval": interval{}, "check": checkJSON{}, "witness": witnessJSON{}, "evidence": evidenceJSON{}, "percentiles": percentilesJSON{},
		},
		"events": {
			"runEvent": runEvent{}, "phaseEvent": phaseEvent{}, "requestEvent": requestEvent{}, "checkEvent": checkEvent{}, "verdictEvent": verdictEvent{},
			"limit": limitJSON{}, "witness": witnessJSON{}, "evidence": evidenceJSON{},
		},
	} {
		text, err := os.ReadFile(filepath.Join("..", "docs", "schemas", name+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]map[string]any{}
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		objects("", schema, found)
		for at, example := range structs {
			object := found[at]
			if object == nil {
				t.Errorf("%s: the schema has no %s", name, at)
				continue
			}
			want := keysOf(reflect.TypeOf(example))
			if got := slices.Sorted(maps.Keys(object["properties"].(map[string]any))); !slices.Equal(got, want) {
				t.Errorf("%s: %s: got %q, want %q", name, at, got, want)
			}
			want = keysOf(reflect.TypeOf(example), "omitempty")
			var required []string
			for _, key := range object["required"].([]any) {
				required = append(required, key.(string))
			}
			if slices.Sort(required); !slices.Equal(required, want) {
				t.Errorf("%s: %s asks for %q, want %q", name, at, required, want)
			}
		}
	}
}

// objects finds the schemas of objects by the name under which they stand.
func objects(name string, node any, found map[string]map[string]any) {
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["properties"]; ok && found[name] == nil {
			found[name] = node
		}
		for key, child := range node {
			switch key {
			case "properties", "definitions":
				for name, child := range child.(map[string]any) {
					objects(name, child, found)
				}
			default:
				objects(name, child, found)
			}
		}
	case []any:
		for _, child := range node {
			objects(name, child, found)
		}
	}
}

// keysOf are the keys that a struct has in JSON, without those that have an
// option.
func keysOf(of reflect.Type, without ...string) []string {
	var keys []string
	for f := range fieldsOf(of) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if option == "" || !slices.Contains(without, option) {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}

func fieldsOf(of reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(of) {
			if !f.Anonymous && !yield(f) {
				return
			}
		}
	}
}
