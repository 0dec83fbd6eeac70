package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"duckload/analyze"
	"duckload/limiter"
)

// This file is the only one that knows gonum. It draws finished values, and
// marks each colour with the number of its class: the page decides what the
// classes look like, in light and in dark.

// letter is the size of text in a picture, in units of its width.
const letter = 13

// tint is the colour that stands for a class.
func tint(class string) color.Color {
	for i, c := range classes {
		if c == class {
			return color.NRGBA{R: uint8(i + 1), A: 255}
		}
	}
	panic("report: no class " + class) // the names are in this package
}

// drawTimeline draws requests over time: admitted upwards, rejected downwards,
// unknown as rings, on a scale of square roots, so that a burst of 1,000 and a
// probe of 1 can both be seen.
func drawTimeline(v timelineView, width, height int) ([]byte, error) {
	p := blank()
	end := max(time.Duration(len(v.Offered))*v.Bin, v.Bin, 1)
	up, down := 1.0, 0.0
	for i := range v.Admitted {
		up = max(up, root(float64(v.Admitted[i])), root(float64(v.Unknown[i])))
		down = max(down, root(float64(v.Rejected[i])))
	}
	for _, a := range v.Allowance {
		up = max(up, root(a))
	}
	p.Y.Min, p.Y.Max = -down*1.05, up*1.08
	p.Y.Tick.Marker = marks(countTicks(p.Y.Min, p.Y.Max))
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Horizontal.Color, grid.Horizontal.Width = 0, tint("grid"), 1
	p.Add(grid)
	if v.Proof {
		p.Add(proof{v})
	}
	p.Add(bars{v.Admitted, v.Bin, 1, "admitted"}, bars{v.Rejected, v.Bin, -1, "rejected"})
	if err := limitLine(p, v); err != nil {
		return nil, err
	}
	p.Add(rings{v})
	first := max(0, v.Begin-(end-v.Begin)/20)
	p.X.Min, p.X.Max = first.Seconds(), end.Seconds() // what is added widens it
	p.X.Tick.Marker = marks(timeTicks(first, end, width/80))
	return rendered(p, width, height)
}

// limitLine draws the allowance as a dashed staircase.
func limitLine(p *plot.Plot, v timelineView) error {
	if len(v.Allowance) == 0 {
		return nil
	}
	var steps plotter.XYs
	for i, a := range v.Allowance {
		y := root(a)
		if n := len(steps); n > 0 && steps[n-1].Y == y {
			steps[n-1].X = (time.Duration(i+1) * v.Bin).Seconds()
			continue
		}
		steps = append(steps, plotter.XY{X: (time.Duration(i) * v.Bin).Seconds(), Y: y}, plotter.XY{X: (time.Duration(i+1) * v.Bin).Seconds(), Y: y})
	}
	line, err := plotter.NewLine(steps)
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: tint("limit"), Width: 1.5, Dashes: []vg.Length{5, 3}}
	p.Add(line)
	return nil
}

// bars draws one outcome as a single path.
type bars struct {
	counts []int
	bin    time.Duration
	up     float64 // −1 draws downwards
	class  string
}

func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	wide := max(x(b.bin.Seconds())-x(0), 2)
	var path vg.Path
	for i, n := range b.counts {
		if n == 0 {
			continue
		}
		left, top := x((time.Duration(i) * b.bin).Seconds()), y(b.up*root(float64(n)))
		path.Move(vg.Point{X: left, Y: y(0)})
		path.Line(vg.Point{X: left, Y: top})
		path.Line(vg.Point{X: left + wide, Y: top})
		path.Line(vg.Point{X: left + wide, Y: y(0)})
		path.Close()
	}
	if len(path) > 0 {
		c.SetColor(tint(b.class))
		c.Fill(path)
	}
	c.StrokeLine2(draw.LineStyle{Color: tint("text"), Width: 1}, c.Min.X, y(0), c.Max.X, y(0))
}

// rings marks the bins that hold unknown outcomes.
type rings struct{ timelineView }

func (r rings) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.SetColor(tint("unknown"))
	c.SetLineWidth(1.5)
	c.SetLineDash(nil, 0)
	for i, n := range r.Unknown {
		if n > 0 {
			ring(c, vg.Point{X: x((float64(i) + 0.5) * r.Bin.Seconds()), Y: y(root(float64(n)))})
		}
	}
}

func ring(c draw.Canvas, at vg.Point) {
	var path vg.Path
	path.Move(vg.Point{X: at.X + 4, Y: at.Y})
	path.Arc(at, 4, 0, 2*math.Pi)
	path.Close()
	c.Stroke(path)
}

// proof marks the stretch of the run that a failed check speaks of.
type proof struct{ timelineView }

func (f proof) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	left := x(f.From.Seconds())
	right := max(x(f.To.Seconds()), left+3)
	c.FillPolygon(tint("band"), []vg.Point{{X: left, Y: c.Min.Y}, {X: left, Y: c.Max.Y}, {X: right, Y: c.Max.Y}, {X: right, Y: c.Min.Y}})
	style := words("fault")
	style.XAlign, style.YAlign = draw.XLeft, draw.YTop
	at := vg.Point{X: right + 4, Y: c.Max.Y - 1}
	if right > c.Center().X {
		style.XAlign, at.X = draw.XRight, left-4
	}
	c.FillText(style, at, "✗ first violation")
}

