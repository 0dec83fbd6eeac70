package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"duckload/analyze"
	"duckload/limiter"
)

var textFormat = Format{
	Name:  "text",
	Alias: "terminal",
	Doc:   "the summary that a run ends with, as plain text",
	File:  "summary.txt",
	Write: func(w io.Writer, r Report) error { return Summary(w, r, 0, false) },
}

// Summary writes the findings for a person at a terminal: the verdict, a line
// for each group, what failed and why, what could not be decided and what
// would decide it. Width is in columns; 0 means that lines may be as long as
// they need. Nothing that a server sent can command the terminal.
func Summary(w io.Writer, r Report, width int, color bool) error {
	s := &screen{width: width, color: color}
	f := r.Findings
	s.head(f)
	s.groups(f.Groups)
	s.failures(r)
	s.openQuestions(f.Groups)
	for _, found := range capacitySentences(f) {
		s.hanging("capacity  ", dim, found)
	}
	for _, caveat := range f.Caveats {
		s.hanging("note  ", dim, printable(caveat))
	}
	if checks := notPassed(f.Groups); len(checks) > 0 {
		s.blank()
		s.hanging("help  ", dim, "what a check means and what usually breaks it: duckload explain "+checks[0])
	}
	_, err := io.WriteString(w, s.text.String())
	return err
}

// screen collects lines of a width.
type screen struct {
	text  strings.Builder
	width int
	color bool
}

// Styles of a terminal.
const (
	bold   = "1"
	dim    = "2"
	green  = "1;32"
	red    = "1;31"
	yellow = "1;33"
)

func (s *screen) paint(style, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func style(v analyze.Verdict) string {
	switch v {
	case analyze.Pass:
		return green
	case analyze.Fail:
		return red
	}
	return yellow
}

// mark stands for a verdict where there is no room for the word. Its shape
// differs, not only its colour.
func mark(v analyze.Verdict) string {
	switch v {
	case analyze.Pass:
		return "✓"
	case analyze.Fail:
		return "✗"
	}
	return "?"
}

// blank separates what follows, once.
func (s *screen) blank() {
	if !strings.HasSuffix(s.text.String(), "\n\n") {
		s.text.WriteByte('\n')
	}
}

// hanging writes a label and, beside it, text that is wrapped at the width;
// below it, where it would leave little room beside it.
func (s *screen) hanging(label, labelStyle, text string) {
	indent := utf8.RuneCountInString(label)
	if word := strings.TrimSpace(label); word != "" && s.width > 0 && indent > s.width/3 {
		s.text.WriteString(s.paint(labelStyle, word) + "\n")
		label, indent = "  ", 2
	}
	for i, line := range wrap(text, s.width-indent) {
		if i == 0 {
			s.text.WriteString(s.paint(labelStyle, label))
		} else {
			s.text.WriteString(strings.Repeat(" ", indent))
		}
		s.text.WriteString(line + "\n")
	}
}

// wrap breaks text into lines of a width. A word that is longer than a line is
// cut; a width below 1 does not limit.
func wrap(text string, width int) []string {
	if width < 1 {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			runes := []rune(word)
			lines, word = append(lines, string(runes[:width])), string(runes[width:])
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// head is the verdict, in one sentence, and what it rests on.
func (s *screen) head(f analyze.Findings) {
	s.hanging(strings.ToUpper(string(f.Outcome))+"  ", style(f.Outcome), printable(f.Sentence))
	line := fmt.Sprintf("%s in %s to %s", plural(f.Run.Requests, "request"), length(f.Run.Duration), printable(f.Run.Target))
	if !f.Run.Complete {
		line += ", not all that was planned"
		if f.Run.Reason != "" {
			line += ": " + printable(f.Run.Reason)
		}
	}
	s.hanging("  ", dim, line)
}

// groups writes a row for each group: side by side where they fit, else the
// parts of each below its name.
func (s *screen) groups(groups []analyze.Group) {
	rows := make([][]string, len(groups))
	for i, g := range groups {
		rows[i] = parts(g)
	}
	columns := make([]int, 6)
	total := 2
	for c := range columns {
		for _, row := range rows {
			columns[c] = max(columns[c], utf8.RuneCountInString(row[c]))
		}
		if columns[c] > 0 {
			total += columns[c] + 2
		}
	}
	for i, g := range groups {
		s.text.WriteString("  " + s.paint(style(g.Outcome), mark(g.Outcome)) + " ")
		if s.width == 0 || total <= s.width {
			s.text.WriteString(table(rows[i], columns) + "\n")
			continue
		}
		s.text.WriteString(s.paint(bold, rows[i][0]) + "\n")
		s.hanging("    ", dim, strings.Join(filled(rows[i][1:]), ", "))
	}
}

func table(row []string, columns []int) string {
	var b strings.Builder
	for c, cell := range row {
		if columns[c] == 0 {
			continue
		}
		b.WriteString(cell + strings.Repeat(" ", columns[c]-utf8.RuneCountInString(cell)+2))
	}
	return strings.TrimRight(b.String(), " ")
}

func filled(cells []string) []string {
	var all []string
	for _, cell := range cells {
		if cell != "" {
			all = append(all, cell)
		}
	}
	return all
}

// parts is what a row says about a group.
func parts(g analyze.Group) []string {
	rate, burst := "no limit", ""
	if len(g.Promise.Limits) > 0 {
		l := g.Promise.Limits[0]
		rate = fmt.Sprintf("%d/%s", l.Limit, limiter.Per(l.Window))
		if l.Reading == limiter.Concurrency {
			rate = fmt.Sprintf("%d at once", l.Limit)
		}
		if m := measuredRate(g); m != unmeasured {
			rate += " measured " + m
		}
		burst = burstWords(l.Burst, g)
	}
	latency := "no answer"
	if l := g.Latency[limiter.Admitted]; l.N > 0 {
		latency = "p99 " + length(l.P99)
	}
	counts := ""
	if g.Measured == nil || g.Unknown > 0 {
		counts = outcomes(g)
	}
	return []string{printable(g.Name), rate, burst, counts, retryAfter(g), latency}
}

// burstWords sets the documented burst beside the measured one.
func burstWords(promised int64, g analyze.Group) string {
	measured := measuredBurst(g)
	n, exactly := int64(0), false
	if g.Measured != nil && g.Measured.Burst != nil {
		n, exactly = whole(*g.Measured.Burst)
	}
	switch {
	case promised == 0 && measured == unmeasured:
		return ""
	case promised == 0:
		return "burst measured " + measured
	case measured == unmeasured:
		return fmt.Sprintf("burst %d", promised)
	case exactly && n == promised:
		return fmt.Sprintf("burst %d exactly", n)
	}
	return fmt.Sprintf("burst %d measured %s", promised, measured)
}
