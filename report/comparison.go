package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"duckload/analyze"
	"duckload/compare"
)

// A CompareReport is what the formats of comparisons write.
type CompareReport struct {
	compare.Comparison
	Margin string // what counts as slower: "5 %, and at least 1.0 ms"
	Tool   string
}

// CompareFormats lists every format of comparisons.
var CompareFormats = []DocumentFormat[CompareReport]{
	{"text", "tables for a terminal", onSheet(compareSheet, sheet.text)},
	{"markdown", "a summary for a pull request", onSheet(compareSheet, sheet.markdown)},
	{"html", "one page with the latencies of all runs laid over one another", onSheet(compareSheet, sheet.html)},
	{"json", "schema duckload.compare/1", writeCompareJSON},
	{"junit", "for CI servers: a suite for each group, a case for each comparison", writeCompareJUnit},
}

func writeCompareJSON(w io.Writer, c CompareReport) error {
	return writeIndented(w, struct {
		Schema string `json:"schema"`
		compare.Comparison
	}{"duckload.compare/1", c.Comparison})
}

// kindMarks are signs that stand beside the words, since colour alone is none.
var kindMarks = map[compare.Kind]string{
	compare.Regression: "✗", compare.Possible: "?", compare.Changed: "Δ", compare.Improved: "✓", compare.Same: "✓", compare.Unknown: "·",
}

func compareSheet(c CompareReport) (sheet, error) {
	word := map[compare.Kind]string{compare.Regression: "REGRESSION", compare.Possible: "NO REGRESSION PROVED", compare.Same: "NO REGRESSION"}[c.Kind]
	out := sheet{
		Title:    word + ": " + printable(strings.Join(c.Now, ", ")) + " against " + printable(strings.Join(c.Base, ", ")),
		Sentence: printable(c.Sentence) + ".", // it may begin with a name
		Facts:    []string{plural(len(c.Differences), "comparison"), "margin " + c.Margin},
		Tool:     printable(c.Tool),
	}
	head := []string{"", "group", "what", "before", "now", "finding"}
	for _, p := range []struct {
		id, heading string
		kinds       []compare.Kind
		text        string
	}{
		{"worse", "What became worse", []compare.Kind{compare.Regression}, ""},
		{"possible", "What may have become worse", []compare.Kind{compare.Possible}, "Nothing proves it, and nothing rules it out."},
		{"changed", "What changed otherwise", []compare.Kind{compare.Changed, compare.Improved}, ""},
	} {
		if rows := differenceRows(c, p.kinds...); len(rows) > 0 {
			x := part{ID: p.id, Heading: p.heading, Head: head, Rows: rows}
			if p.text != "" {
				x.Text = []string{p.text}
			}
			out.Parts = append(out.Parts, x)
		}
	}
	for i, s := range c.Spectra {
		f, err := spectraFigure(s, fmt.Sprintf("spectra-%d", i+1))
		if err != nil {
			return out, err
		}
		heading := fmt.Sprintf("Latency of %s: %s", s.Outcome, printable(s.Group))
		out.Parts = append(out.Parts, part{ID: fmt.Sprintf("latency-%d", i+1), Heading: heading, Figure: &f, Head: f.Head, Rows: percentileRows(s)})
	}
	if rows := differenceRows(c, compare.Same, compare.Unknown); len(rows) > 0 {
		out.Parts = append(out.Parts, part{ID: "same", Heading: "Everything else that was compared", Head: head, Rows: rows})
	}
	trust := part{ID: "trust", Heading: "What this rests on", List: sentences(c.Caveats)}
	trust.Text = []string{
		"Verdicts and certified intervals are proofs: those that contradict one another prove a change. A latency has become worse if even the lower bound of its change lies beyond the margin.",
	}
	out.Parts = append(out.Parts, trust)
	return out, nil
}

