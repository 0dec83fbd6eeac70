package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"duckload/limiter"
	"duckload/sizing"
)

// A Sizing is what the formats of sizes write.
type Sizing struct {
	Name       string // of the recording
	Format     string // of the recording: "access log"
	Key        string // what tells clients from one another; empty: nothing
	Skipped    int    // lines that could not be read
	Notes      []string
	Documented *limiter.Limit
	Promise    string // who documents it; empty: not said
	Answer     sizing.Answer
	Command    string // that makes the numbers again
	Tool       string

	// Ask is what a request letter asks for; nil: what the recording needs once
	// it has grown most, in the documented proportion.
	Ask *sizing.Ask
}

// SizingFormats lists every format of sizes.
var SizingFormats = []DocumentFormat[Sizing]{
	{"text", "tables for a terminal", onSheet(sizeSheet, sheet.text)},
	{"markdown", "the same for an issue or a chat", onSheet(sizeSheet, sheet.markdown)},
	{"html", "one page with pictures, as report.html is", onSheet(sizeSheet, sheet.html)},
	{"json", "schema duckload.size/1", writeSizeJSON},
}

// LetterFormats lists the formats of a request letter.
var LetterFormats = []DocumentFormat[Sizing]{
	{"html", "one page to attach or to print", onSheet(letterSheet, sheet.html)},
	{"markdown", "one page for an issue or a mail", onSheet(letterSheet, sheet.markdown)},
}

func writeSizeJSON(w io.Writer, s Sizing) error {
	return writeIndented(w, struct {
		Schema    string   `json:"schema"`
		Recording string   `json:"recording"`
		Format    string   `json:"format"`
		Key       string   `json:"key"`
		Skipped   int      `json:"skipped"`
		Notes     []string `json:"notes"`
		sizing.Answer
	}{"duckload.size/1", s.Name, s.Format, s.Key, s.Skipped, append([]string{}, s.Notes...), s.Answer})
}

func sizeSheet(s Sizing) (sheet, error) {
	a := s.Answer
	out := sheet{Title: "Sizing: " + printable(s.Name), Sentence: sizeSentence(s), Facts: sizeFacts(s), Tool: printable(s.Tool)}
	for i, v := range a.Views {
		title := ""
		if len(a.Views) > 1 {
			title = ", " + string(v.Scope)
		}
		id := fmt.Sprintf("view-%d", i+1)
		if losses := lossRows(v, a); len(losses) > 0 {
			out.Parts = append(out.Parts, part{ID: id + "-limits", Heading: "What limits would have rejected" + title, Head: lossHead, Rows: losses})
		}
		out.Parts = append(out.Parts, needPart(v, s, id, title))
		if len(v.Growth) > 0 {
			out.Parts = append(out.Parts, growthPart(v, s, id, title))
		}
		curve, err := curvePart(v, s, id, title)
		if err != nil {
			return out, err
		}
		out.Parts = append(out.Parts, curve)
	}
	out.Parts = append(out.Parts, caveatPart(s))
	return out, nil
}

// sizeSentence is the answer in a sentence: of the scope that the documented
// limit has, and each client where nothing is said.
func sizeSentence(s Sizing) string {
	v := viewOf(s)
	per := limiter.Per(s.Answer.Window)
	if v.Documented == nil {
		p := middle(v.Curve)
		return fmt.Sprintf("Nothing would be rejected at %s per %s with a burst of %s (%s); the curve below has every other pair.",
			thousands(int(p.Limit)), per, thousands(int(p.Bursts[0])), v.Scope)
	}
	d := *v.Documented
	if d.Rejected == 0 {
		spare := ""
		if n := v.Needs[0].Burst; n != nil && bucketed(d.Limit) {
			spare = fmt.Sprintf(": at this limit the traffic needs a burst of %s", thousands(int(*n)))
		} else if n := v.Needs[0].Log; n != nil {
			spare = fmt.Sprintf(": no window of %s held more than %s", per, thousands(int(*n)))
		}
		return fmt.Sprintf("%s (%s) would have rejected nothing%s.", limitWords(d.Limit), v.Scope, spare)
	}
	return fmt.Sprintf("%s (%s) would have rejected %s of %s requests (%s), from %s of %s.", limitWords(d.Limit), v.Scope,
		thousands(d.Rejected), thousands(s.Answer.Traffic.Requests), share(d.Share), thousands(d.ClientsRejected), plural(s.Answer.Traffic.Clients, "client"))
}

// viewOf is the view that the documented limit is about.
func viewOf(s Sizing) sizing.View {
	views := s.Answer.Views
	if s.Documented != nil && s.Documented.Scope == limiter.ScopeGlobal {
		return views[len(views)-1]
	}
	return views[0]
}

func middle(curve []sizing.Point) sizing.Point { return curve[len(curve)/2] }

func bucketed(l limiter.Limit) bool {
	return l.Burst > 0 && (l.Reading == limiter.TokenBucket || l.Reading == limiter.Open)
}

