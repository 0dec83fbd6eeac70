package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"duckload/report"
	"duckload/scenarios"
)

// A document is a format and where it goes; - is standard output.
type document[V any] struct {
	format report.DocumentFormat[V]
	path   string
}

func documentNames[V any](formats []report.DocumentFormat[V]) []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.Name)
	}
	return names
}

// parseDocuments reads --format of commands that have no run's folder to write
// into: "text", "html=page.html". The error names every mistake.
func parseDocuments[V any](words []string, formats []report.DocumentFormat[V]) ([]document[V], error) {
	names := documentNames(formats)
	var all []document[V]
	var mistakes []error
	for _, word := range words {
		name, path, given := strings.Cut(word, "=")
		i := slices.Index(names, name)
		switch {
		case i < 0:
			mistakes = append(mistakes, fmt.Errorf("--format: unknown format %q%s (have %s)", name, scenarios.DidYouMean(name, names), strings.Join(names, ", ")))
			continue
		case given && path == "":
			mistakes = append(mistakes, fmt.Errorf("--format: %s names no file (write %s=FILE)", word, name))
			continue
		case !given:
			path = "-"
		}
		all = append(all, document[V]{formats[i], path})
	}
	return all, errors.Join(mistakes...)
}

// writeDocuments writes every document of a value, and says where the files are.
func writeDocuments[V any](p process, all []document[V], v V) error {
	for _, d := range all {
		if d.path == "-" {
			if err := d.format.Write(p.stdout, v); err != nil {
				return failure{status: exitStopped, err: fmt.Errorf("writing %s: %w", d.format.Name, err)}
			}
			continue
		}
		if err := replaceFile(d.path, func(w io.Writer) error { return d.format.Write(w, v) }); err != nil {
			return usage(fmt.Errorf("writing %s: %w", d.path, err))
		}
		fmt.Fprintf(p.stderr, "%s  %s\n", d.format.Name, d.path)
	}
	return nil
}
