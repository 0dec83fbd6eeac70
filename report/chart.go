package report

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The chart files are the only ones that know gonum. They draw finished values,
// and mark each colour with the number of its class: the page decides what the
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

// A drawing is a finished picture, and where in it the data lie, in units of
// its width from the upper left corner.
type drawing struct {
	svg                      []byte
	left, right, top, bottom float64
}

func rendered(p *plot.Plot, width, height int) (drawing, error) {
	canvas := vgsvg.New(vg.Length(width), vg.Length(height))
	whole := draw.Crop(draw.New(canvas), 10, -22, 2, -4)
	data := p.DataCanvas(whole)
	p.Draw(whole)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return drawing{}, fmt.Errorf("drawing: %w", err)
	}
	return drawing{
		svg: b.Bytes(), left: float64(data.Min.X), right: float64(data.Max.X),
		top: float64(height) - float64(data.Max.Y), bottom: float64(height) - float64(data.Min.Y),
	}, nil
}

// grid adds lines behind everything at the ticks of the axes.
func grid(p *plot.Plot, upright bool) {
	g := plotter.NewGrid()
	g.Vertical.Width, g.Horizontal.Color, g.Horizontal.Width = 0, tint("grid"), 1
	if upright {
		g.Vertical.Width, g.Vertical.Color = 1, tint("grid")
	}
	p.Add(g)
}

// across sets the horizontal axis to a part of a run. What is added to a plot
// widens its axes, so this comes last.
func across(p *plot.Plot, s stretch, width int) {
	p.X.Min, p.X.Max = s.From.Seconds(), s.To.Seconds()
	p.X.Tick.Marker = marks(timeTicks(s.From, s.To, width/80))
}

// A lineOf is points that are joined.
type lineOf struct {
	points []point
	style  draw.LineStyle
}

func (l lineOf) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	all := make([]vg.Point, len(l.points))
	for i, at := range l.points {
		all[i] = vg.Point{X: x(at.X), Y: y(at.Y)}
	}
	if len(all) > 1 {
		c.StrokeLines(l.style, c.ClipLinesXY(all)...)
	}
}

// cross marks a point.
func cross(c draw.Canvas, class string, at vg.Point) {
	style := draw.LineStyle{Color: tint(class), Width: 3}
	c.StrokeLine2(style, at.X-6, at.Y-6, at.X+6, at.Y+6)
	c.StrokeLine2(style, at.X-6, at.Y+6, at.X+6, at.Y-6)
}