func differenceRows(c CompareReport, kinds ...compare.Kind) [][]string {
	var rows [][]string
	for _, kind := range compare.Kinds {
		if !slices.Contains(kinds, kind) {
			continue
		}
		for _, d := range c.Differences {
			if d.Kind == kind {
				rows = append(rows, []string{
					kindMarks[kind] + " " + string(kind), printable(d.Group), printable(d.Subject), printable(d.Before), printable(d.Now), sentence(d.Message),
				})
			}
		}
	}
	return rows
}

// spectraFigure lays the latencies of all runs over one another.
func spectraFigure(s compare.Spectra, id string) (figure, error) {
	f := figure{
		Caption: "Latency from sending to the end of the answer, by percentile; both axes are logarithmic.",
		Legend:  []legend{{"text", "╌", "before"}, {"admitted", "━", "now"}},
		Head:    []string{"percentile", "before", "now"},
	}
	f.Rows = spectraRows(s)
	for _, p := range []picture{
		{id: id + "-wide", class: "wide", width: 640, height: 280},
		{id: id + "-narrow", class: "narrow", width: 340, height: 280},
	} {
		p.title = fmt.Sprintf("%s: latency of %s, before and now", s.Group, s.Outcome)
		p.desc = "Percentiles of all runs, the earlier ones dashed."
		drawing, err := drawSpectra(s.Base, s.Now, p.width, p.height)
		if err != nil {
			return f, err
		}
		if err := f.add(p, drawing); err != nil {
			return f, err
		}
	}
	return f, nil
}

var shownPercentiles = []struct {
	name string
	of   func(analyze.Latency) string
}{
	{"n", func(l analyze.Latency) string { return thousands(l.N) }},
	{"p50", func(l analyze.Latency) string { return length(l.P50) }},
	{"p90", func(l analyze.Latency) string { return length(l.P90) }},
	{"p95", func(l analyze.Latency) string { return length(l.P95) }},
	{"p99", func(l analyze.Latency) string { return length(l.P99) }},
	{"max", func(l analyze.Latency) string { return length(l.Max) }},
}

func percentileRows(s compare.Spectra) [][]string {
	var rows [][]string
	for _, p := range shownPercentiles {
		row := []string{p.name}
		for _, side := range [][]analyze.Latency{s.Base, s.Now} {
			var all []string
			for _, l := range side {
				all = append(all, p.of(l))
			}
			row = append(row, strings.Join(all, ", "))
		}
		rows = append(rows, row)
	}
	return rows
}

// spectraRows are the curves as numbers, those of earlier runs first.
func spectraRows(s compare.Spectra) [][]string {
	var rows [][]string
	for side, all := range [][]analyze.Latency{s.Base, s.Now} {
		for _, l := range all {
			for _, q := range l.Spectrum {
				row := []string{fmt.Sprintf("%.6g %%", q.Percentile), "–", "–"}
				row[1+side] = length(q.Value)
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func writeCompareJUnit(w io.Writer, c CompareReport) error {
	all := junitSuites{Name: "compare " + printable(strings.Join(c.Now, ", ")), Time: "0.000"}
	suites := map[string]int{}
	for _, d := range c.Differences {
		i, ok := suites[d.Group]
		if !ok {
			i = len(all.Suites)
			suites[d.Group] = i
			all.Suites = append(all.Suites, junitSuite{Name: printable(d.Group), Timestamp: "1970-01-01T00:00:00"})
		}
		s := &all.Suites[i]
		x := junitCase{Class: printable(d.Group), Name: printable(d.Aspect + " " + d.Subject)}
		switch d.Kind {
		case compare.Regression:
			x.Failure = &junitProblem{Type: "regression", Message: printable(d.Message), Text: sentence(d.Message)}
			s.Failures++
			all.Failures++
		case compare.Possible:
			x.Error = &junitProblem{Type: "inconclusive", Message: printable(d.Message), Text: sentence(d.Message)}
			s.Errors++
			all.Errors++
		default:
			x.Out = sentence(d.Message)
		}
		s.Cases = append(s.Cases, x)
		s.Tests++
		all.Tests++
	}
	return writeXML(w, all)
}
