package report

import (
	"fmt"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/capacity"
)

// capacityFigures show the searches for a capacity: what was offered to the
// right, latency and what was achieved upwards.
func capacityFigures(g analyze.Group, id string) ([]figure, error) {
	var all []figure
	for i, r := range g.Capacity {
		if len(r.Trials) == 0 {
			continue
		}
		for _, make := range []func(analyze.Group, capacity.Result, string) (figure, error){capacityLatency, capacityAchieved} {
			f, err := make(g, r, fmt.Sprintf("%s-%d", id, i+1))
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// trialHead and trialRows are the trials of a search as a table.
var trialHead = []string{"offered", "achieved", "requests", "verdict", "p50", "p95", "p99"}

func trialRows(r capacity.Result) [][]string {
	var rows [][]string
	for _, t := range r.Trials {
		verdict := string(t.Verdict)
		if t.Broken != "" {
			verdict += " (" + t.Broken + ")"
		}
		if t.Confirms {
			verdict += ", confirming"
		}
		rows = append(rows, []string{
			perSecond(t.Rate), perSecond(t.Achieved), thousands(t.Requests), verdict, length(t.P50), length(t.P95), length(t.P99),
		})
	}
	return rows
}

// A capacityView is a picture of trials: rates to the right, and lines of dots.
type capacityView struct {
	Lines   [][]point // latencies are in nanoseconds
	Low     *float64  // the objectives hold up to here
	Latency bool      // upwards is a latency on a logarithmic axis, else a rate
}

func capacityLatency(g analyze.Group, r capacity.Result, id string) (figure, error) {
	v := capacityView{Latency: true}
	if r.Low > 0 {
		v.Low = &r.Low
	}
	var p50, p95, p99 []point
	for _, t := range r.Trials {
		if t.P50 > 0 {
			p50 = append(p50, point{t.Rate, float64(t.P50)})
			p95 = append(p95, point{t.Rate, float64(t.P95)})
			p99 = append(p99, point{t.Rate, float64(t.P99)})
		}
	}
	v.Lines = [][]point{p50, p95, p99}
	f := figure{
		Name: "Capacity: latency against offered rate",
		Caption: sentence(r.Sentence) + " Each dot is a trial; latency is that of admitted requests, from the moment at which they were due." +
			kneeWords(r),
		Legend: []legend{{"admitted", "●", "p50"}, {"rejected", "▲", "p95"}, {"unknown", "○", "p99"}, {"limit", "╌", "the objectives hold up to here"}},
		Head:   trialHead,
		Rows:   trialRows(r),
	}
	err := f.addBoth(picture{id: id + "-latency", title: g.Name + ": latency against offered rate", desc: sentence(r.Sentence)}, 270,
		func(width, height int) (drawing, error) { return drawCapacity(v, width, height) })
	return f, err
}

func kneeWords(r capacity.Result) string {
	switch {
	case r.KneeHigh == nil:
		return ""
	case r.KneeLow == nil:
		return fmt.Sprintf(" The knee, where p95 grows past twice that of the slowest trial, lies below %s.", perSecond(*r.KneeHigh))
	}
	return fmt.Sprintf(" The knee, where p95 grows past twice that of the slowest trial, lies between %s and %s.", perSecond(*r.KneeLow), perSecond(*r.KneeHigh))
}

func capacityAchieved(g analyze.Group, r capacity.Result, id string) (figure, error) {
	v := capacityView{}
	if r.Low > 0 {
		v.Low = &r.Low
	}
	var achieved []point
	for _, t := range r.Trials {
		achieved = append(achieved, point{t.Rate, t.Achieved})
	}
	v.Lines = [][]point{achieved}
	f := figure{
		Name:    "Capacity: achieved against offered rate",
		Caption: "Requests answered in a second against requests sent in one, by trial. Below the straight line a queue grows.",
		Legend:  []legend{{"admitted", "●", "achieved"}, {"text", "╌", "as many as were offered"}},
		Head:    trialHead,
		Rows:    trialRows(r),
	}
	desc := "The service kept up with every trial."
	if r.Throughput > 0 {
		desc = fmt.Sprintf("Saturated, the service got through about %s.", perSecond(r.Throughput))
		f.Caption += " " + desc
	}
	err := f.addBoth(picture{id: id + "-achieved", title: g.Name + ": achieved against offered rate", desc: desc}, 270,
		func(width, height int) (drawing, error) { return drawCapacity(v, width, height) })
	return f, err
}

// capacitySentences are the results of all searches, for formats without
// pictures.
func capacitySentences(f analyze.Findings) []string {
	var all []string
	for _, g := range f.Groups {
		for _, r := range g.Capacity {
			all = append(all, printable(g.Name)+": "+printable(r.Sentence)+kneeText(r))
		}
	}
	return all
}

func kneeText(r capacity.Result) string { return strings.TrimSuffix(kneeWords(r), ".") }

// capacityJSON is a result with its latencies in milliseconds.
type capacityJSON struct {
	capacity.Result
	Trials []trialJSON `json:"trials"`
}

type trialJSON struct {
	capacity.Measured
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
}

func capacitiesOf(g analyze.Group) []capacityJSON {
	var all []capacityJSON
	for _, r := range g.Capacity {
		c := capacityJSON{Result: r, Trials: []trialJSON{}}
		for _, t := range r.Trials {
			ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
			c.Trials = append(c.Trials, trialJSON{t, ms(t.P50), ms(t.P95), ms(t.P99)})
		}
		all = append(all, c)
	}
	return all
}
