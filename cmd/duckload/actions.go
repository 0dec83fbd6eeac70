package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"duckload/report"
	"duckload/scenarios"
)

// In a workflow of GitHub Actions, annotations and a step summary need no
// flag.

func (p process) inActions() bool {
	v, _ := p.lookup("GITHUB_ACTIONS")
	return v == "true"
}

// automatic adds what the surroundings ask for.
func (p process) automatic(all outputs) outputs {
	if github, ok := report.Named("github"); ok && p.inActions() && !all.has(github.Name) && !all.document() {
		return append(all, output{format: github})
	}
	return all
}

// stepSummary appends the Markdown summary to the page of the step.
func (p process) stepSummary(r report.Report) error {
	path, _ := p.lookup("GITHUB_STEP_SUMMARY")
	markdown, ok := report.Named("markdown")
	if path == "" || !p.inActions() || !ok {
		return nil
	}
	var text bytes.Buffer
	err := markdown.Write(&text, r)
	page, wrong := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if wrong == nil {
		_, wrong = page.Write(shortSummary(text.Bytes()))
		wrong = errors.Join(wrong, page.Close())
	}
	if err := errors.Join(err, wrong); err != nil {
		return failure{status: exitStopped, err: fmt.Errorf("$GITHUB_STEP_SUMMARY: %w", err)}
	}
	return nil
}

// mostSummary is how much GitHub takes of a step, 1 MiB, less what other
// commands of the step may have written. It shows nothing of more.
const mostSummary = 900 << 10

// shortSummary cuts a summary that is too long before one of its sections.
func shortSummary(text []byte) []byte {
	if len(text) <= mostSummary {
		return text
	}
	end := max(bytes.LastIndex(text[:mostSummary], []byte("\n### ")), 0)
	return append(text[:end:end], "\n\nThere is more, in report.html and verdict.json.\n"...)
}

// quoted lets text through a workflow's log without being obeyed: a line that
// a server chose could be a command to the runner. The word that ends it must
// not be guessed.
func (p process) quoted(w io.Writer, write func(io.Writer) error) error {
	if !p.inActions() {
		return write(w)
	}
	word := rand.Text()
	_, err := fmt.Fprintf(w, "::stop-commands::%s\n", word)
	err = errors.Join(err, write(w))
	_, last := fmt.Fprintf(w, "::%s::\n", word)
	return errors.Join(err, last)
}

// inRepository is a path as GitHub wants it, from the root of the repository.
func (p process) inRepository(path string) string {
	root, _ := p.lookup("GITHUB_WORKSPACE")
	if root == "" || path == "" || !p.inActions() {
		return path
	}
	full, err := filepath.Abs(filepath.FromSlash(path))
	if err != nil {
		return path
	}
	inside, err := filepath.Rel(root, full)
	if err != nil || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return path
	}
	return filepath.ToSlash(inside)
}

// annotate marks the mistakes of a scenario at their places, in a workflow.
func (p process) annotate(err error) {
	var mistakes scenarios.Mistakes
	if !p.inActions() || !errors.As(err, &mistakes) {
		return
	}
	for _, m := range mistakes {
		text := m.Text
		if m.Path != "" {
			text = m.Path + ": " + text
		}
		fmt.Fprint(p.stderr, report.Annotation("error", p.inRepository(filepath.ToSlash(m.File)), m.Line, m.Col, "scenario", printable(text)))
	}
}
