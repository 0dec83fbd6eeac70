package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A curveView is what the picture of a burstiness curve shows: limits to the
// right, bursts upwards, both on logarithmic axes.
type curveView struct {
	Lines      [][]point // one for each share, the strictest first
	Documented *point
	Asked      *point
}

// lineLooks tells the curves of a picture apart without colour, too.
var lineLooks = []struct {
	class string
	dash  []vg.Length
}{
	{"admitted", nil}, {"rejected", []vg.Length{6, 3}}, {"unknown", []vg.Length{2, 3}}, {"text", []vg.Length{8, 3, 2, 3}},
}

// drawCurves draws which bursts a recording needs at which limits.
func drawCurves(v curveView, width, height int) (drawing, error) {
	p := blank()
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	see := func(at point) {
		low = point{min(low.X, at.X), min(low.Y, at.Y)}
		high = point{max(high.X, at.X), max(high.Y, at.Y)}
	}
	for _, line := range v.Lines {
		for _, at := range line {
			see(at)
		}
	}
	for _, at := range []*point{v.Documented, v.Asked} {
		if at != nil {
			see(*at)
		}
	}
	low, high = point{math.Log10(low.X), math.Log10(low.Y)}, point{math.Log10(high.X), math.Log10(high.Y)}
	marginX, marginY := 0.04*(high.X-low.X)+0.02, 0.06*(high.Y-low.Y)+0.05
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low.X-marginX, high.X+marginX, low.Y-marginY, high.Y+marginY
	p.X.Tick.Marker = marks(powerTicks(p.X.Min, p.X.Max, width/70))
	p.Y.Tick.Marker = marks(powerTicks(p.Y.Min, p.Y.Max, height/40))
	grid(p, true)
	for i, points := range v.Lines {
		look := lineLooks[i%len(lineLooks)]
		var places []point
		for _, at := range points {
			places = append(places, point{math.Log10(at.X), math.Log10(at.Y)})
		}
		p.Add(lineOf{places, draw.LineStyle{Color: tint(look.class), Width: 2, Dashes: look.dash}})
	}
	if v.Documented != nil {
		p.Add(crossAt(*v.Documented))
	}
	if v.Asked != nil {
		p.Add(ringAt(*v.Asked))
	}
	return rendered(p, width, height)
}

// crossAt marks the documented limit.
type crossAt point

func (m crossAt) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := vg.Point{X: x(math.Log10(m.X)), Y: y(math.Log10(m.Y))}
	cross(c, "limit", at)
}

// ringAt marks the limit that is asked for.
type ringAt point

func (m ringAt) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.SetColor(tint("text"))
	c.SetLineWidth(3)
	c.SetLineDash(nil, 0)
	ring(c, vg.Point{X: x(math.Log10(m.X)), Y: y(math.Log10(m.Y))})
}
