package report

import (
	"fmt"
	"io"
	"strings"

	"duckload/analyze"
	"duckload/history"
)

var githubFormat = Format{
	Name:  "github",
	Doc:   "annotations of GitHub Actions: an error for each failed check, at its group in the scenario file",
	Write: writeGitHub,
}

// writeGitHub writes the verdict and a workflow command for each check that
// did not pass. A question that many checks leave open is one warning: GitHub
// shows ten of each kind in a step, the first ones.
func writeGitHub(w io.Writer, r Report) error {
	f := r.Findings
	var b strings.Builder
	b.WriteString(annotation(severity(f.Outcome), r.Header, -1, fmt.Sprintf("duckload: %s: %s", f.Run.Scenario, f.Outcome), printable(f.Sentence)))
	if !f.Run.Complete {
		b.WriteString(annotation("error", r.Header, -1, "duckload: the run is incomplete", printable(brokenOff(f))))
	}
	for i, g := range f.Groups {
		for _, finding := range g.Findings {
			if finding.Outcome == analyze.Fail {
				b.WriteString(annotation("error", r.Header, i, fmt.Sprintf("%s: %s", g.Name, finding.Check), strings.Join(proofLines(r, finding), "\n")))
			}
		}
	}
	for i, g := range f.Groups {
		for _, q := range questionsOf(g) {
			title := fmt.Sprintf("%s: undecided: %s", g.Name, strings.Join(q.checks, ", "))
			b.WriteString(annotation("warning", r.Header, i, title, printable(q.message)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// severity is the kind of annotation that a verdict deserves.
func severity(v analyze.Verdict) string {
	switch v {
	case analyze.Pass:
		return "notice"
	case analyze.Fail:
		return "error"
	}
	return "warning"
}

// annotation is one at the place of a group in its scenario, or of the run.
func annotation(kind string, h history.Header, group int, title, message string) string {
	line := 0
	if group >= 0 && group < len(h.Groups) {
		line = h.Groups[group].Line
	}
	if line == 0 {
		return Annotation(kind, "", 0, 0, title, message)
	}
	return Annotation(kind, h.File, line, 0, title, message)
}

// Annotation is a workflow command of GitHub Actions, with its line end. Kind
// is error, warning or notice; file is a path from the root of the repository,
// empty for none; line and column count from 1, 0 for none. It is escaped as
// GitHub's own toolkit does: text can neither end the command nor begin
// another.
func Annotation(kind, file string, line, column int, title, message string) string {
	var properties []string
	if file != "" {
		properties = append(properties, "file="+property(file))
		for _, at := range []struct {
			name string
			n    int
		}{{"line", line}, {"col", column}} {
			if at.n > 0 {
				properties = append(properties, fmt.Sprintf("%s=%d", at.name, at.n))
			}
		}
	}
	properties = append(properties, "title="+property(title))
	return fmt.Sprintf("::%s %s::%s\n", kind, strings.Join(properties, ","), commandText(message))
}

var commandEscape = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func commandText(s string) string { return commandEscape.Replace(s) }

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandText(printable(s)))
}
