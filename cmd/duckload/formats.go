package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duckload/report"
	"duckload/scenarios"
)

// An output is a format and where it goes.
type output struct {
	format report.Format
	path   string // a file, "-" for standard output, or empty: the format's own name in the run's folder
}

// stdout reports whether an output goes to standard output.
func (o output) stdout() bool { return o.path == "-" || o.path == "" && o.format.File == "" }

// document reports whether an output wants standard output for itself, so that
// another program can read it. Annotations may stand among other lines.
func (o output) document() bool { return o.stdout() && o.format.File != "" }

// at is the file that an output goes to.
func (o output) at(dir string) string {
	if o.path != "" {
		return o.path
	}
	return filepath.Join(dir, o.format.File)
}

// outputs are what --format asks for.
type outputs []output

func formatFlag(c *cobra.Command, words *[]string, usual string) {
	c.Flags().StringSliceVar(words, "format", nil, "also write these: `NAME[=PATH]`,…; PATH - is standard output, without it a file in the run's folder; "+usual+"one of "+formatNames())
}

func formatNames() string {
	var names []string
	for _, f := range report.Formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// parseFormats reads "junit=out/junit.xml", "markdown", "json=-". The error
// names every mistake.
func parseFormats(words []string) (outputs, error) {
	var all outputs
	var mistakes []error
	taken := map[string]string{}
	for _, word := range words {
		name, path, given := strings.Cut(word, "=")
		format, known := report.Named(name)
		o := output{format: format, path: path}
		if !known {
			mistakes = append(mistakes, fmt.Errorf("--format: unknown format %q%s (have %s)", name, scenarios.DidYouMean(name, strings.Split(formatNames(), ", ")), formatNames()))
			continue
		}
		if given && path == "" {
			mistakes = append(mistakes, fmt.Errorf("--format: %s names no file (write %s=FILE, %s=- for standard output, or %s)", word, name, name, name))
			continue
		}
		if before, twice := taken[o.place()]; twice {
			mistakes = append(mistakes, fmt.Errorf("--format: %s and %s both go to %s; give one of them another file", before, word, o.place()))
			continue
		}
		taken[o.place()] = word
		all = append(all, o)
	}
	return all, errors.Join(mistakes...)
}

// place tells the destinations of outputs apart.
func (o output) place() string {
	switch {
	case o.document():
		return "standard output"
	case o.stdout():
		return o.format.Name
	}
	return filepath.Clean(o.at("the run's folder"))
}

// has reports whether a format is among the outputs.
func (all outputs) has(name string) bool {
	return slices.ContainsFunc(all, func(o output) bool { return o.format.Name == name })
}

// asked leaves out what every run writes into its folder anyway.
func (all outputs) asked() outputs {
	return slices.DeleteFunc(slices.Clone(all), func(o output) bool { return o.format.Always && o.path == "" })
}

// document reports whether standard output belongs to one of the outputs.
func (all outputs) document() bool { return slices.ContainsFunc(all, output.document) }

// prepare makes the folders that the outputs go to, so that nobody learns only
// after a run that a report has no place.
func (all outputs) prepare() error {
	var mistakes []error
	for _, o := range all {
		if o.stdout() || o.path == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(o.path), 0o755); err != nil {
			mistakes = append(mistakes, fmt.Errorf("--format: %s=%s: %w", o.format.Name, o.path, err))
		} else if isDir(o.path) {
			mistakes = append(mistakes, fmt.Errorf("--format: %s=%s is a folder (write %s=%s)", o.format.Name, o.path, o.format.Name, filepath.Join(o.path, o.format.File)))
		}
	}
	return usage(errors.Join(mistakes...))
}

// write writes every output but one that was written live, and says where the
// files are. One that fails keeps none of the others back.
func (p process) write(all outputs, dir string, r report.Report, live bool) error {
	r.Header.File = p.inRepository(r.Header.File)
	var lost []error
	for _, o := range all {
		if !live || o.format.Name != eventsName {
			if err := p.writeOne(o, dir, r); err != nil {
				lost = append(lost, failure{status: exitStopped, err: err})
				continue
			}
		}
		if !o.stdout() {
			lost = append(lost, writeTo(p.talk(all), fmt.Sprintf("%s  %s\n", o.format.Name, o.at(dir))))
		}
	}
	return errors.Join(lost...)
}

func (p process) writeOne(o output, dir string, r report.Report) error {
	if !o.stdout() {
		return writeFile(o.at(dir), o.format, r)
	}
	if err := o.format.Write(p.stdout, r); err != nil {
		return fmt.Errorf("writing %s: %w", o.format.Name, err)
	}
	return nil
}

// talk is where a command says to people what it has to say: not to where a
// program reads a document.
func (p process) talk(all outputs) io.Writer {
	if all.document() {
		return p.stderr
	}
	return p.stdout
}
