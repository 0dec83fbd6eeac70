package report

import (
	"fmt"
	"math"
	"time"

	"duckload/analyze"
)

// A spread is what one stretch of time holds of one outcome: half within Low, 99
// of 100 within High, or all of them.
type spread struct {
	At        time.Duration // the middle of the stretch
	Low, High time.Duration
}

// A rangesView is a picture of durations over time: ranges, by class of
// outcome, on a logarithmic axis.
type rangesView struct {
	stretch
	Low, High float64 // of the axis
	Series    []series
}

type series struct {
	class string
	marks []spread
}

func (v *rangesView) add(class string, marks []spread) {
	for _, m := range marks {
		v.Low, v.High = min(v.Low, logOf(m.Low)), max(v.High, logOf(m.High))
	}
	v.Series = append(v.Series, series{class, marks})
}

// framed leaves some room around what is drawn.
func (v *rangesView) framed() {
	if v.Low > v.High {
		v.Low, v.High = 3, 9
	}
	v.Low, v.High = v.Low-0.15, v.High+0.15
}

func latencyOverTime(g analyze.Group) rangesView {
	v := rangesView{stretch: timelineOf(g).stretch(), Low: math.Inf(1), High: math.Inf(-1)}
	l := g.Shown.Latency
	for _, o := range shownOutcomes {
		var all []spread
		for i, bin := range l.Bins {
			if b := bin[o.outcome]; b.N > 0 {
				all = append(all, spread{time.Duration(i)*l.Bin + l.Bin/2, b.P50, b.P99})
			}
		}
		v.add(o.outcome.String(), all)
	}
	v.framed()
	return v
}

// overTimeFigure draws latency over time.
func overTimeFigure(g analyze.Group, id string) (figure, error) {
	l := g.Shown.Latency
	f := figure{
		Name:    "Latency over time",
		Caption: fmt.Sprintf("Latency of the requests sent in each %s: the mark is the median, the line reaches up to the 99th percentile, both right within 5 %%.", length(l.Bin)),
		Head:    []string{"from", "outcome", "n", "p50", "p99", "max"},
	}
	for i, bin := range l.Bins {
		for _, o := range shownOutcomes {
			if b := bin[o.outcome]; b.N > 0 {
				f.Rows = append(f.Rows, []string{when(time.Duration(i) * l.Bin), o.outcome.String(), thousands(b.N), length(b.P50), length(b.P99), length(b.Max)})
			}
		}
	}
	if len(f.Rows) == 0 {
		return figure{}, nil
	}
	for _, o := range shownOutcomes {
		if g.Latency[o.outcome].N > 0 {
			f.Legend = append(f.Legend, legend{o.outcome.String(), o.mark, o.outcome.String()})
		}
	}
	v := latencyOverTime(g)
	err := f.addBoth(picture{id: id, title: g.Name + ": latency over time", desc: spectrumWords(g), over: &v.stretch}, 230,
		func(width, height int) (drawing, error) { return drawRanges(v, width, height) })
	return f, err
}

// sendingFigure draws how late requests were sent over the run.
func sendingFigure(f analyze.Findings) (figure, error) {
	s := f.Sending
	v := rangesView{stretch: stretch{0, max(time.Duration(len(s.Bins))*s.Bin, 1)}, Low: math.Inf(1), High: math.Inf(-1)}
	fig := figure{
		Name:    "How late requests left",
		Caption: fmt.Sprintf("How long after the moment that the plan wanted the requests of each %s left: the mark is the mean, the line reaches up to the latest. Verdicts use the moments at which requests really left.", length(s.Bin)),
		Legend:  []legend{{"told", "●", "mean, up to the latest"}},
		Head:    []string{"from", "due", "sent", "under way at the end", "late, mean", "late, most"},
	}
	var all []spread
	for i, b := range s.Bins {
		if b.Due+b.Sent == 0 {
			continue
		}
		at := time.Duration(i) * s.Bin
		fig.Rows = append(fig.Rows, []string{when(at), thousands(b.Due), thousands(b.Sent), thousands(b.Open), length(b.Mean), length(b.Max)})
		if b.Sent > 0 {
			all = append(all, spread{at + s.Bin/2, b.Mean, b.Max})
		}
	}
	if len(all) == 0 {
		return figure{}, nil
	}
	v.add("told", all)
	v.framed()
	l := f.Lateness
	desc := fmt.Sprintf("Of %s half left within %s of the plan, 99 %% within %s, all within %s.", plural(l.N, "request"), length(l.P50), length(l.P99), length(l.Max))
	err := fig.addBoth(picture{id: "sending", title: "How late requests left", desc: desc, over: &v.stretch}, 210,
		func(width, height int) (drawing, error) { return drawRanges(v, width, height) })
	return fig, err
}
