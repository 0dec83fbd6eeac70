package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"duckload/analyze"
)

// drawSpectra draws the latencies of earlier and later runs on the axes of
// [drawSpectrum].
func drawSpectra(base, now []analyze.Latency, width, height int) (drawing, error) {
	p := blank()
	low, high, nines := math.Inf(1), math.Inf(-1), 0.5
	for _, side := range [][]analyze.Latency{base, now} {
		for _, l := range side {
			for _, q := range l.Spectrum {
				low, high = min(low, logOf(q.Value)), max(high, logOf(q.Value))
				nines = max(nines, nine(q.Percentile, l.N))
			}
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
	for _, l := range base {
		p.Add(overlay{l, draw.LineStyle{Color: tint("text"), Width: 2, Dashes: []vg.Length{6, 3}}})
	}
	for _, l := range now {
		p.Add(overlay{l, draw.LineStyle{Color: tint("admitted"), Width: 2}})
	}
	return rendered(p, width, height)
}

// overlay is the spectrum of one run.
type overlay struct {
	analyze.Latency
	look draw.LineStyle
}

func (l overlay) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	points := make([]vg.Point, len(l.Spectrum))
	for i, q := range l.Spectrum {
		points[i] = vg.Point{X: x(nine(q.Percentile, l.N)), Y: y(logOf(q.Value))}
	}
	c.StrokeLines(l.look, points)
}
