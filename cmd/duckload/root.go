package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker for releases.
var version = "0.1.0-dev"

// main runs one command line and returns its exit status. It writes results to
// stdout, everything else to stderr.
func (p process) main(ctx context.Context, args []string) (exit int) {
	defer func() {
		if bug := recover(); bug != nil {
			fmt.Fprintf(p.stderr, "duckload: this is a bug in duckload: %v\n%s", bug, debug.Stack())
			exit = exitBug
		}
	}()
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := suggestCommand(root, root.ExecuteContext(ctx))
	if err != nil {
		p.complain(err)
	}
	return status(err)
}

// complain writes an error, each of its mistakes on a line of its own that
// stands alone.
func (p process) complain(err error) {
	var f failure
	if errors.As(err, &f) && f.err == nil {
		return
	}
	for _, line := range lines(err) {
		fmt.Fprintf(p.stderr, "duckload: %s\n", printable(line))
	}
	p.annotate(err)
}

func (p process) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "duckload",
		Short: "Verify the rate limits of an HTTP API",
		Long: `duckload sends a scenario's traffic to an HTTP API and says whether the service
keeps the rate limits that it publishes. A violation is reported only if
nothing else explains what was seen.

With no arguments, "duckload run" verifies the built-in Space Duck scenario
against an emulator on this machine: no key and no network are needed.`,
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true, // suggestCommand says it in one line
		Version:            version,
	}
	root.SetVersionTemplate("duckload {{.Version}}\n")
	root.AddCommand(
		p.runCommand(),
		p.planCommand(),
		p.checkCommand(),
		p.analyzeCommand(),
		p.reportCommand(),
		p.emulateCommand(),
		p.identifyCommand(),
		p.exportCommand(),
		p.sizeCommand(),
		p.clientCheckCommand(),
		p.mergeCommand(),
		p.compareCommand(),
		p.explainCommand(),
		p.schemaCommand(),
		p.initCommand(),
		p.agentCommand(),
		p.collectCommand(),
		&cobra.Command{
			Use:   "version",
			Short: "Say which duckload this is",
			Args:  cobra.NoArgs,
			Run:   func(c *cobra.Command, _ []string) { fmt.Fprintf(c.OutOrStdout(), "duckload %s\n", version) },
		},
		&cobra.Command{
			Use:   "exit-codes",
			Short: "What the exit status means",
			Long:  exitHelp(),
		},
	)
	suggestFlags(root)
	p.complete(root)
	return root
}

// writeTo writes to stdout, and makes an error of what a closed pipe says.
func writeTo(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return failure{status: exitStopped, err: fmt.Errorf("writing the answer: %w", err)}
	}
	return nil
}
