package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"duckload/docs/schemas"
	"duckload/emulator"
)

// published compiles a schema as "duckload schema NAME" prints it.
func published(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	exit, text := inProcess(t, "schema", name)
	if exit != exitPass {
		t.Fatalf("schema %s: exit status %d: %s", name, exit, text)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile(name)
}

func TestEverySchemaIsOne(t *testing.T) {
	for _, s := range schemas.All {
		published(t, s.Name)
		if s.Doc == "" {
			t.Errorf("%s: says nothing about itself", s.Name)
		}
	}
}

// What a real run leaves keeps what is published.
func TestARealRunKeepsTheSchemas(t *testing.T) {
	t.Parallel() // it waits more than it works
	served, err := start(t.Context(), emulator.SpaceDuck().Scaled(2*time.Second), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer served.close()
	dir := t.TempDir()
	file := filepath.Join(dir, "scenario.yaml")
	err = os.WriteFile(file, []byte(`
version: 1
target: http://127.0.0.1:1
defaults: {on_reject: {retry_after: required, json: {error.code: E4004}}}
groups:
  kept: {promise: {limit: 60/2s, burst: 120}, requests: [GET /beak/system/status], pacing: [{burst: 3}]}
  broken: {promise: {limit: 3/min, burst: 1, scope: ip}, requests: [POST /beak/signup], admitted: [2xx, 400], pacing: [{burst: 5}]}
  refused: {promise: {limit: 5/2s, burst: 2, scope: ip}, requests: [POST /beak/newsletter/subscribe], admitted: [2xx, 400, 401, 403], pacing: [{burst: 4}]}
`), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	exit, output := inProcess(t, "run", file, "--target", served.url, "--out", filepath.Join(dir, "out"), "--quiet", "--format", "ndjson="+filepath.Join(dir, "events"))
	if exit != exitFail && exit != exitInconclusive {
		t.Fatalf("exit status %d:\n%s", exit, output)
	}
	verdicts, err := filepath.Glob(filepath.Join(dir, "out", "*", "verdict.json"))
	if err != nil || len(verdicts) != 1 {
		t.Fatalf("got %d files verdict.json, %v", len(verdicts), err)
	}
	keeps(t, published(t, "verdict"), read(t, verdicts[0]))
	lines, schema := 0, published(t, "events")
	for line := range bytes.Lines(read(t, filepath.Join(dir, "events"))) {
		keeps(t, schema, line)
		lines++
	}
	if lines < 20 {
		t.Errorf("got %d events, want one for each request and each check", lines)
	}
}

func keeps(t *testing.T, schema *jsonschema.Schema, text []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%.200s: %v", text, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
