package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The exit statuses are a contract: docs and scripts rely on them.
const (
	exitPass         = 0
	exitFail         = 1
	exitUsage        = 2
	exitInconclusive = 3
	exitRefused      = 4
	exitUnusable     = 5
	exitStopped      = 6
	exitBug          = 70
	exitInterrupted  = 130
	exitTerminated   = 143
)

// exitCodes is the table that "duckload help exit-codes" prints.
var exitCodes = []struct {
	status  int
	meaning string
}{
	{exitPass, "every check holds"},
	{exitFail, "a check fails"},
	{exitUsage, "usage or scenario error: nothing was sent"},
	{exitInconclusive, "inconclusive: nothing failed, something could not be decided"},
	{exitRefused, "refused by a guard: host not allowed, budget"},
	{exitUnusable, "target unusable: it cannot be reached (DNS, TLS, connection), or refuses to serve; also a bus or agents that are not there"},
	{exitStopped, "stopped during the run by a stop rule, or results incomplete; partial report written"},
	{exitBug, "a bug in duckload"},
	{exitInterrupted, "interrupted; partial report written"},
	{exitTerminated, "terminated; partial report written"},
}

func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit status of duckload:\n\n")
	for _, code := range exitCodes {
		fmt.Fprintf(&b, "  %3d  %s\n", code.status, code.meaning)
	}
	b.WriteString("\nIf several apply, the first of 130/143, 70, 1, 6, 3 is returned.\n")
	b.WriteString("--fail-on chooses which of 1 and 3 are non-zero. (\"go run\" turns every failure into 1.)\n")
	return b.String()
}

// A failure is an error together with the status that it ends the process
// with. A failure without an error has said what it had to say already.
type failure struct {
	status int
	err    error
}

func (f failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit status %d", f.status)
	}
	return f.err.Error()
}

func (f failure) Unwrap() error { return f.err }

// status returns the exit status for what a command returned. An error that
// nobody gave a status is a usage error if it came from the flags, which is
// what cobra returns plain.
func status(err error) int {
	var f failure
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &f):
		return f.status
	}
	return exitUsage
}

// signalled returns the status of the signal, or of the failure, that ended
// ctx; 0 if it was neither.
func signalled(ctx context.Context) int {
	var f failure
	if errors.As(context.Cause(ctx), &f) {
		return f.status
	}
	return 0
}
