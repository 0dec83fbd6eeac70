package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawCapacity draws trials over their rates, both axes logarithmic.
func drawCapacity(v capacityView, width, height int) (drawing, error) {
	p := blank()
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, line := range v.Lines {
		for _, at := range line {
			low = point{min(low.X, at.X), min(low.Y, at.Y)}
			high = point{max(high.X, at.X), max(high.Y, at.Y)}
		}
	}
	if low.X > high.X {
		low, high = point{1, 1}, point{10, 10}
	}
	if !v.Latency { // the straight line must fit
		low.Y, high.Y = min(low.X, max(low.Y, low.X/10)), high.X
	}
	p.X.Min, p.X.Max = math.Log10(low.X)-0.05, math.Log10(high.X)+0.05
	p.Y.Min, p.Y.Max = math.Log10(low.Y)-0.08, math.Log10(high.Y)+0.12
	p.X.Tick.Marker = marks(powerTicks(p.X.Min, p.X.Max, width/70))
	if v.Latency {
		p.Y.Tick.Marker = marks(latencyTicks(p.Y.Min, p.Y.Max))
	} else {
		p.Y.Tick.Marker = marks(powerTicks(p.Y.Min, p.Y.Max, height/40))
	}
	grid(p, true)
	p.Add(bracket{v})
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}}
	for i, line := range v.Lines {
		p.Add(trialDots{line, []string{"admitted", "rejected", "unknown"}[i], shapes[i]})
	}
	return rendered(p, width, height)
}

// bracket marks how far the objectives hold, and the line of all that is
// offered.
type bracket struct{ capacityView }

func (b bracket) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if b.Low != nil {
		at := x(math.Log10(*b.Low))
		c.StrokeLine2(draw.LineStyle{Color: tint("limit"), Width: 1.5, Dashes: []vg.Length{5, 3}}, at, c.Min.Y, at, c.Max.Y)
	}
	if !b.Latency {
		from, to := max(p.X.Min, p.Y.Min), min(p.X.Max, p.Y.Max)
		c.StrokeLine2(draw.LineStyle{Color: tint("text"), Width: 1, Dashes: []vg.Length{6, 3}}, x(from), y(from), x(to), y(to))
	}
}

// trialDots are trials.
type trialDots struct {
	points []point
	class  string
	shape  draw.GlyphDrawer
}

func (d trialDots) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, at := range d.points {
		if at.X <= 0 || at.Y <= 0 {
			continue
		}
		place := vg.Point{X: x(math.Log10(at.X)), Y: y(math.Log10(at.Y))}
		if place.Y < c.Min.Y || place.Y > c.Max.Y {
			continue
		}
		c.DrawGlyph(draw.GlyphStyle{Color: tint(d.class), Radius: 4, Shape: d.shape}, place)
	}
}
