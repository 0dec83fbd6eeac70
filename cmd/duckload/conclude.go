package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"duckload/report"
)

// conclude judges the record, writes the reports, prints the summary, and
// says how the process ends. A report that could not be written keeps none of
// the others from being written, and none of the verdict from being told.
func (p process) conclude(ctx context.Context, dir string, live *liveEvents, outs outputs, on failOn) error {
	h, err := openRun(dir)
	if err != nil {
		return errors.Join(err, live.close())
	}
	r, err := judge(h)
	if err != nil {
		return errors.Join(err, live.close())
	}
	live.judged(r)
	lost := errors.Join(live.close(), writeReports(dir, r), p.say(outs.asked(), dir, r, live != nil),
		writeTo(p.talk(outs), "report  "+filepath.Join(dir, htmlFile())+"\n"))
	status := signalled(ctx)
	if status == 0 {
		status = outcome(r.Findings, on)
	}
	if lost != nil {
		p.complain(lost)
		if status == exitPass || status == exitInconclusive {
			status = exitStopped
		}
	}
	return ends(status)
}

// say prints the summary and writes what --format asks for.
func (p process) say(outs outputs, dir string, r report.Report, live bool) error {
	return errors.Join(p.summary(r, outs), p.stepSummary(r), p.write(outs, dir, r, live))
}

// summary prints what a tired person needs to know.
func (p process) summary(r report.Report, outs outputs) error {
	width, color := p.columns(), p.color()
	if outs.document() {
		width, color = p.width(), false
	}
	err := p.quoted(p.talk(outs), func(w io.Writer) error { return report.Summary(w, r, width, color) })
	if err != nil {
		return failure{status: exitStopped, err: fmt.Errorf("writing the summary: %w", err)}
	}
	return nil
}

// htmlFile is the name of the page in a run's folder.
func htmlFile() string {
	html, _ := report.Named("html")
	return html.File
}
