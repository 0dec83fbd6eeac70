package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"duckload/compare"
	"duckload/report"
)

func (p process) compareCommand() *cobra.Command {
	var formats, fail []string
	margin, errorMargin, least := "5%", "1%", compare.Usual.Least
	c := &cobra.Command{
		Use:   "compare BASE RUN…",
		Short: "What changed since an earlier run? A regression check after a deploy",
		Long: `Sets recorded runs beside an earlier one: verdicts, certified limits, families,
scopes, latency and errors. Exit status 1 means that something became worse, and
that neither noise nor the margin explains it.

A folder of runs counts as all the runs in it, so BASE may hold several. With
several runs on a side, runs are the samples, and what differs between the runs
of one side is noise; with one on each, blocks of requests are.`,
		Example: `  duckload compare results/before results/after
  duckload compare nightly/ results/today --format markdown=summary.md,junit=compare.xml --margin 10%`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			o := compare.Usual
			o.Least = least
			var mistakes []error
			var err error
			if o.Margin, err = shareOf("--margin", margin); err != nil {
				mistakes = append(mistakes, err)
			}
			if o.ErrorMargin, err = shareOf("--error-margin", errorMargin); err != nil {
				mistakes = append(mistakes, err)
			}
			if least < 0 {
				mistakes = append(mistakes, fmt.Errorf("--least: must not be negative, got %s", least))
			}
			outs, err := parseDocuments(formats, report.CompareFormats)
			if err != nil {
				mistakes = append(mistakes, err)
			}
			on, err := parseFailOn(fail)
			if err != nil {
				mistakes = append(mistakes, err)
			}
			if len(mistakes) > 0 {
				return usage(errors.Join(mistakes...))
			}
			return p.compareRuns(args, o, outs, on.fail, on.inconclusive)
		},
	}
	c.Flags().StringSliceVar(&formats, "format", []string{"text"}, "`NAME[=FILE]`,…: "+strings.Join(documentNames(report.CompareFormats), ", "))
	c.Flags().StringVar(&margin, "margin", margin, "how much slower a quantile may become")
	c.Flags().DurationVar(&least, "least", least, "how much slower it may become in any case")
	c.Flags().StringVar(&errorMargin, "error-margin", errorMargin, "how much the share of errors may rise, in points")
	c.Flags().StringSliceVar(&fail, "fail-on", []string{"fail"}, "what ends with a failure: fail (a regression), inconclusive (one that cannot be ruled out), none")
	return c
}

// shareOf reads "5%" or "0.05".
func shareOf(flag, text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 10) {
		return 0, fmt.Errorf("%s: must be a part such as 5%%, got %q", flag, text)
	}
	return x, nil
}

func (p process) compareRuns(args []string, o compare.Options, outs []document[report.CompareReport], onFail, onOpen bool) error {
	base, err := p.runsIn(args[:1])
	if err != nil {
		return usage(err)
	}
	now, err := p.runsIn(args[1:])
	if err != nil {
		return usage(err)
	}
	c, err := compare.Runs(base, now, o)
	if err != nil {
		return usage(err)
	}
	r := report.CompareReport{
		Comparison: c, Tool: "duckload " + version,
		Margin: fmt.Sprintf("%.3g %%, and at least %s", 100*o.Margin, o.Least.Round(time.Microsecond)),
	}
	if err := writeDocuments(p, outs, r); err != nil {
		return err
	}
	switch {
	case c.Kind == compare.Regression && onFail:
		return failure{status: exitFail}
	case c.Kind == compare.Possible && onOpen:
		return failure{status: exitInconclusive}
	}
	return nil
}

// runsIn opens and judges runs. A folder without a record of its own is a folder
// of runs.
func (p process) runsIn(names []string) ([]compare.Run, error) {
	var all []compare.Run
	var mistakes []error
	for _, name := range names {
		found, err := runFolders(name)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		for _, dir := range found {
			h, err := openRun(dir)
			if err != nil {
				mistakes = append(mistakes, err)
				continue
			}
			r, err := judge(h)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: %w", dir, err))
				continue
			}
			all = append(all, compare.Run{Name: filepath.Base(filepath.Clean(dir)), History: h, Findings: r.Findings})
		}
	}
	return all, errors.Join(mistakes...)
}

// runFolders returns the folders of the runs that a name stands for.
func runFolders(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() || isDir(filepath.Join(name, observationsDir)) {
		return []string{name}, nil
	}
	var found []string
	for _, pattern := range []string{"*", filepath.Join("*", "*")} { // a run, or the results of several
		matches, err := filepath.Glob(filepath.Join(name, pattern, observationsDir))
		if err != nil {
			return nil, err
		}
		for _, m := range matches {
			found = append(found, filepath.Dir(m))
		}
	}
	if len(found) == 0 {
		return []string{name}, nil // whatever opens it says what is missing
	}
	return found, nil
}
