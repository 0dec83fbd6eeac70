package report

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"duckload/analyze"
	"duckload/limiter"
)

// drawSpectrum draws latency against percentile. The percentiles crowd towards
// 100, because that is where slow answers are; both axes are logarithmic.
func drawSpectrum(all [3]analyze.Latency, width, height int) (drawing, error) {
	p := blank()
	spectrumAxes(p, all[:])
	for _, outcome := range []limiter.Outcome{limiter.Unknown, limiter.Rejected, limiter.Admitted} {
		if l := all[outcome]; l.N > 0 {
			p.Add(curve{l, outcome})
		}
	}
	return rendered(p, width, height)
}

// spectrumAxes makes room for some distributions on logarithmic axes.
func spectrumAxes(p *plot.Plot, all []analyze.Latency) {
	low, high, nines := math.Inf(1), math.Inf(-1), 0.5
	for _, l := range all {
		for _, q := range l.Spectrum {
			low, high = min(low, logOf(q.Value)), max(high, logOf(q.Value))
			nines = max(nines, nine(q.Percentile, l.N))
		}
	}
	if low > high {
		low, high = 0, 1
	}
	low, high = low-0.08, high+0.12
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, nines+0.1, low, high
	p.X.Tick.Marker = marks(percentileTicks(nines))
	p.Y.Tick.Marker = marks(latencyTicks(low, high))
	grid(p, true)
}

// spectrumPoints are a distribution on those axes.
func spectrumPoints(c draw.Canvas, p *plot.Plot, l analyze.Latency) []vg.Point {
	x, y := p.Transforms(&c)
	points := make([]vg.Point, len(l.Spectrum))
	for i, q := range l.Spectrum {
		points[i] = vg.Point{X: x(nine(q.Percentile, l.N)), Y: y(logOf(q.Value))}
	}
	return points
}

// curve is the spectrum of one outcome, with a marker of its own shape.
type curve struct {
	analyze.Latency
	outcome limiter.Outcome
}

func (l curve) Plot(c draw.Canvas, p *plot.Plot) {
	line := draw.LineStyle{Color: tint(l.outcome.String()), Width: 2}
	glyph := glyphOf(l.outcome.String())
	switch l.outcome {
	case limiter.Rejected:
		line.Dashes = []vg.Length{6, 3}
	case limiter.Unknown:
		line.Dashes = []vg.Length{2, 3}
	}
	points := spectrumPoints(c, p, l.Latency)
	c.StrokeLines(line, points)
	for i, step := 0, max(1, len(points)/6); i < len(points); i += step {
		c.DrawGlyph(draw.GlyphStyle{Color: line.Color, Radius: 3.5, Shape: glyph}, points[len(points)-1-i])
	}
}

// drawRanges draws durations over time on a logarithmic axis, each outcome with
// a marker of its own shape.
func drawRanges(v rangesView, width, height int) (drawing, error) {
	p := blank()
	p.Y.Min, p.Y.Max = v.Low, v.High
	p.Y.Tick.Marker = marks(latencyTicks(v.Low, v.High))
	grid(p, false)
	for _, s := range slices.Backward(v.Series) {
		p.Add(s)
	}
	across(p, v.stretch, width)
	return rendered(p, width, height)
}

// Plot draws one outcome: a mark, and a line up from it.
func (s series) Plot(c draw.Canvas, p *plot.Plot) {
	if len(s.marks) == 0 {
		return
	}
	x, y := p.Transforms(&c)
	var up vg.Path
	for _, m := range s.marks {
		at := x(m.At.Seconds())
		up.Move(vg.Point{X: at, Y: y(logOf(m.Low))})
		up.Line(vg.Point{X: at, Y: max(y(logOf(m.High)), y(logOf(m.Low))+1)})
	}
	c.SetColor(tint(s.class))
	c.SetLineWidth(1.5)
	c.SetLineDash(nil, 0)
	c.Stroke(up)
	glyph := draw.GlyphStyle{Color: tint(s.class), Radius: 3, Shape: glyphOf(s.class)}
	for _, m := range s.marks {
		c.DrawGlyph(glyph, vg.Point{X: x(m.At.Seconds()), Y: y(logOf(m.Low))})
	}
}

// glyphOf is the shape that stands for an outcome: colour is never the only sign.
func glyphOf(class string) draw.GlyphDrawer {
	switch class {
	case "rejected":
		return draw.PyramidGlyph{}
	case "unknown":
		return draw.RingGlyph{}
	}
	return draw.CircleGlyph{}
}
