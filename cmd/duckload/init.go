package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"duckload/draft"
	"duckload/scenarios"
)

// A source is something that a scenario can be drafted from. To add one, list
// it here.
type source struct {
	flag, doc string
	read      func(file string, text []byte, open draft.Open) (draft.Draft, error)
}

var sources = []source{
	{"from-table", "a published table of rate limits: Markdown or HTML",
		func(file string, text []byte, _ draft.Open) (draft.Draft, error) { return draft.FromTable(file, text) }},
	{"from-openapi", "an OpenAPI description, 3.0 or 3.1: YAML or JSON", draft.FromOpenAPI},
	{"from-har", "a HAR recording of a browser or a proxy",
		func(file string, text []byte, _ draft.Open) (draft.Draft, error) { return draft.FromHAR(file, text) }},
}

func (p process) initCommand() *cobra.Command {
	from := make([]string, len(sources))
	var out string
	var force bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a scenario to begin with, also from a table of limits, an OpenAPI file or a HAR recording",
		Long: `Writes a commented scenario. Without flags it is a small one that runs against
the built-in emulator and says what to change. From a source, it holds what the
source says, each with the line it was read from; guesses say so, and what only
a person can know is marked "# FILL IN:".

No credential of a source is copied: keys become ${env:NAME}. No host is
allowed: a run is refused until allow_hosts names it.`,
		Example: `  duckload init --out scenario.yaml
  duckload init --from-table docs/rate-limits.md --out scenario.yaml
  duckload init --from-openapi openapi.yaml --out scenario.yaml
  duckload init --from-har recording.har --out scenario.yaml
  curl -s https://example.com/limits.html | duckload init --from-table - > scenario.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			text, err := p.drafted(from)
			if err != nil {
				return usage(err)
			}
			return p.writeDraft(text, out, force)
		},
	}
	for i, s := range sources {
		c.Flags().StringVar(&from[i], s.flag, "", s.doc+" (- is standard input)")
	}
	c.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	c.Flags().BoolVar(&force, "force", false, "write over a file that exists")
	return c
}

// drafted returns the scenario that one source, or none, makes.
func (p process) drafted(from []string) ([]byte, error) {
	var flags []string
	one := -1
	for i, file := range from {
		if file != "" {
			one, flags = i, append(flags, "--"+sources[i].flag)
		}
	}
	if len(flags) > 1 {
		return nil, fmt.Errorf("%s: a scenario is drafted from one source (run init once for each)", strings.Join(flags, " and "))
	}
	if one < 0 {
		return draft.Starter(), nil
	}
	text, err := p.sourceText(from[one])
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", sources[one].flag, err)
	}
	d, err := sources[one].read(filepath.ToSlash(from[one]), text, besides(from[one]))
	if err != nil {
		return nil, err
	}
	return marked(d.Text()), nil
}

func (p process) sourceText(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(p.stdin, draft.MaxSource+1))
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, draft.MaxSource+1))
}

// besides opens files below the folder of a source, and no others.
func besides(file string) draft.Open {
	return scenarios.Process(filepath.Dir(file)).ReadFile
}

// marked reads a draft as "duckload check" does, with every variable set, and
// marks what is wrong with it.
func marked(text []byte) []byte {
	set := func(string) (string, bool) { return "set", true }
	s, err := scenarios.Load("draft", text, scenarios.Env{Lookup: set})
	if err == nil {
		_, err = scenarios.Compile(s, scenarios.CompileOptions{})
	}
	var found scenarios.Mistakes
	if !errors.As(err, &found) {
		return text
	}
	var findings []draft.Finding
	for _, m := range found {
		findings = append(findings, draft.Finding{Line: m.Line, Text: m.Text})
	}
	return draft.Mark(text, findings)
}

// writeDraft writes a scenario, and says on stderr what is left to do.
func (p process) writeDraft(text []byte, out string, force bool) error {
	if out == "" || out == "-" {
		return writeTo(p.stdout, string(text))
	}
	if err := writeNew(out, text, force); err != nil {
		return usage(err)
	}
	left := "nothing to fill in"
	switch n := draft.Fills(text); {
	case n == 1:
		left = "1 place to fill in (look for FILL IN)"
	case n > 1:
		left = fmt.Sprintf("%d places to fill in (look for FILL IN)", n)
	}
	fmt.Fprintf(p.stderr, "%s: %s; then: duckload check %s\n", printable(out), left, printable(out))
	return nil
}

func writeNew(path string, text []byte, force bool) error {
	if _, err := os.Lstat(path); err == nil && !force {
		return fmt.Errorf("%s exists (--force writes over it, --out names another file)", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replaceFile(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}
