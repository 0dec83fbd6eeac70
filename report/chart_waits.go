package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawWaits draws waits that were told beside those that were needed.
func drawWaits(v waitsView, width, height int) (drawing, error) {
	p := blank()
	p.Add(rounding{v})
	grid(p, true)
	p.Add(lineOf{[]point{{0, 0}, {v.Most, v.Most}}, draw.LineStyle{Color: tint("limit"), Width: 1.5, Dashes: []vg.Length{5, 3}}})
	p.Add(waitBars{v})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, v.Most, 0, v.Most
	p.X.Tick.Marker, p.Y.Tick.Marker = marks(waitTicks(v.Most)), marks(waitTicks(v.Most))
	return rendered(p, width, height)
}

// rounding is the band in which a wait that is rounded up to a second lies.
type rounding struct{ waitsView }

func (r rounding) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	outline := []vg.Point{{X: x(0), Y: y(0)}, {X: x(r.Most), Y: y(r.Most)}}
	for i := range 41 {
		at := r.Most * float64(40-i) / 40
		outline = append(outline, vg.Point{X: x(at), Y: y(math.Log(max(math.Exp(at)-1, 1)))}) // a second less
	}
	c.FillPolygon(tint("panel"), outline)
	style := words("text")
	style.XAlign, style.YAlign = draw.XLeft, draw.YTop
	c.FillText(style, vg.Point{X: c.Min.X + 6, Y: c.Max.Y - 1}, "told too little")
	style.XAlign = draw.XRight
	c.FillText(style, vg.Point{X: c.Max.X - 4, Y: c.Min.Y + 22}, "told too much")
}

// waitBars are the certain bounds of what was needed.
type waitBars struct{ waitsView }

func (w waitBars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: tint("admitted"), Width: 3}
	for _, b := range w.Honest {
		low, high := y(b.Low), y(min(b.High, w.Most))
		c.StrokeLine2(style, x(b.X), low, x(b.X), max(high, low+3))
	}
	for _, b := range w.Wrong {
		at := vg.Point{X: x(b.X), Y: y(b.Low)}
		if !b.Open {
			at.Y = y(min(b.High, w.Most))
		}
		cross(c, "fault", at)
	}
}