// limitWords is a limit without its scope, which the view has.
func limitWords(l limiter.Limit) string {
	l.Scope = ""
	return l.String()
}

func sizeFacts(s Sizing) []string {
	t := s.Answer.Traffic
	from := time.Unix(0, t.First).UTC()
	facts := []string{
		fmt.Sprintf("%s in %s", plural(t.Requests, "request"), length(time.Duration(t.Length*1e9))),
		fmt.Sprintf("from %s", from.Format("2 January 2006, 15:04 UTC")),
		fmt.Sprintf("on average %s per %s", figures(t.Mean), limiter.Per(s.Answer.Window)),
		fmt.Sprintf("busiest minute %s (%s)", thousands(t.Busiest.Count), time.Unix(0, t.Busiest.Begin).UTC().Format("2 Jan 15:04")),
	}
	if t.First < int64(365*24*time.Hour) { // counted from the start of the recording
		facts[1] = "times from the start of the recording"
	}
	if t.Clients > 1 {
		facts = append(facts, fmt.Sprintf("%s by %s", plural(t.Clients, "client"), printable(s.Key)))
	}
	if s.Skipped > 0 {
		facts = append(facts, plural(s.Skipped, "line")+" skipped")
	}
	return facts
}

var lossHead = []string{"limit", "rejected", "of all requests", "clients that met it", "longest wait if all queued", "worst minute"}

func lossRows(v sizing.View, a sizing.Answer) [][]string {
	losses := v.Candidates
	if v.Documented != nil {
		losses = append([]sizing.Loss{*v.Documented}, losses...)
	}
	var rows [][]string
	for i, l := range losses {
		name := limitWords(l.Limit)
		if i == 0 && v.Documented != nil {
			name += " (documented)"
		}
		wait := "–"
		if bucketed(l.Limit) || l.Limit.Reading == limiter.TokenBucket {
			wait = "none"
			if l.LongestWait > 0 {
				wait = length(time.Duration(l.LongestWait * 1e9))
			}
		}
		rows = append(rows, []string{
			name, thousands(l.Rejected), share(l.Share),
			fmt.Sprintf("%s of %s", thousands(l.ClientsRejected), thousands(a.Traffic.Clients)), wait, worst(l.Worst),
		})
	}
	return rows
}

func worst(m sizing.Minute) string {
	if m.Count == 0 {
		return "–"
	}
	return fmt.Sprintf("%s at %s", thousands(m.Count), time.Unix(0, m.Begin).UTC().Format("2 Jan 15:04"))
}

func needPart(v sizing.View, s Sizing, id, title string) part {
	per := limiter.Per(s.Answer.Window)
	p := part{ID: id + "-needs", Heading: "The least that is enough" + title}
	d := s.Documented
	p.Head = []string{"rejected at most"}
	if d != nil {
		p.Head = append(p.Head, fmt.Sprintf("burst at %s/%s", thousands(int(d.Limit)), limiter.Per(d.Window)))
		if d.Burst > 0 {
			p.Head = append(p.Head, fmt.Sprintf("limit with burst %s", thousands(int(d.Burst))), "limit and burst in proportion")
		}
	}
	p.Head = append(p.Head, "fixed window of "+per, "any window of "+per)
	for _, n := range v.Needs {
		row := []string{share(n.Share)}
		if d != nil {
			row = append(row, counted(n.Burst, ""))
			if d.Burst > 0 {
				row = append(row, counted(n.Limit, "/"+per), asked(n.Ratio, per))
			}
		}
		row = append(row, thousands(int(n.Window)), counted(n.Log, ""))
		p.Rows = append(p.Rows, row)
	}
	if len(v.Daily) > 1 {
		least, most := v.Daily[0], v.Daily[0]
		for _, b := range v.Daily {
			least, most = min(least, b), max(most, b)
		}
		p.Text = append(p.Text, fmt.Sprintf("Over %d days, the burst that a day needs at the documented limit lies between %s and %s, in the middle %s.",
			len(v.Daily), thousands(int(least)), thousands(int(most)), thousands(int(median(v.Daily)))))
	}
	return p
}

