package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestEveryBuiltInScriptIsOne(t *testing.T) {
	for _, name := range Scripts {
		s, err := BuiltInScript(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Name != name || s.Doc == "" || len(s.Turns) == 0 != s.Published || s.Budget != UsualBudget {
			t.Errorf("%s: got %+v", name, s)
		}
		if text, err := ScriptText(name); err != nil || len(text) == 0 {
			t.Errorf("%s: got no text (%v)", name, err)
		}
	}
	if _, err := BuiltInScript("limitted"); err == nil || !strings.Contains(err.Error(), `did you mean "limited"`) {
		t.Errorf("a misspelt name: got %v", err)
	}
}

func TestAScriptIsRead(t *testing.T) {
	s, err := LoadScript("folder/mine.yaml", []byte(`
version: 1
doc: everything
paths: [/v1/orders, /v1/items/*]
budget: 4
answers:
  - {status: 429, code: LIMIT, retry_after: 2s, times: 2}
  - {status: 503, retry_after: date 1m}
  - {close: true, after: 100ms}
  - {status: 500, body: oops}
then: {status: 201, body: '{"id": 1}'}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Turn{
		{Times: 2, Status: 429, Code: "LIMIT", Wait: 2 * time.Second},
		{Times: 1, Status: 503, Wait: time.Minute, Date: true},
		{Times: 1, Close: true, After: 100 * time.Millisecond},
		{Times: 1, Status: 500, Body: "oops"},
	}
	if len(s.Turns) != len(want) {
		t.Fatalf("got %+v", s.Turns)
	}
	for i, turn := range s.Turns {
		if turn != want[i] {
			t.Errorf("answer %d: got %+v, want %+v", i+1, turn, want[i])
		}
	}
	if s.Name != "mine" || s.Budget != 4 || len(s.Paths) != 2 || s.Forever() || *s.Then != (Turn{Times: 1, Status: 201, Body: `{"id": 1}`}) {
		t.Errorf("got %+v", s)
	}
}

func TestEveryMistakeOfAScriptIsNamed(t *testing.T) {
	_, err := LoadScript("f", []byte(`version: 2
paths: orders
nothing: 1
budget: 0
answers:
  - {status: 500, times: forever}
  - {status: 99, retry_after: 1500ms}
  - {close: true, status: 200}
  - {retry_after: soon}
  - {status: 200, code: E1}
  - {status: 500, times: 0}
`))
	if err == nil {
		t.Fatal("got no mistake")
	}
	for _, want := range []string{
		"f:1:10: version: must be from 1 to 1, got 2",
		`f:2:8: paths: must be a path, with * at its end at most, got "orders"`,
		"f:3:1: nothing: unknown key",
		"f:4:9: budget: must be from 1 to 100000, got 0",
		"f:6:5: answers[0]: is given for ever: the answers below it are never reached",
		"answers[1].status: must be from 200 to 599, got 99",
		`answers[1].retry_after: must be whole seconds, as Retry-After is, got "1500ms"`,
		"answers[2]: a connection that is closed has no status",
		"answers[3]: status is missing",
		`answers[3].retry_after: must be a duration, got "soon" (write 250ms, 30s, 2m, 1h30m), or date 2s`,
		"answers[4]: an answer that is no error has neither",
		"answers[5].times: must be from 1 to 10000, got 0",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q in\n%v", want, err)
		}
	}
	for text, want := range map[string]string{
		"version: 1\nanswers: []":                  "name at least one answer",
		"answers: [{status: 500}]":                 "version is missing",
		"version: 1":                               "answers is missing",
		"version: 1\nlimits: mine":                 "have published",
		"version: 1\nlimits: published\npaths: /a": "leave out paths and then",
		"version: 1\nanswers: [{status: 500, times: forever}]\nthen: {status: 200}": "then is never reached",
		"version: 1\nanswers: [7]": "must be a map",
	} {
		if _, err := LoadScript("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// The schema takes what is built in, and what the reader refuses for its keys
// it refuses, too.
func TestTheSchemaOfScriptsIsTheReader(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../docs/schemas/script.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text string) bool { return schema.Validate(asJSON(t, []byte(text))) == nil }
	for _, name := range Scripts {
		text, err := ScriptText(name)
		if err != nil || !valid(string(text)) {
			t.Errorf("%s: the schema refuses it (%v)", name, err)
		}
	}
	const all = "version: 1\nname: n\ndoc: d\npaths: [/a]\nbudget: 3\nthen: {status: 200, body: b}\nanswers: [{status: 429, code: c, retry_after: 1s, after: 1s, body: b, times: 2}, {close: true}]\n"
	if _, err := LoadScript("f", []byte(all)); err != nil || !valid(all) {
		t.Errorf("every key: %v, and the schema says %v", err, valid(all))
	}
	for _, wrong := range []string{all + "more: 1\n", "version: 1\nanswers: [{statuss: 200}]\n", "version: 1\nanswers: []\n", "version: 2\nanswers: [{status: 500}]\n", "version: 1\n"} {
		if _, err := LoadScript("f", []byte(wrong)); err == nil || valid(wrong) {
			t.Errorf("%q: got %v, and the schema says %v", wrong, err, valid(wrong))
		}
	}
}