// drawSpectrum draws latency against percentile. The percentiles crowd towards
// 100, because that is where slow answers are; both axes are logarithmic.
func drawSpectrum(all [3]analyze.Latency, width, height int) ([]byte, error) {
	p := blank()
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
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = tint("grid"), tint("grid")
	p.Add(grid)
	for _, outcome := range []limiter.Outcome{limiter.Unknown, limiter.Rejected, limiter.Admitted} {
		if l := all[outcome]; l.N > 0 {
			p.Add(curve{l, outcome})
		}
	}
	return rendered(p, width, height)
}

// curve is the spectrum of one outcome, with a marker of its own shape.
type curve struct {
	analyze.Latency
	outcome limiter.Outcome
}

func (l curve) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	line := draw.LineStyle{Color: tint(l.outcome.String()), Width: 2}
	var glyph draw.GlyphDrawer = draw.CircleGlyph{}
	switch l.outcome {
	case limiter.Rejected:
		line.Dashes, glyph = []vg.Length{6, 3}, draw.PyramidGlyph{}
	case limiter.Unknown:
		line.Dashes, glyph = []vg.Length{2, 3}, draw.RingGlyph{}
	}
	points := make([]vg.Point, len(l.Spectrum))
	for i, q := range l.Spectrum {
		points[i] = vg.Point{X: x(nine(q.Percentile, l.N)), Y: y(logOf(q.Value))}
	}
	c.StrokeLines(line, points)
	for i, step := 0, max(1, len(points)/6); i < len(points); i += step {
		c.DrawGlyph(draw.GlyphStyle{Color: line.Color, Radius: 3.5, Shape: glyph}, points[len(points)-1-i])
	}
}

func marks(ticks []tick) plot.ConstantTicks {
	all := make(plot.ConstantTicks, len(ticks))
	for i, t := range ticks {
		all[i] = plot.Tick(t)
	}
	return all
}

func blank() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = tint("text"), tint("text")
		axis.Tick.Label.Color = tint("text")
		axis.Tick.Label.Font.Size, axis.Tick.Label.Font.Variant = letter, "Sans"
		axis.Tick.Label.Handler = anchored{plot.DefaultTextHandler}
		axis.Padding = 2
	}
	return p
}

// anchored leaves it to the browser where a text begins: its letters are not
// those that gonum measured. The first rune of the text says how it is aligned.
type anchored struct{ text.Handler }

func (a anchored) Draw(c vg.Canvas, txt string, style text.Style, at vg.Point) {
	if txt == "" {
		return
	}
	face := a.Cache().Lookup(style.Font, style.Font.Size)
	c.SetColor(style.Color)
	at.Y += style.Height(txt)*vg.Length(style.YAlign) - face.Extents().Ascent + style.Font.Size
	c.FillString(face, at, string(anchors[style.XAlign])+txt)
}

// anchors are runes of the private use area; see [picture.styled].
var anchors = map[text.XAlignment]rune{draw.XLeft: anchorStart, draw.XCenter: anchorMiddle, draw.XRight: anchorEnd}

func words(class string) text.Style {
	style := plot.New().X.Tick.Label
	style.Color, style.Font.Size, style.Handler = tint(class), letter, anchored{plot.DefaultTextHandler}
	return style
}

func rendered(p *plot.Plot, width, height int) ([]byte, error) {
	canvas := vgsvg.New(vg.Length(width), vg.Length(height))
	p.Draw(draw.Crop(draw.New(canvas), 10, -22, 2, -4))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	return b.Bytes(), nil
}

// drawPlane draws which limits and bursts explain a run.
func drawPlane(v planeView, width, height int) ([]byte, error) {
	p := blank()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = v.Left, v.Right, v.Bottom, v.Top
	p.X.Tick.Marker = marks(roundTicks(v.Left, v.Right, width/90))
	p.Y.Tick.Marker = marks(roundTicks(v.Bottom, v.Top, height/60))
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = tint("grid"), tint("grid")
	p.Add(region{v}, grid)
	lines := []lineOf{
		{v.Least, draw.LineStyle{Color: tint("admitted"), Width: 2}},
		{v.Most, draw.LineStyle{Color: tint("rejected"), Width: 2, Dashes: []vg.Length{6, 3}}},
	}
	for _, stretch := range v.Whole {
		lines = append(lines, lineOf{stretch, draw.LineStyle{Color: tint("text"), Width: 4}})
	}
	for _, l := range lines {
		line, err := plotter.NewLine(xys(l.points)) // leaves out what lies outside of the picture
		if err != nil {
			return nil, err
		}
		line.LineStyle = l.style
		p.Add(line)
	}
	p.Add(promised{v})
	return rendered(p, width, height)
}

type lineOf struct {
	points []point
	style  draw.LineStyle
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
	style := draw.LineStyle{Color: tint("limit"), Width: 3}
	c.StrokeLine2(style, at.X-6, at.Y-6, at.X+6, at.Y+6)
	c.StrokeLine2(style, at.X-6, at.Y+6, at.X+6, at.Y-6)
}

func xys(points []point) plotter.XYs {
	all := make(plotter.XYs, len(points))
	for i, p := range points {
		all[i] = plotter.XY(p)
	}
	return all
}
