package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duckload/analyze"
	"duckload/clients"
	"duckload/report"
	"duckload/scenarios"
)

// clientFlags are the flags of client-check as they were written.
type clientFlags struct {
	scripts, formats, fail []string
	clients, budget        int
	limit                  time.Duration
	said                   string
	print                  string
	quiet                  bool
}

func (p process) clientCheckCommand() *cobra.Command {
	var f clientFlags
	c := &cobra.Command{
		Use:   "client-check [flags] -- COMMAND [ARG…]",
		Short: "Judge a client: does it wait as told, back off, and give up?",
		Long: `Runs a command that calls the API, against an emulator that plays a script of
limits and faults, and judges the client by what the emulator saw of it.

The command finds the emulator in its environment:
  DUCKLOAD_BASE_URL  such as http://127.0.0.1:41377, also {url} in its arguments
  DUCKLOAD_KEY       a key that every endpoint takes, also {key}
  DUCKLOAD_SCRIPT    the name of the script
  DUCKLOAD_CLIENT    1, 2, … where --clients runs several

It should make each call once, let its client library do the retries, and end.
It is run anew for each script, and is ended with everything that it started
when its time or its budget is over.

Scripts:
` + scriptList(),
		Example: `  duckload client-check -- curl --fail --retry 5 {url}/beak/metrics
  duckload client-check --script limited,limited-date -- node sdk-test.js
  duckload client-check --script outage --clients 20 -- python3 client.py
  duckload client-check --print-script faults > mine.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			if f.print != "" {
				text, err := scenarios.ScriptText(f.print)
				if err != nil {
					return usage(fmt.Errorf("--print-script: %w", err))
				}
				return writeTo(p.stdout, string(text))
			}
			return p.clientCheck(c.Context(), args, f)
		},
	}
	flags := c.Flags()
	flags.SetInterspersed(false) // what follows the command is its own
	flags.StringSliceVar(&f.scripts, "script", scenarios.Scripts, "play these: names, or files that end in .yaml")
	flags.IntVar(&f.clients, "clients", 1, "run so many at once: do they come back all together?")
	flags.DurationVar(&f.limit, "max-time", time.Minute, "how long the command may run for each script")
	flags.IntVar(&f.budget, "budget", 0, fmt.Sprintf("the most requests for one call; usual: %d, or what the script says", scenarios.UsualBudget))
	flags.StringVar(&f.said, "client-output", "", "write what the command says to this file")
	flags.StringSliceVar(&f.formats, "format", []string{"text"}, "`NAME[=FILE]`,…: "+strings.Join(documentNames(report.ClientFormats), ", "))
	flags.StringSliceVar(&f.fail, "fail-on", []string{"fail", "inconclusive"}, "which outcomes end with a failure: fail, inconclusive, none")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	flags.StringVar(&f.print, "print-script", "", "print a script, to begin one's own with, and do nothing else")
	return c
}

func scriptList() string {
	var b strings.Builder
	for _, name := range scenarios.Scripts {
		s, err := scenarios.BuiltInScript(name)
		if err != nil {
			panic(err) // the files are compiled in
		}
		fmt.Fprintf(&b, "  %-15s %s\n", s.Name, s.Doc)
	}
	return b.String()
}

// clientCheck plays every script, and reports what was seen.
func (p process) clientCheck(ctx context.Context, argv []string, f clientFlags) error {
	job, scripts, outs, on, err := p.clientJob(argv, f)
	if err != nil {
		return usage(err)
	}
	if f.said != "" {
		file, err := os.Create(f.said)
		if err != nil {
			return usage(fmt.Errorf("--client-output: %w", err))
		}
		defer file.Close()
		job.spill = &spill{file: file, left: mostSpilled}
	}
	var line []string
	for _, word := range argv {
		line = append(line, scenarios.ShellWord(word))
	}
	r := report.ClientCheck{Command: argv, Line: strings.Join(line, " "), Clients: f.clients, Tool: "duckload " + version}
	for _, s := range scripts {
		if ctx.Err() != nil {
			r.Left++
			continue
		}
		run, err := job.play(ctx, s)
		if err != nil {
			return err
		}
		j := clients.Judge(run)
		if !f.quiet {
			fmt.Fprintf(p.stderr, "%-14s %-12s requests: %d\n", s.Name, j.Outcome, len(j.Exchanges))
		}
		r.Judgements = append(r.Judgements, j)
	}
	if err := writeDocuments(p, outs, r); err != nil {
		return err
	}
	if job.spill != nil && job.spill.err != nil {
		p.complain(fmt.Errorf("--client-output: %w", job.spill.err))
	}
	if status := signalled(ctx); status != 0 {
		return failure{status: status}
	}
	return ends(outcome(analyze.Findings{Outcome: r.Outcome(), Run: analyze.Run{Complete: true}}, on))
}

// clientJob understands the flags. The error names every mistake.
func (p process) clientJob(argv []string, f clientFlags) (clientJob, []scenarios.Script, []document[report.ClientCheck], failOn, error) {
	var mistakes []error
	bad := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if len(argv) == 0 {
		bad("name the command that calls the API (duckload client-check -- curl --retry 3 {url}/beak/metrics)")
	} else if _, err := exec.LookPath(argv[0]); err != nil {
		bad("%q cannot be run: %w", argv[0], errors.Unwrap(err))
	}
	if f.clients < 1 || f.clients > 500 {
		bad("--clients: must be from 1 to 500, got %d", f.clients)
	}
	if f.limit < time.Second || f.limit > 24*time.Hour {
		bad("--max-time: must be from 1s to 24h, got %s", f.limit)
	}
	if f.budget < 0 || f.budget > 100_000 {
		bad("--budget: must be from 1 to 100000, got %d", f.budget)
	}
	var scripts []scenarios.Script
	for _, name := range f.scripts {
		s, err := loadScript(name)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		if slices.ContainsFunc(scripts, func(other scenarios.Script) bool { return other.Name == s.Name }) {
			bad("--script: %s is named twice", s.Name)
		}
		if f.budget > 0 {
			s.Budget = f.budget
		}
		scripts = append(scripts, s)
	}
	if len(f.scripts) == 0 {
		bad("--script: name at least one (have %s)", strings.Join(scenarios.Scripts, ", "))
	}
	outs, err := parseDocuments(f.formats, report.ClientFormats)
	if err != nil {
		mistakes = append(mistakes, err)
	}
	on, err := parseFailOn(f.fail)
	if err != nil {
		mistakes = append(mistakes, err)
	}
	return clientJob{argv: argv, clients: f.clients, limit: f.limit}, scripts, outs, on, errors.Join(mistakes...)
}

// loadScript reads a script that is built in, or a file.
func loadScript(name string) (scenarios.Script, error) {
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		s, err := scenarios.BuiltInScript(name)
		if err != nil {
			return s, fmt.Errorf("--script: %w", err)
		}
		return s, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return scenarios.Script{}, fmt.Errorf("--script: %w", err)
	}
	return scenarios.LoadScript(name, text)
}
