package report

import (
	"fmt"
	"html/template"
	"strings"

	"duckload/analyze"
	"duckload/limiter"
)

// sectionOf is all that the page says about one group.
func sectionOf(r Report, i int) section {
	g := r.Findings.Groups[i]
	s := section{
		Anchor: anchor(i), Name: printable(g.Name), Promised: documented(g.Promise), Outcomes: outcomes(g),
		Lanes: printable(strings.Join(g.Lanes, "; ")), Verdict: wordOf(g.Outcome), Latency: latencyRows(g),
	}
	if i < len(r.Header.Groups) {
		for _, line := range r.Header.Groups[i].Requests {
			s.Requests = append(s.Requests, printable(line))
		}
	}
	for k, f := range g.Findings {
		c := checkView{Verdict: wordOf(f.Outcome), ID: f.Check, Message: sentence(f.Message)}
		if f.Outcome == analyze.Fail {
			c.Anchor = proofAnchor(i, k)
		}
		s.Checks = append(s.Checks, c)
	}
	s.Failed = g.Outcome == analyze.Fail
	s.Scope, s.Headers, s.Webhooks = scopeOf(g), headerRows(g), webhookRows(g)
	return s
}

// pictures are all of a group, in rows: a wide one of the run's time, and a
// small one beside it that belongs to it.
func pictures(g analyze.Group, id string) ([][]figure, error) {
	levels, err := levelFigures(g, id+"-level")
	if err != nil {
		return nil, err
	}
	wide := append([]func() (figure, error){func() (figure, error) { return timeFigure(g, id+"-time") }}, made(levels)...)
	searched, err := capacityFigures(g, id+"-capacity")
	if err != nil {
		return nil, err
	}
	wide = append(wide, func() (figure, error) { return overTimeFigure(g, id+"-latency") })
	wide = append(wide, made(searched)...)
	small := []func() (figure, error){
		func() (figure, error) { return planeFigure(g, id+"-plane") },
		func() (figure, error) { return waitsFigure(g, id+"-waits") },
		func() (figure, error) { return spectrumFigure(g, id+"-spectrum") },
	}
	var rows [][]figure
	for i := range max(len(wide), len(small)) {
		var row []figure
		for _, column := range [][]func() (figure, error){wide, small} {
			if i >= len(column) {
				continue
			}
			f, err := column[i]()
			if err != nil {
				return nil, err
			}
			if len(f.Pictures) > 0 {
				row = append(row, f)
			}
		}
		if len(row) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func made(all []figure) []func() (figure, error) {
	var done []func() (figure, error)
	for _, f := range all {
		done = append(done, func() (figure, error) { return f, nil })
	}
	return done
}

// timeFigure shows requests over time.
func timeFigure(g analyze.Group, id string) (figure, error) {
	v := timelineOf(g)
	offered, admitted, rejected, unknown := v.totals()
	if offered+unknown == 0 {
		return figure{}, nil // nothing was sent: the page says so in words
	}
	f := figure{
		Name:    "Requests over time",
		Caption: fmt.Sprintf("Requests in each %s%s, on a scale of square roots.", length(v.Bin), v.from()),
		Legend:  []legend{{"admitted", "▲", "admitted, upwards"}, {"rejected", "▼", "rejected, downwards"}},
		Head:    []string{"from", "sent", "admitted", "rejected", "unknown", "limit"},
		Rows:    v.Rows(),
	}
	if v.Begin > 0 {
		f.Caption += fmt.Sprintf(" Nothing was sent before %s.", length(v.Begin))
	}
	if unknown > 0 {
		f.Legend = append(f.Legend, legend{"unknown", "○", "unknown outcome"})
	}
	if c := v.Caption(); c != "" {
		f.Legend = append(f.Legend, legend{"limit", "╌", c})
	}
	desc := fmt.Sprintf("%s sent: %s admitted, %s rejected, %s unknown.", thousands(offered), thousands(admitted), thousands(rejected), thousands(unknown))
	if c := v.Caption(); c != "" {
		desc += " The dashed line is " + c + "."
	}
	if v.Proof {
		desc += fmt.Sprintf(" The first violation is marked between %s and %s.", when(v.From), when(v.To))
		f.Caption += " ✗ marks the first violation: " + printable(v.Violated) + "."
	}
	s := v.stretch()
	err := f.addBoth(picture{id: id, title: g.Name + ": requests over time", desc: desc, over: &s}, 270,
		func(width, height int) (drawing, error) { return drawTimeline(v, width, height) })
	return f, err
}

// addBoth adds a picture drawn once for wide and once for narrow screens:
// letters keep their size on both.
func (f *figure) addBoth(p picture, height int, draw func(width, height int) (drawing, error)) error {
	id := p.id
	p.height = height
	for _, size := range []struct {
		class string
		width int
	}{{"wide", 640}, {"narrow", 340}} {
		p.id, p.class, p.width = id+"-"+size.class, size.class, size.width
		d, err := draw(p.width, p.height)
		if err != nil {
			return err
		}
		if err := f.add(p, d); err != nil {
			return err
		}
	}
	return nil
}

func spectrumFigure(g analyze.Group, id string) (figure, error) {
	f := figure{
		Name:    "Latency by percentile",
		Caption: "Latency from sending to the end of the answer, by percentile; both axes are logarithmic.",
		Head:    []string{"outcome", "percentile", "latency"},
	}
	for _, o := range shownOutcomes {
		if l := g.Latency[o.outcome]; l.N > 0 {
			f.Legend = append(f.Legend, legend{o.outcome.String(), o.mark, o.words})
			for _, q := range l.Spectrum {
				f.Rows = append(f.Rows, []string{o.outcome.String(), fmt.Sprintf("%.6g %%", q.Percentile), length(q.Value)})
			}
		}
	}
	if len(f.Rows) == 0 {
		return figure{}, nil
	}
	p := picture{id: id, class: "small", width: 340, height: 280, title: g.Name + ": latency by percentile", desc: spectrumWords(g)}
	drawing, err := drawSpectrum(g.Latency, p.width, p.height)
	if err != nil {
		return f, err
	}
	return f, f.add(p, drawing)
}

func (f *figure) add(p picture, d drawing) error {
	svg, err := p.styled(d)
	f.Pictures = append(f.Pictures, template.HTML(svg))
	return err
}

var shownOutcomes = []struct {
	outcome     limiter.Outcome
	mark, words string
}{
	{limiter.Admitted, "●", "admitted, solid line"},
	{limiter.Rejected, "▲", "rejected, dashed line"},
	{limiter.Unknown, "○", "unknown, dotted line"},
}

func spectrumWords(g analyze.Group) string {
	var all []string
	for _, o := range shownOutcomes {
		if l := g.Latency[o.outcome]; l.N > 0 {
			all = append(all, fmt.Sprintf("%s: half within %s, 99 %% within %s, all %s within %s", o.outcome, length(l.P50), length(l.P99), thousands(l.N), length(l.Max)))
		}
	}
	return strings.Join(all, "; ") + "."
}

// latencyRows is the table of percentiles, an outcome a row.
func latencyRows(g analyze.Group) [][]string {
	var rows [][]string
	for _, o := range shownOutcomes {
		l := g.Latency[o.outcome]
		if l.N == 0 {
			continue
		}
		rows = append(rows, []string{o.outcome.String(), thousands(l.N), length(l.P50), length(l.P90), length(l.P95), length(l.P99), length(l.Max)})
	}
	return rows
}
