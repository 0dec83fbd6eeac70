package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport is the plan of the house: data moves from left to right and never
// back. A package that is not listed does not exist.
var mayImport = map[string][]string{
	"english":      {},
	"limiter":      {},
	"capacity":     {"limiter"},
	"history":      {"limiter", "capacity"},
	"trace":        {},
	"draft":        {"limiter", "english"},
	"scenarios":    {"limiter", "trace", "capacity", "english"},
	"emulator":     {"limiter"},
	"attack":       {"scenarios", "history", "limiter", "english"},
	"analyze":      {"history", "limiter", "capacity", "english"},
	"fleet":        {"attack", "scenarios", "history", "limiter", "english"},
	"sizing":       {"limiter", "trace"},
	"compare":      {"history", "analyze", "limiter"},
	"clients":      {"scenarios", "analyze", "english"},
	"report":       {"history", "analyze", "limiter", "sizing", "compare", "capacity", "clients", "english"},
	"probe":        {"attack", "analyze", "scenarios", "history", "limiter"},
	"docs/schemas": {},

	"examples/clients/retryablehttp": {},

	"cmd/duckload": {
		"analyze",
		"attack",
		"clients",
		"compare",
		"docs/schemas",
		"draft",
		"emulator",
		"fleet",
		"history",
		"limiter",
		"probe",
		"report",
		"scenarios",
		"sizing",
		"trace",
		"english",
	},
}

// onlyIn names outside packages that one place alone may use, so that they
// can be changed there.
var onlyIn = map[string][]string{
	"gopkg.in/yaml.v3":             {"scenarios", "draft"},
	"golang.org/x/net/html":        {"draft"},
	"gonum.org/v1/plot":            {"report"},
	"github.com/tsenart/vegeta":    {"attack", "trace", "cmd/duckload"},
	"github.com/montanaflynn":      {"analyze"},
	"github.com/spf13/cobra":       {"cmd/duckload"},
	"github.com/spf13/pflag":       {"cmd/duckload"},
	"github.com/klauspost":         {"history", "trace"},
	"github.com/dunglas/httpsfv":   {"analyze"},
	"github.com/nats-io":           {"fleet"},
	"net/http":                     {"attack", "emulator", "examples/clients/retryablehttp", "cmd/duckload"},
	"net/http/httptrace":           {"attack", "emulator"},
	"golang.org/x/term":            {"cmd/duckload"},
	"golang.org/x/sys":             {"attack"},
	"golang.org/x/perf":            {"compare"},
	"gonum.org/v1/gonum":           {"compare"},
	"github.com/oklog/ulid":        {"cmd/duckload"},
	"github.com/valyala":           {"attack"},
	"github.com/hashicorp":         {"examples/clients/retryablehttp"},
	"github.com/rogpeppe":          {},
	"github.com/chromedp/chromedp": {},
	"github.com/creack":            {},
	"github.com/prometheus":        {},
	"github.com/santhosh-tekuri":   {},
}

func TestDataMovesOneWay(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != "." && entry.Name() != ".." || entry.Name() == "results") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, broken := range brokenImports(t, path, filepath.ToSlash(dir)) {
			t.Error(broken)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func brokenImports(t *testing.T, path, pkg string) []string {
	allowed, known := mayImport[pkg]
	if !known {
		return []string{fmt.Sprintf("package %s is not in the plan of the house (%s)", pkg, path)}
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var broken []string
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(name, "duckload/"); ok && !slices.Contains(allowed, ours) {
			broken = append(broken, fmt.Sprintf("%s imports %s; package %s may import %s", pkg, ours, pkg, orNothing(allowed)))
		}
		for outside, places := range onlyIn {
			if (name == outside || strings.HasPrefix(name, outside+"/")) && !slices.Contains(places, pkg) && !exception(name, pkg) {
				broken = append(broken, fmt.Sprintf("%s imports %s; only %s may", pkg, name, orNothing(places)))
			}
		}
	}
	return broken
}

// exception allows what a prefix forbids: httptrace lies below net/http.
func exception(name, pkg string) bool {
	return name == "net/http/httptrace" && slices.Contains(onlyIn["net/http/httptrace"], pkg)
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func TestImportRuleNoticesAnArrowBack(t *testing.T) {
	got := brokenImports(t, "imports_test.go", "limiter")
	if len(got) != 0 {
		t.Errorf("a file of the standard library alone: got %q, want nothing", got)
	}
	got = brokenImports(t, filepath.Join("..", "..", "analyze", "findings.go"), "scenarios/../limiter")
	if len(got) == 0 {
		t.Error("an unknown package: got nothing, want a sentence")
	}
	got = brokenImports(t, filepath.Join("..", "..", "report", "report.go"), "analyze")
	want := "analyze imports analyze; package analyze may import "
	if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) && strings.Contains(s, "history, limiter") }) {
		t.Errorf("an arrow back: got %q, want %q", got, want)
	}
}
