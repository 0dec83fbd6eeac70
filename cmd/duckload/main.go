// Command duckload verifies rate limits of HTTP APIs: it sends a scenario's
// traffic, and reports a violation only if nothing else explains what was
// seen.
//
// The commands, the scenario file and the exit codes are in README.md.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// A process is everything that the command touches of the world. Its methods
// are the command; tests run them in this process.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(string) (string, bool) // environment
	now            func() time.Time            // names a run's directory
	width          func() int                  // columns of stderr; 0: it is not a terminal
	height         func() int                  // rows of stderr; nil or 0: unknown
	columns        func() int                  // columns of stdout; 0: it is not a terminal
	plain          bool                        // no colours, whatever the terminal
	debug          bool                        // the first exchanges are shown
	patience       time.Duration               // how long a compiled plan should take; 0: as scenarios.Compile thinks best
}

// color reports whether the summary may be coloured.
func (p process) color() bool {
	_, no := p.lookup("NO_COLOR")
	_, ci := p.lookup("CI")
	term, _ := p.lookup("TERM")
	return p.columns() > 0 && !p.plain && !no && !ci && term != "dumb"
}

func main() {
	log.SetOutput(io.Discard) // net/http logs what odd servers say, in the middle of everything
	p := process{
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		lookup:  os.LookupEnv,
		now:     time.Now,
		width:   func() int { return columnsOf(os.Stderr) },
		height:  func() int { return rowsOf(os.Stderr) },
		columns: func() int { return columnsOf(os.Stdout) },
	}
	os.Exit(p.main(untilSignal(), os.Args[1:]))
}

func columnsOf(f *os.File) int {
	if !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

func rowsOf(f *os.File) int {
	_, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return rows
}

// untilSignal returns a context that ends at the first SIGINT or SIGTERM, with
// the exit status as its cause. The second one ends the process at once: what
// was recorded is on the disk.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		first := statusOf(<-signals)
		cancel(failure{status: first, err: context.Canceled})
		os.Exit(statusOf(<-signals))
	}()
	return ctx
}

func statusOf(s os.Signal) int {
	if s == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// screen is where progress is shown: a live view only where somebody watches
// a terminal that can move its cursor.
func (p process) screen() screen {
	_, ci := p.lookup("CI")
	name, _ := p.lookup("TERM")
	return screen{out: p.stderr, size: func() (columns, rows int) {
		if ci || name == "dumb" {
			return 0, 0
		}
		if p.height != nil {
			rows = p.height()
		}
		return p.width(), rows
	}}
}