func growthPart(v sizing.View, s Sizing, id, title string) part {
	per := limiter.Per(s.Answer.Window)
	p := part{ID: id + "-growth", Heading: "If every client sends faster" + title,
		Head: []string{"times", "the documented limit rejects", "burst it needs then", "limit and burst in proportion", "any window of " + per}}
	if len(v.Growth[0].Daily) > 1 {
		p.Head = append(p.Head, "burst by day")
	}
	for _, g := range v.Growth {
		row := []string{figures(g.Factor), share(g.Loss.Share), thousands(int(g.Burst)), asked(g.Ask, per), thousands(int(g.Log))}
		if len(g.Daily) > 1 {
			least, most := g.Daily[0], g.Daily[0]
			for _, b := range g.Daily {
				least, most = min(least, b), max(most, b)
			}
			row = append(row, fmt.Sprintf("%s–%s", thousands(int(least)), thousands(int(most))))
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func curvePart(v sizing.View, s Sizing, id, title string) (part, error) {
	per := limiter.Per(s.Answer.Window)
	p := part{ID: id + "-curve", Heading: "Limits and bursts that are enough" + title}
	f, err := curveFigure(v, s, id+"-curve-figure", nil)
	if err != nil {
		return p, err
	}
	p.Figure = &f
	p.Head = []string{"limit per " + per}
	for _, x := range s.Answer.Shares {
		p.Head = append(p.Head, "burst for "+share(x))
	}
	for _, c := range v.Curve {
		if len(c.Bursts) == len(s.Answer.Shares) { // the figure has the others
			p.Rows = append(p.Rows, curveRow(c, len(s.Answer.Shares)))
		}
	}
	return p, nil
}

func curveRow(c sizing.Point, columns int) []string {
	row := []string{thousands(int(c.Limit))}
	for i := range columns {
		if i < len(c.Bursts) {
			row = append(row, thousands(int(c.Bursts[i])))
		} else {
			row = append(row, "–")
		}
	}
	return row
}

func curveFigure(v sizing.View, s Sizing, id string, ask *sizing.Ask) (figure, error) {
	per := limiter.Per(s.Answer.Window)
	f := figure{
		Caption: "To the right the limit per " + per + ", upwards the burst: every bucket on a line or above it is enough. Both axes are logarithmic.",
		Head:    []string{"limit per " + per},
	}
	view := curveView{}
	marks := []string{"━", "╌", "┈", "╌"}
	for i, x := range s.Answer.Shares {
		f.Head = append(f.Head, "burst for "+share(x))
		var line []point
		for _, c := range v.Curve {
			if i < len(c.Bursts) {
				line = append(line, point{float64(c.Limit), float64(c.Bursts[i])})
			}
		}
		view.Lines = append(view.Lines, line)
		what := "rejects nothing"
		if x > 0 {
			what = "rejects " + share(x)
		}
		f.Legend = append(f.Legend, legend{lineLooks[i%len(lineLooks)].class, marks[i%len(marks)], what})
	}
	desc := "Bursts fall as limits rise."
	if d := s.Documented; d != nil && d.Burst > 0 {
		view.Documented = &point{float64(d.Limit) * s.Answer.Window.Seconds() / d.Window.Seconds(), float64(d.Burst)}
		f.Legend = append(f.Legend, legend{"limit", "✖", "documented"})
		desc += " Documented: " + limitWords(*d) + "."
	}
	if ask != nil && ask.Burst > 0 {
		view.Asked = &point{float64(ask.Limit), float64(ask.Burst)}
		f.Legend = append(f.Legend, legend{"text", "○", "asked for"})
		desc += fmt.Sprintf(" Asked for: %d per %s with a burst of %d.", ask.Limit, per, ask.Burst)
	}
	for _, c := range v.Curve {
		f.Rows = append(f.Rows, curveRow(c, len(s.Answer.Shares)))
	}
	for _, p := range []picture{
		{id: id + "-wide", class: "wide", width: 640, height: 320},
		{id: id + "-narrow", class: "narrow", width: 340, height: 280},
	} {
		p.title, p.desc = "Limits and bursts that are enough, "+string(v.Scope), desc
		drawing, err := drawCurves(view, p.width, p.height)
		if err != nil {
			return f, err
		}
		if err := f.add(p, drawing); err != nil {
			return f, err
		}
	}
	return f, nil
}

func caveatPart(s Sizing) part {
	p := part{ID: "trust", Heading: "What this rests on"}
	for _, c := range s.Answer.Caveats {
		p.List = append(p.List, sentence(c))
	}
	for _, n := range s.Notes {
		p.List = append(p.List, sentence(n))
	}
	if s.Skipped > 0 {
		p.List = append(p.List, plural(s.Skipped, "line")+" could not be read, and are not counted.")
	}
	if s.Command != "" {
		p.Code = []string{printable(s.Command)}
	}
	return p
}

// share writes a part of a whole: "0", "0.12 %", "3.4 %".
func share(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.00005:
		return "under 0.01 %"
	case x < 0.01:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", 100*x), "0"), ".") + " %"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*x), ".0") + " %"
}

// figures writes a number with three digits that count.
func figures(x float64) string {
	if x >= 1000 {
		return thousands(int(math.Round(x)))
	}
	return fmt.Sprintf("%.3g", x)
}

func counted(n *int64, unit string) string {
	if n == nil {
		return "–"
	}
	return thousands(int(*n)) + unit
}

func asked(a *sizing.Ask, per string) string {
	if a == nil {
		return "–"
	}
	return fmt.Sprintf("%s/%s, burst %s", thousands(int(a.Limit)), per, thousands(int(a.Burst)))
}

func median(all []int64) int64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
