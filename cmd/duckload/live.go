package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"duckload/history"
	"duckload/report"
)

// eventsName is the format that is written while a run goes on.
const eventsName = "ndjson"

// eventsBuffer is room for the events between two flushes at thousands of
// requests a second: a follower is told of what is on the disk already.
const eventsBuffer = 1 << 20

// liveEvents writes the events of a run as they come, for a program that
// follows. What cannot be written does not stop the run: the record has it.
// A nil one writes nothing.
type liveEvents struct {
	events *report.Events
	out    *bufio.Writer
	file   io.Closer // nil: standard output
	at     string
	failed error
}

// liveOf begins the events that --format asks for, if it does.
func (p process) liveOf(all outputs, dir string, header history.Header) (*liveEvents, error) {
	for _, o := range all {
		if o.format.Name != eventsName {
			continue
		}
		l := &liveEvents{at: "standard output"}
		if o.stdout() {
			// Who read the events may leave; that must not end a run halfway.
			signal.Ignore(syscall.SIGPIPE)
			l.out = bufio.NewWriterSize(p.stdout, eventsBuffer)
		} else {
			file, err := os.Create(o.at(dir))
			if err != nil {
				return nil, err
			}
			l.file, l.out, l.at = file, bufio.NewWriterSize(file, eventsBuffer), o.at(dir)
		}
		l.events = report.NewEvents(l.out, header)
		return l, nil
	}
	return nil, nil
}

func (l *liveEvents) observed(o history.Observation) {
	if l != nil && l.failed == nil {
		l.failed = l.events.Observed(o)
	}
}

func (l *liveEvents) flush() {
	if l != nil && l.failed == nil {
		l.failed = l.out.Flush()
	}
}

// judged writes the checks and the verdict.
func (l *liveEvents) judged(r report.Report) {
	if l != nil && l.failed == nil {
		l.failed = l.events.Judged(r.Findings)
	}
}

// close says what went wrong since the beginning.
func (l *liveEvents) close() error {
	if l == nil {
		return nil
	}
	l.flush()
	if l.file != nil {
		l.failed = errors.Join(l.failed, l.file.Close())
	}
	if l.failed != nil {
		return failure{status: exitStopped, err: fmt.Errorf("events: %s: %w", l.at, l.failed)}
	}
	return nil
}

// atOnce refuses what is written while a run goes on: the observations of a
// fleet are here when it is over.
func (all outputs) atOnce() error {
	for _, o := range all {
		if o.format.Name == eventsName {
			return fmt.Errorf("--format %s: is written as a run goes on, which a fleet's cannot be (write it afterwards: duckload report RUN --format %s)", eventsName, eventsName)
		}
	}
	return nil
}
