package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"duckload/analyze"
	"duckload/docs/schemas"
	"duckload/scenarios"
)

var updateDocs = flag.Bool("update-docs", false, "write the generated parts of docs again")

// Parts of the documentation are made of the code, between two comments:
// <!-- generated --> and <!-- end of generated -->. What stands around them is
// written by hand.
//
//	go test ./cmd/duckload -run TestGeneratedDocs -update-docs
func TestGeneratedDocs(t *testing.T) {
	for _, part := range []struct {
		page string
		text func(*testing.T) string
	}{
		{"checks.md", func(*testing.T) string { return checksPage() }},
		{"clients.md", func(*testing.T) string { return clientsPage() }},
		{"exit-codes.md", func(*testing.T) string { return exitCodesPage() }},
		{"scenario.md", keysPage},
		{"licences.md", licencesPage},
	} {
		path := filepath.Join("..", "..", "docs", part.page)
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const begin, end = "<!-- generated -->\n", "<!-- end of generated -->\n"
		before, rest, ok := strings.Cut(string(page), begin)
		have, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("%s has no generated part", part.page)
		}
		want := part.text(t)
		if have == want {
			continue
		}
		if !*updateDocs {
			t.Errorf("docs/%s is not what the code says (go test ./cmd/duckload -run TestGeneratedDocs -update-docs)", part.page)
			continue
		}
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// clientsPage lists the scripts and the checks of client-check.
func clientsPage() string {
	var b strings.Builder
	b.WriteString("\n| script | what the server does |\n|---|---|\n")
	for _, name := range scenarios.Scripts {
		s, err := scenarios.BuiltInScript(name)
		if err != nil {
			panic(err) // they are compiled in
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", s.Name, s.Doc)
	}
	b.WriteString("\n## The checks\n")
	var all []explanation
	for _, e := range explanations() {
		if strings.HasPrefix(e.id, "client.") {
			all = append(all, e)
		}
	}
	writeExplanations(&b, all)
	b.WriteString("\n")
	return b.String()
}

func writeExplanations(b *strings.Builder, all []explanation) {
	b.WriteString("\n| check | question |\n|---|---|\n")
	for _, e := range all {
		fmt.Fprintf(b, "| [`%s`](#%s) | %s |\n", e.id, notAnchor.ReplaceAllString(strings.ToLower(e.id), ""), e.question)
	}
	for _, e := range all {
		fmt.Fprintf(b, "\n## %s\n\n*%s*\n\n%s\n", e.id, e.question, strings.TrimSpace(e.doc))
	}
}

func checksPage() string {
	var b strings.Builder
	var all []explanation
	for _, e := range explanations() {
		if !strings.HasPrefix(e.id, "client.") {
			all = append(all, e)
		}
	}
	writeExplanations(&b, all)
	b.WriteString("\n## Assumptions\n\nEvery verdict about limits rests on these:\n\n")
	for _, a := range analyze.Assumptions {
		fmt.Fprintf(&b, "- %s\n", a)
	}
	b.WriteString("\n")
	return b.String()
}

func exitCodesPage() string {
	var b strings.Builder
	b.WriteString("\n| code | meaning |\n|---:|---|\n")
	for _, code := range exitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", code.status, code.meaning)
	}
	b.WriteString("\n")
	return b.String()
}

// keysPage lists every key of a scenario, as the published schema has it; a
// test of package scenarios holds the schema to what the reader accepts.
func keysPage(t *testing.T) string {
	var document yaml.Node
	for _, s := range schemas.All {
		if s.Name == "scenario" {
			if err := yaml.Unmarshal(s.Text(), &document); err != nil {
				t.Fatal(err)
			}
		}
	}
	k := keyTables{root: document.Content[0]}
	k.add("The file", k.root)
	k.add("`identities.NAME`", child(child(child(k.root, "properties"), "identities"), "additionalProperties"))
	for _, d := range []struct{ title, name string }{
		{"`groups.NAME`", "group"}, {"`promise`: one of these, or a list", "limit"}, {"`on_reject`", "rejection"}, {"`objectives`", "objectives"},
		{"`requests`: items", "requestMap"}, {"`pacing`: items", "pace"},
	} {
		k.add(d.title, child(child(k.root, "definitions"), d.name))
	}
	for _, name := range []string{"budget", "stop_when"} {
		k.add("`"+name+"`", child(child(k.root, "properties"), name))
	}
	k.add("`tls`", child(child(child(child(k.root, "definitions"), "group"), "properties"), "tls"))
	return k.b.String() + "\n"
}

type keyTables struct {
	root *yaml.Node
	b    strings.Builder
}

func child(n *yaml.Node, name string) *yaml.Node {
	if n == nil {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// followed returns what a $ref stands for.
func (k *keyTables) followed(n *yaml.Node) *yaml.Node {
	if all := child(n, "allOf"); all != nil && len(all.Content) == 1 {
		n = all.Content[0]
	}
	if ref := text(child(n, "$ref")); ref != "" {
		return child(child(k.root, "definitions"), strings.TrimPrefix(ref, "#/definitions/"))
	}
	return n
}

func (k *keyTables) add(title string, schema *yaml.Node) {
	required := map[string]bool{}
	if list := child(schema, "required"); list != nil {
		for _, n := range list.Content {
			required[n.Value] = true
		}
	}
	properties := child(schema, "properties")
	if properties == nil {
		return
	}
	fmt.Fprintf(&k.b, "\n### %s\n\n| key | value | |\n|---|---|---|\n", title)
	for i := 0; i+1 < len(properties.Content); i += 2 {
		name, value := properties.Content[i].Value, properties.Content[i+1]
		doc := text(child(value, "description"))
		if doc == "" {
			doc = text(child(k.followed(value), "description"))
		}
		if required[name] {
			doc = strings.TrimSpace("**needed.** " + doc)
		}
		fmt.Fprintf(&k.b, "| `%s` | %s | %s |\n", name, strings.ReplaceAll(k.kind(value, 0), "|", `\|`), strings.ReplaceAll(doc, "|", `\|`))
	}
}

// kind says in a few words what a value may be.
func (k *keyTables) kind(n *yaml.Node, depth int) string {
	if n == nil || depth > 4 {
		return ""
	}
	if all := child(n, "allOf"); all != nil && len(all.Content) == 1 {
		n = all.Content[0]
	}
	if ref := strings.TrimPrefix(text(child(n, "$ref")), "#/definitions/"); ref != "" {
		switch ref {
		case "whole":
			return "number"
		case "jsonFields":
			return "fields"
		case "requestMap", "request", "pace", "limit", "group", "rejection", "objectives":
			return map[string]string{"requestMap": "request", "request": "request", "pace": "step", "limit": "limit", "group": "group", "rejection": "map", "objectives": "map"}[ref]
		}
		return ref
	}
	if words := child(n, "enum"); words != nil {
		var all []string
		for _, w := range words.Content {
			if word := "`" + w.Value + "`"; w.Value != "" && !slices.Contains(all, word) {
				all = append(all, word)
			}
		}
		return strings.Join(all, ", ")
	}
	if choices := child(n, "anyOf"); choices != nil {
		var all []string
		for _, c := range choices.Content {
			if s := k.kind(c, depth+1); s != "" && !strings.Contains(strings.Join(all, ", "), s) {
				all = append(all, s)
			}
		}
		return strings.Join(all, ", or ")
	}
	switch kind := text(child(n, "type")); kind {
	case "array":
		if of := k.kind(child(n, "items"), depth+1); of != "" {
			return "list of " + of
		}
		return "list"
	case "object":
		return "map"
	case "integer":
		return "number"
	case "boolean":
		return "`true`, `false`"
	case "string":
		return "text"
	default:
		return kind
	}
}
