package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"duckload/analyze"
	"duckload/report"
)

// The commands that send nothing.

func (p process) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check SCENARIO",
		Short: "Is the scenario file right? Every mistake with its place",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := p.load(args)
			if err != nil {
				return err
			}
			if _, err := p.compile(s, settings{}); err != nil {
				return err
			}
			return writeTo(p.stdout, fmt.Sprintf("%s: no mistakes: %d groups\n", s.Path, len(s.Groups)))
		},
	}
}

func (p process) analyzeCommand() *cobra.Command {
	var scenario, out string
	var fail []string
	c := &cobra.Command{
		Use:   "analyze RUN",
		Short: "Judge a recorded run again, without traffic",
		Long: `Judges the record of a run again and prints the summary. With --scenario the
record is judged against the promises of another scenario file: groups are
matched by their names.

Nothing is written unless --out names a folder for the reports.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			on, err := parseFailOn(fail)
			if err != nil {
				return usage(err)
			}
			h, err := openRun(args[0])
			if err != nil {
				return err
			}
			if scenario != "" {
				s, err := p.load([]string{scenario})
				if err != nil {
					return err
				}
				if err := repromise(&h.Header, s); err != nil {
					return err
				}
			}
			r, err := judge(h)
			if err != nil {
				return err
			}
			if out != "" {
				if err := writeReports(out, r); err != nil {
					return failure{status: exitStopped, err: err}
				}
			}
			if err := p.summary(r); err != nil {
				return err
			}
			return ends(outcome(r.Findings, on))
		},
	}
	c.Flags().StringVar(&scenario, "scenario", "", "judge against the promises of this scenario")
	c.Flags().StringVar(&out, "out", "", "write the reports into this folder")
	c.Flags().StringSliceVar(&fail, "fail-on", []string{"fail", "inconclusive"}, "outcomes that end with a failure: fail, inconclusive, none")
	return c
}

func (p process) reportCommand() *cobra.Command {
	var name, out string
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "Write the report of a recorded run again, in any format",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			i := slices.IndexFunc(report.Formats, func(f report.Format) bool { return f.Name == name })
			if i < 0 {
				return usage(fmt.Errorf("--format: unknown format %q (have %s)", name, formatNames()))
			}
			h, err := openRun(args[0])
			if err != nil {
				return err
			}
			r, err := judge(h)
			if err != nil {
				return err
			}
			if out == "" || out == "-" {
				err = report.Formats[i].Write(p.stdout, r)
			} else {
				err = writeFile(out, report.Formats[i], r)
			}
			if err != nil {
				return failure{status: exitStopped, err: err}
			}
			return nil
		},
	}
	c.Flags().StringVar(&name, "format", "html", "one of "+formatNames())
	c.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	return c
}

func formatNames() string {
	var names []string
	for _, f := range report.Formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

func (p process) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CHECK]",
		Short: "What a check means and how it decides; without a name, the list",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var b strings.Builder
			if len(args) == 0 {
				for _, check := range analyze.Checks {
					fmt.Fprintf(&b, "%-24s %s\n", check.ID, check.Question)
				}
				return writeTo(p.stdout, b.String())
			}
			for _, check := range analyze.Checks {
				if check.ID == args[0] {
					return writeTo(p.stdout, fmt.Sprintf("%s: %s\n\n%s\n", check.ID, check.Question, strings.TrimSpace(check.Doc)))
				}
			}
			return usage(fmt.Errorf("no check is called %q (see duckload explain)", args[0]))
		},
	}
}

// ends turns an exit status into what a command returns.
func ends(status int) error {
	if status == exitPass {
		return nil
	}
	return failure{status: status}
}
