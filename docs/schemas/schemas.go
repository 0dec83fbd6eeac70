// Package schemas holds the published JSON Schemas (draft 7) of what duckload
// reads and writes. Tests hold them to the code, in both directions.
package schemas

import "embed"

// A Schema is a published one.
type Schema struct {
	Name string // as "duckload schema NAME" has it
	Doc  string // one sentence
	File string // in this folder
}

// All lists every schema.
var All = []Schema{
	{"verdict", "verdict.json: what was found out in a run", "verdict.schema.json"},
	{"scenario", "scenario files, for editors: # yaml-language-server: $schema=scenario.schema.json", "scenario.schema.json"},
	{"events", "one line of events.ndjson", "events.schema.json"},
	{"client", "what client-check --format json writes", "client.schema.json"},
	{"script", "scripts of client-check, for editors", "script.schema.json"},
}

//go:embed *.schema.json
var files embed.FS

// Text is the schema as JSON.
func (s Schema) Text() []byte {
	text, err := files.ReadFile(s.File)
	if err != nil {
		panic(err) // the files are compiled in
	}
	return text
}
