package report

import (
	"fmt"
	"math"
	"slices"

	"duckload/analyze"
	"duckload/limiter"
)

// A point lies in a picture's own units.
type point struct{ X, Y float64 }

// A planeView is what the picture of rates and bursts shows: finished values,
// rates in requests per documented window.
type planeView struct {
	Left, Right, Bottom, Top float64

	Region      []point   // outline of what explains the run; empty: nothing does
	Least, Most []point   // the bounds, which may leave the picture
	Whole       [][]point // stretches of whole bursts that explain the run
	Documented  point
	Per         string // "min"
	Rows        [][]string
}

// planeOf lays out the plane of a group; false if none was measured.
func planeOf(g analyze.Group) (planeView, bool) {
	if g.Measured == nil || g.Measured.Plane == nil || len(g.Measured.Plane.Slices) < 2 || len(g.Promise.Limits) == 0 {
		return planeView{}, false
	}
	p, window := g.Measured.Plane, g.Promise.Limits[0].Window
	cuts := slices.Clone(p.Slices)
	for i := range cuts {
		cuts[i].Rate *= window.Seconds()
	}
	v := planeView{
		Left: cuts[0].Rate, Right: cuts[len(cuts)-1].Rate, Per: limiter.Per(window),
		Documented: point{p.Rate * window.Seconds(), p.Burst},
	}
	v.Bottom, v.Top = reach(cuts, p.Burst)
	for _, c := range cuts {
		v.Least, v.Most = append(v.Least, point{c.Rate, c.Least}), append(v.Most, point{c.Rate, min(c.Most, 1e15)})
		if c.Least < c.Most {
			v.Region = append(v.Region, point{c.Rate, v.inside(c.Most)})
		}
	}
	for _, c := range slices.Backward(cuts) {
		if c.Least < c.Most {
			v.Region = append(v.Region, point{c.Rate, v.inside(c.Least)})
		}
	}
	v.Whole = wholeBursts(cuts, v.Bottom, v.Top)
	v.Rows = planeRows(cuts)
	return v, true
}

// reach is how far the picture goes down and up: around what explains the run
// and what is documented.
func reach(cuts []analyze.PlaneSlice, documented float64) (bottom, top float64) {
	bottom, top = documented, documented
	for _, c := range cuts {
		switch {
		case c.Least >= c.Most:
		case math.IsInf(c.Most, 1):
			bottom, top = min(bottom, c.Least), max(top, 1.2*c.Least)
		default:
			bottom, top = min(bottom, c.Least), max(top, c.Most)
		}
	}
	if top-bottom < 0.02 {
		bottom, top = bottom-0.05, top+0.05
	}
	margin := 0.15 * (top - bottom)
	return bottom - margin, top + margin
}

func (v planeView) inside(y float64) float64 { return max(v.Bottom, min(v.Top, y)) }

// mostWhole is how many whole bursts are drawn: more would fill the region.
const mostWhole = 8

// wholeBursts finds the stretches of rates at which whole bursts explain the
// run. A bucket holds whole requests, so these are what is really possible.
func wholeBursts(cuts []analyze.PlaneSlice, bottom, top float64) [][]point {
	if top-bottom > mostWhole {
		return nil
	}
	var all [][]point
	for n := math.Ceil(bottom); n <= top; n++ {
		var now []point
		for _, c := range cuts {
			if c.Least <= n && n < c.Most {
				now = append(now, point{c.Rate, n})
			}
		}
		if len(now) > 1 {
			all = append(all, []point{now[0], now[len(now)-1]})
		}
	}
	return all
}

// planeRows are some of the cuts as words.
func planeRows(cuts []analyze.PlaneSlice) [][]string {
	var rows [][]string
	for i := 0; i < len(cuts); i += 1 + len(cuts)/25 {
		c := cuts[i]
		below := "no bound"
		if !math.IsInf(c.Most, 1) {
			below = fmt.Sprintf("%.3f", c.Most)
		}
		rows = append(rows, []string{fmt.Sprintf("%.3f", c.Rate), fmt.Sprintf("%.3f", c.Least), below})
	}
	return rows
}

// planeFigure draws the plane of rates and bursts.
func planeFigure(g analyze.Group, id string) (figure, error) {
	v, ok := planeOf(g)
	if !ok {
		return figure{}, nil
	}
	f := figure{
		Name:    "Limit and burst",
		Caption: "To the right the limit per " + v.Per + ", upwards the burst: every token bucket in the region explains the whole run.",
		Legend: []legend{
			{"limit", "✖", "documented"},
			{"admitted", "━", "admissions need a burst from here up"},
			{"rejected", "╌", "rejections need one below"},
		},
		Head: []string{"per " + v.Per, "burst at least", "and below"},
		Rows: v.Rows,
	}
	switch {
	case len(v.Region) == 0:
		f.Caption = "To the right the limit per " + v.Per + ", upwards the burst: no token bucket explains this run."
	case len(v.Whole) > 0:
		f.Legend = append(f.Legend, legend{"whole", "━", "whole bursts that explain the run"})
	}
	p := picture{
		id: id, class: "small", width: 340, height: 280, title: g.Name + ": limits and bursts that explain the run",
		desc: fmt.Sprintf("Documented: %s. Measured: limit %s, burst %s.", documented(g.Promise), measuredRate(g), measuredBurst(g)),
	}
	drawing, err := drawPlane(v, p.width, p.height)
	if err != nil {
		return f, err
	}
	return f, f.add(p, drawing)
}
