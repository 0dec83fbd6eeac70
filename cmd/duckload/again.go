package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"duckload/report"
)

// The commands that look at a recorded run again.

func (p process) analyzeCommand() *cobra.Command {
	var scenario, out string
	var fail, formats []string
	c := &cobra.Command{
		Use:   "analyze RUN",
		Short: "Judge a recorded run again, without traffic",
		Long: `Judges the record of a run again and prints the summary. With --scenario the
record is judged against the promises of another scenario file: groups are
matched by their names.

Nothing is written unless --out names a folder for the reports, or --format
asks for one.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			on, err := parseFailOn(fail)
			outs, wrong := parseFormats(formats)
			if err := errors.Join(err, wrong); err != nil {
				return usage(err)
			}
			r, err := p.rejudge(args[0], scenario)
			if err != nil {
				return err
			}
			if err := outs.prepare(); err != nil {
				return err
			}
			dir := runDir(args[0])
			if out != "" {
				dir = out
				if err := errors.Join(os.MkdirAll(out, 0o755), writeReports(out, r)); err != nil {
					return failure{status: exitStopped, err: err}
				}
			}
			if err := p.say(p.automatic(outs), dir, r, false); err != nil {
				return err
			}
			return ends(outcome(r.Findings, on))
		},
	}
	c.Flags().StringVar(&scenario, "scenario", "", "judge against the promises of this scenario")
	c.Flags().StringVar(&out, "out", "", "write the reports into this folder")
	formatFlag(c, &formats, "")
	c.Flags().StringSliceVar(&fail, "fail-on", []string{"fail", "inconclusive"}, "outcomes that end with a failure: fail, inconclusive, none")
	return c
}

// rejudge judges a record, against the promises of another scenario if one is
// named.
func (p process) rejudge(run, scenario string) (report.Report, error) {
	h, err := openRun(run)
	if err != nil {
		return report.Report{}, err
	}
	if scenario != "" {
		s, err := p.load([]string{scenario})
		if err != nil {
			return report.Report{}, err
		}
		if err := repromise(&h.Header, s); err != nil {
			return report.Report{}, err
		}
	}
	return judge(h)
}

func (p process) reportCommand() *cobra.Command {
	var out string
	var formats []string
	var open bool
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "Write the report of a recorded run again, in any format",
		Long: `Judges the record of a run again and writes what --format asks for, into the
run's folder unless a path is given. Without --format it writes report.html.`,
		Example: `  duckload report results/2026-11-23T10-14-05-space-duck --open
  duckload report RUN --format markdown=-
  duckload report RUN --format junit=out/junit.xml,prometheus=out/duckload.prom`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			outs, err := reportOutputs(formats, out)
			if err != nil {
				return usage(err)
			}
			r, err := p.rejudge(args[0], "")
			if err != nil {
				return err
			}
			if err := outs.prepare(); err != nil {
				return err
			}
			return p.rewrite(outs, runDir(args[0]), r, open)
		},
	}
	formatFlag(c, &formats, "html if none is named; ")
	c.Flags().StringVar(&out, "out", "", "the file of the one format that is written; - is standard output")
	c.Flags().BoolVar(&open, "open", false, "open report.html in a browser")
	return c
}

// reportOutputs are what "report" writes.
func reportOutputs(formats []string, out string) (outputs, error) {
	if len(formats) == 0 {
		formats = []string{"html"}
	}
	outs, err := parseFormats(formats)
	switch {
	case err != nil || out == "":
	case len(outs) > 1:
		err = fmt.Errorf("--out: names one file for %d formats (write --format %s=FILE,%s=FILE)", len(outs), outs[0].format.Name, outs[1].format.Name)
	case outs[0].path != "" && outs[0].path != out:
		err = fmt.Errorf("--out: --format has a path already (%s)", outs[0].path)
	default:
		outs[0].path = out
	}
	return outs, err
}

// rewrite writes the outputs, and opens the page if that is asked for.
func (p process) rewrite(outs outputs, dir string, r report.Report, open bool) error {
	if err := p.write(outs, dir, r, false); err != nil {
		return err
	}
	if !open {
		return nil
	}
	for _, o := range outs {
		if o.format.Name == "html" && !o.stdout() {
			return openPage(o.at(dir))
		}
	}
	return usage(errors.New("--open: no page is written to a file (add --format html)"))
}

// openPage shows a page in whatever this system opens pages with.
func openPage(path string) error {
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	name, args := "xdg-open", []string{full}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", full}
	}
	if err := exec.Command(name, args...).Run(); err != nil {
		return failure{status: exitStopped, err: fmt.Errorf("--open: %s: %w (the page is %s)", name, err, full)}
	}
	return nil
}
