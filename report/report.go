// Package report lays out findings: terminal, HTML, JSON. It decides nothing.
package report

import (
	"io"

	"duckload/analyze"
	"duckload/history"
)

// A Report is what a format writes.
type Report struct {
	Header   history.Header
	Findings analyze.Findings
	Tool     string // "duckload <version>"
}

// A Format is one way to write a report. To add one, write it in a file of its
// own and list it in [Formats].
type Format struct {
	Name string
	Doc  string
	File string // name in the run's directory: "report.html"; empty: written only when asked for

	Write func(io.Writer, Report) error
}

// Formats lists every format.
var Formats = []Format{htmlFormat, jsonFormat, terminalFormat, junitFormat, markdownFormat}
