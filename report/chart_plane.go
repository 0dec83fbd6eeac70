package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawPlane draws which limits and bursts explain a run.
func drawPlane(v planeView, width, height int) (drawing, error) {
	p := blank()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = v.Left, v.Right, v.Bottom, v.Top
	p.X.Tick.Marker = marks(roundTicks(v.Left, v.Right, width/60))
	p.Y.Tick.Marker = marks(roundTicks(v.Bottom, v.Top, height/60))
	p.Add(region{v})
	grid(p, true)
	lines := []lineOf{
		{v.Least, draw.LineStyle{Color: tint("admitted"), Width: 2}},
		{v.Most, draw.LineStyle{Color: tint("rejected"), Width: 2, Dashes: []vg.Length{6, 3}}},
	}
	for _, stretch := range v.Whole {
		lines = append(lines, lineOf{stretch, draw.LineStyle{Color: tint("text"), Width: 4}})
	}
	for _, l := range lines {
		p.Add(l)
	}
	p.Add(promised{v})
	return rendered(p, width, height)
}

// region fills what explains the run.
type region struct{ planeView }

func (r region) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	outline := make([]vg.Point, len(r.Region))
	for i, at := range r.Region {
		outline[i] = vg.Point{X: x(at.X), Y: y(at.Y)}
	}
	if len(outline) > 2 {
		c.FillPolygon(tint("region"), outline)
	}
}

// promised marks the documented limit and burst.
type promised struct{ planeView }

func (d promised) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := vg.Point{X: x(d.Documented.X), Y: y(d.Documented.Y)}
	cross(c, "limit", at)
}
