package report

import (
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawTimeline draws requests over time: admitted upwards, rejected downwards,
// unknown as rings, on a scale of square roots, so that a burst of 1,000 and a
// probe of 1 can both be seen.
func drawTimeline(v timelineView, width, height int) (drawing, error) {
	p := blank()
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
	grid(p, false)
	if v.Proof {
		p.Add(proof{v})
	}
	p.Add(bars{v.Admitted, v.Bin, 1, "admitted"}, bars{v.Rejected, v.Bin, -1, "rejected"})
	if err := limitLine(p, v); err != nil {
		return drawing{}, err
	}
	p.Add(rings{v})
	across(p, v.stretch(), width)
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
