package report

import (
	"slices"
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawLevel draws the band of a level, and what answers told of it.
func drawLevel(v levelView, width, height int) (drawing, error) {
	p := blank()
	margin := 0.06 * (v.Top - v.Bottom)
	p.Y.Min, p.Y.Max = v.Bottom-margin/2, v.Top+2.5*margin // room for words
	p.Y.Tick.Marker = marks(roundTicks(p.Y.Min, v.Top+margin/2, 4))
	grid(p, false)
	p.Add(overdrawn{v}, band{v})
	edge := draw.LineStyle{Color: tint("admitted"), Width: 1.5}
	p.Add(lineOf{v.Low, edge}, lineOf{v.High, edge})
	full := draw.LineStyle{Color: tint("limit"), Width: 1.5, Dashes: []vg.Length{5, 3}}
	p.Add(lineOf{[]point{{v.From.Seconds(), v.Full}, {v.To.Seconds(), v.Full}}, full})
	p.Add(dots{v})
	across(p, v.stretch, width)
	return rendered(p, width, height)
}

// overdrawn is where more was admitted than the limit has.
type overdrawn struct{ levelView }

func (o overdrawn) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if o.Broken != nil {
		c.FillPolygon(tint("fall"), []vg.Point{{X: c.Min.X, Y: y(0)}, {X: c.Max.X, Y: y(0)}, {X: c.Max.X, Y: c.Min.Y}, {X: c.Min.X, Y: c.Min.Y}})
	}
	c.StrokeLine2(draw.LineStyle{Color: tint("text"), Width: 1}, x(o.From.Seconds()), y(0), x(o.To.Seconds()), y(0))
}

// band fills what lies between two edges.
type band struct{ levelView }

func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var outline []vg.Point
	for _, at := range b.High {
		outline = append(outline, vg.Point{X: x(at.X), Y: y(at.Y)})
	}
	for _, at := range slices.Backward(b.Low) {
		outline = append(outline, vg.Point{X: x(at.X), Y: y(at.Y)})
	}
	if len(outline) > 2 {
		c.FillPolygon(tint("tide"), c.ClipPolygonXY(outline))
	}
}

// dots are what answers told, and the first impossible admission.
type dots struct{ levelView }

func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.SetColor(tint("told"))
	c.SetLineWidth(1.5)
	c.SetLineDash(nil, 0)
	for _, at := range d.Told {
		ring(c, vg.Point{X: x(at.X), Y: y(min(at.Y, d.Top))})
	}
	switch {
	case d.Broken != nil:
		d.mark(c, vg.Point{X: x(d.Broken.X), Y: y(d.Broken.Y)}, "✗ first impossible admission")
	case d.Refused != nil:
		d.mark(c, vg.Point{X: x(d.Refused.X), Y: y(d.Refused.Y)}, "✗ first wrong rejection")
	}
}

// mark crosses out a point and says why, above everything.
func (d dots) mark(c draw.Canvas, at vg.Point, why string) {
	cross(c, "fault", at)
	style := words("fault")
	style.XAlign, style.YAlign = draw.XLeft, draw.YTop
	wide := vg.Length(7.5 * float64(utf8.RuneCountInString(why))) // in the widest of usual letters
	said := vg.Point{X: at.X + 10, Y: c.Max.Y - 1}
	switch {
	case said.X+wide <= c.Max.X+20:
	case at.X-10-wide >= c.Min.X:
		style.XAlign, said.X = draw.XRight, at.X-10
	default:
		style.XAlign, said.X = draw.XRight, c.Max.X+20
	}
	c.StrokeLine2(draw.LineStyle{Color: tint("fault"), Width: 1, Dashes: []vg.Length{2, 3}}, at.X, at.Y, at.X, c.Max.Y)
	c.FillText(style, said, why)
}
