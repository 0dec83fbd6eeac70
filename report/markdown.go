package report

import (
	"fmt"
	"io"
	"strings"

	"duckload/analyze"
	"duckload/limiter"
)

var markdownFormat = Format{
	Name:  "markdown",
	Doc:   "a summary for pull requests, step summaries and chats",
	File:  "summary.md",
	Write: writeMarkdown,
}

func writeMarkdown(w io.Writer, r Report) error {
	f := r.Findings
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s: %s\n\n%s\n\n", mark(f.Outcome), strings.ToUpper(string(f.Outcome)), plain(f.Run.Scenario), plain(sentence(f.Sentence)))
	fmt.Fprintf(&b, "%s in %s to %s, run %s.\n\n", plural(f.Run.Requests, "request"), length(f.Run.Duration), code(f.Run.Target), code(f.Run.ID))
	if !f.Run.Complete {
		reason := ""
		if f.Run.Reason != "" {
			reason = ": " + f.Run.Reason
		}
		fmt.Fprintf(&b, "**Incomplete%s.** What was not sent was not judged.\n\n", plain(reason))
	}
	b.WriteString("| | group | documented | measured limit | measured burst | requests | p99 of admitted |\n|---|---|---|---|---|---|---|\n")
	for _, g := range f.Groups {
		p99 := "no answer"
		if l := g.Latency[limiter.Admitted]; l.N > 0 {
			p99 = fmt.Sprintf("%s of %s", length(l.P99), thousands(l.N))
		}
		for _, cell := range []string{mark(g.Outcome), g.Name, documented(g.Promise), measuredRate(g), measuredBurst(g), outcomes(g), p99} {
			b.WriteString("| " + plain(cell) + " ")
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
	for _, g := range f.Groups {
		for _, finding := range g.Findings {
			if finding.Outcome == analyze.Fail {
				fmt.Fprintf(&b, "### ✗ %s: %s\n\n%s", plain(g.Name), code(finding.Check), block(proofLines(r, finding)))
			}
		}
	}
	for _, q := range undecidedChecks(f.Groups) {
		fmt.Fprintf(&b, "### ? %s: %s\n\n%s", plain(strings.Join(q.groups, ", ")), code(strings.Join(q.checks, ", ")), block([]string{printable(q.message)}))
	}
	if found := capacitySentences(f); len(found) > 0 {
		b.WriteString("### Capacity\n\n" + block(found))
	}
	if len(f.Caveats) > 0 {
		b.WriteString("### Caveats\n\n" + block(sentences(f.Caveats)))
	}
	fmt.Fprintf(&b, "%s\n", plain(r.Tool))
	_, err := io.WriteString(w, b.String())
	return err
}

// plain escapes what Markdown or HTML would take for markup, in a line of text.
func plain(s string) string {
	var b strings.Builder
	s = printable(s)
	command := strings.HasPrefix(strings.TrimSpace(s), "::") // of a CI runner, at the start of a line
	for _, r := range s {
		if strings.ContainsRune("\\`*_[]<>|#~&!$", r) || command && r == ':' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// block shows lines as they are: no name in them calls a person, no address
// becomes a link, no picture is fetched. Nor does a CI runner, which reads what
// goes to standard output, take one of them for a command.
func block(lines []string) string {
	text := disarmed(strings.Join(lines, "\n"))
	fence := strings.Repeat("`", max(3, 1+longestRun(text, '`')))
	return fmt.Sprintf("%stext\n%s\n%s\n\n", fence, text, fence)
}

// disarmed marks lines that a CI runner would take for commands.
func disarmed(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if start := strings.TrimSpace(line); strings.HasPrefix(start, "::") || strings.HasPrefix(start, "##[") || strings.HasPrefix(start, "##vso[") {
			lines[i] = "· " + line
		}
	}
	return strings.Join(lines, "\n")
}

// code is a block within a line.
func code(s string) string {
	s = printable(s)
	if s == "" {
		return "?"
	}
	fence := strings.Repeat("`", 1+longestRun(s, '`'))
	if len(fence) == 1 {
		return fence + s + fence
	}
	return fence + " " + s + " " + fence
}

// longestRun counts the most repetitions of a rune in a row.
func longestRun(s string, of rune) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
