package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/report"
	"duckload/scenarios"
)

// Names in a run's directory. They are a contract.
const (
	observationsDir = "observations"
	scenarioFile    = "scenario.yaml"
	planFile        = "plan.json"
)

// makeRunDir makes results/<time>-<name>/. Two runs in one second get
// different names.
func makeRunDir(parent, name string, now time.Time) (string, error) {
	base := filepath.Join(parent, now.Format("2006-01-02T15-04-05")+"-"+fileName(name))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		dir := base
		if i > 1 {
			dir = fmt.Sprintf("%s-%d", base, i)
		}
		err := os.Mkdir(dir, 0o755)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}

// fileName keeps what is safe in a file name on every system.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, name)
}

// openRun reads a run's record. The argument is a run's directory, or its
// observations folder.
func openRun(dir string) (*history.History, error) {
	at := dir
	if inside := filepath.Join(dir, observationsDir); isDir(inside) {
		at = inside
	}
	h, err := history.Open(at)
	if err != nil {
		return nil, failure{status: exitUsage, err: fmt.Errorf("%s: %w", dir, err)}
	}
	return h, nil
}

// runDir is the folder of a run, also where its observations are named.
func runDir(path string) string {
	if filepath.Base(path) == observationsDir && !isDir(filepath.Join(path, observationsDir)) {
		return filepath.Dir(path)
	}
	return path
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// A long record is one of so many requests.
const longRecord = 1_000_000

// How much memory judging a long record is held to, where it has a choice: a
// row of 32 bytes and a latency for each request, and room to work.
const (
	enoughMemory    = 448 << 20
	bytesPerRequest = 48
)

// judge reads the findings out of a record.
func judge(h *history.History) (report.Report, error) {
	if h.End != nil && h.End.Offered > longRecord {
		// Nearly all memory is then rows without pointers, which are kept to
		// the end: collecting often costs little, and as much garbage as there
		// are rows would double what is needed. The runtime also keeps what it
		// has freed, unless that would be above a limit.
		defer debug.SetGCPercent(debug.SetGCPercent(10))
		if most := max(enoughMemory, bytesPerRequest*int64(h.End.Offered)); most < debug.SetMemoryLimit(-1) {
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(most))
		}
	}
	findings, err := analyze.Judge(h)
	if err != nil {
		return report.Report{}, failure{status: exitUsage, err: err}
	}
	return report.Report{Header: h.Header, Findings: findings, Tool: "duckload " + version, Observations: h.All()}, nil
}

// writeReports writes what every run leaves into its directory. One that cannot
// be written keeps none of the others from it.
func writeReports(dir string, r report.Report) (lost error) {
	for _, format := range report.Formats {
		if !format.Always {
			continue
		}
		lost = errors.Join(lost, writeFile(filepath.Join(dir, format.File), format, r))
	}
	return lost
}

func writeFile(path string, format report.Format, r report.Report) error {
	if err := replaceFile(path, func(w io.Writer) error { return format.Write(w, r) }); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// outcome turns findings into the exit status that they ask for.
func outcome(f analyze.Findings, failOn failOn) int {
	switch {
	case f.Outcome == analyze.Fail && failOn.fail:
		return exitFail
	case !f.Run.Complete:
		return exitStopped
	case f.Outcome == analyze.Inconclusive && failOn.inconclusive:
		return exitInconclusive
	}
	return exitPass
}

// failOn says which outcomes end the process with a failure.
type failOn struct{ fail, inconclusive bool }

func parseFailOn(words []string) (failOn, error) {
	var f failOn
	for _, word := range words {
		switch word {
		case "fail":
			f.fail = true
		case "inconclusive":
			f.inconclusive = true
		case "none":
		default:
			return f, fmt.Errorf("--fail-on: unknown outcome %q%s (have fail, inconclusive, none)", word, scenarios.DidYouMean(word, []string{"fail", "inconclusive", "none"}))
		}
	}
	return f, nil
}
