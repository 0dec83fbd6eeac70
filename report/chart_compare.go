package report

import (
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"duckload/analyze"
)

// drawSpectra draws the latencies of earlier and later runs on the axes of
// [drawSpectrum].
func drawSpectra(base, now []analyze.Latency, width, height int) (drawing, error) {
	p := blank()
	spectrumAxes(p, slices.Concat(base, now))
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
	c.StrokeLines(l.look, spectrumPoints(c, p, l.Latency))
}
