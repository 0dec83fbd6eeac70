package report

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"duckload/analyze"
)

func summaryOf(t *testing.T, r Report, width int, color bool) string {
	t.Helper()
	return string(written(t, func(w io.Writer) error { return Summary(w, r, width, color) }))
}

func TestSummaries(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			golden(t, s.name+".txt", []byte(summaryOf(t, s.report(), 0, false)))
			golden(t, s.name+".60.txt", []byte(summaryOf(t, s.report(), 60, false)))
			golden(t, s.name+".40.txt", []byte(summaryOf(t, s.report(), 40, false)))
			golden(t, s.name+".color.txt", []byte(summaryOf(t, s.report(), 120, true)))
		})
	}
}

var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestColorChangesNoWord(t *testing.T) {
	for _, s := range samples {
		plain, colored := summaryOf(t, s.report(), 100, false), summaryOf(t, s.report(), 100, true)
		if got := escape.ReplaceAllString(colored, ""); got != plain {
			t.Errorf("%s: without its colours the summary is\n%s\nwant\n%s", s.name, got, plain)
		}
		if plain == colored {
			t.Errorf("%s: got no colour at all", s.name)
		}
	}
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	for _, s := range samples {
		for _, width := range []int{40, 60, 80, 120, 200} {
			for line := range strings.Lines(summaryOf(t, s.report(), width, false)) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%s: got %d columns, want at most %d: %s", s.name, n, width, line)
				}
			}
		}
	}
}

func TestAServerCannotCommandTheTerminal(t *testing.T) {
	r := failing()
	r.Findings.Sentence += "\x1b]0;owned\a"
	r.Findings.Caveats = []string{"a\r\x1b[2J"}
	r.Findings.Groups[0].Name = "met\x1b[1mrics"
	got := summaryOf(t, r, 0, false)
	for _, b := range got {
		if b != '\n' && unseen(b) {
			t.Errorf("the summary holds %U", b)
		}
	}
	for _, want := range []string{`\x1b]0;owned\x07`, `a\r\x1b[2J`, `met\x1b[1mrics`, `6\x1b[31m\x00\u202e\xff`} {
		if !strings.Contains(got, want) {
			t.Errorf("the summary does not show %s:\n%s", want, got)
		}
	}
}

func TestAReasonIsSaidOnce(t *testing.T) {
	r := undecided()
	for i := range r.Findings.Groups {
		g := &r.Findings.Groups[i]
		for k := range g.Findings {
			g.Findings[k] = analyze.Finding{Check: g.Findings[k].Check, Outcome: analyze.Inconclusive, Message: "the run was interrupted"}
		}
	}
	if got := strings.Count(summaryOf(t, r, 0, false), "      the run was interrupted"); got != 2 {
		t.Errorf("got the reason %d times, want it once for the five groups with the same checks and once for support", got)
	}
}

func TestALimitOfRequestsAtOnceHasNoTime(t *testing.T) {
	if got := summaryOf(t, atOnce(), 0, false); !strings.Contains(got, "metrics     5 at once measured 5 ") {
		t.Errorf("got\n%s", got)
	}
}
