// Package report lays out findings: for people at a terminal or in a browser,
// and for machines. It decides nothing.
package report

import (
	"io"
	"iter"

	"duckload/analyze"
	"duckload/history"
)

// A Report is what a format writes.
type Report struct {
	Header   history.Header
	Findings analyze.Findings
	Tool     string // "duckload <version>"

	// Observations are what was judged, in the order of the record; nil: they
	// are not at hand. An error ends them.
	Observations iter.Seq2[history.Observation, error]
}

// A Format is one way to write a report. To add one, write it in a file of its
// own and list it in [Formats].
type Format struct {
	Name  string
	Alias string // another name for it; empty: none
	Doc   string

	// File is its name in a run's folder: "report.html". Empty: it is meant for
	// standard output.
	File   string
	Always bool // each run writes it, unasked

	Write func(io.Writer, Report) error
}

// Formats lists every format.
var Formats = []Format{
	htmlFormat,
	jsonFormat,
	textFormat,
	junitFormat,
	markdownFormat,
	eventsFormat,
	prometheusFormat,
	githubFormat,
}

// Named returns the format of a name, or of an alias.
func Named(name string) (Format, bool) {
	for _, f := range Formats {
		if name == f.Name || f.Alias != "" && name == f.Alias {
			return f, true
		}
	}
	return Format{}, false
}
