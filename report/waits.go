package report

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"duckload/analyze"
)

// A waitsView is what the picture of Retry-After shows: to the right what was
// told, upwards what was needed, both on a scale of log(1 + seconds).
type waitsView struct {
	Most   float64 // where both axes end
	Honest []bar   // right, or not known to be wrong
	Wrong  []bar
}

// A bar is a certified interval at a place.
type bar struct {
	X, Low, High float64
	Open         bool // nothing bounds it from above
}

// longer places a wait on its axis.
func longer(d time.Duration) float64 { return math.Log1p(max(d.Seconds(), 0)) }

func waitsOf(w analyze.Waits) waitsView {
	v := waitsView{Most: longer(5 * time.Second)}
	place := func(p analyze.WaitPoint) bar {
		b := bar{X: longer(p.Told), Low: longer(p.Least), High: longer(p.Most)}
		if p.Most == 0 {
			b.High, b.Open = b.Low, true
		}
		v.Most = max(v.Most, 1.05*b.X, 1.05*b.Low, min(1.05*b.High, 1.2*b.X))
		return b
	}
	for _, p := range w.Points {
		v.Honest = append(v.Honest, place(p))
	}
	for _, p := range w.Wrong {
		v.Wrong = append(v.Wrong, place(p))
	}
	return v
}

// waitTicks are round waits that do not crowd.
func waitTicks(most float64) []tick {
	all := []tick{{0, "0"}}
	before := 0.0
	for _, d := range []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
		10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 10 * 24 * time.Hour, 100 * 24 * time.Hour, 10_000 * 24 * time.Hour,
	} {
		if x := longer(d); x <= most && x-before >= most/7 {
			before = x
			all = append(all, tick{x, waited(d)})
		}
	}
	return all
}

// waited writes a wait: "5 s", "1m", "10 days".
func waited(d time.Duration) string {
	if d >= 48*time.Hour {
		return thousands(int(d/(24*time.Hour))) + " days"
	}
	if d < time.Minute {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
	}
	return bare(length(d))
}

// waitsFigure draws what was told beside what was needed.
func waitsFigure(g analyze.Group, id string) (figure, error) {
	w := g.Shown.Waits
	if len(w.Points)+len(w.Wrong) == 0 {
		return figure{}, nil
	}
	f := figure{
		Name:    "Retry-After: told and needed",
		Caption: "To the right the wait that was told, upwards the wait that was needed, within certain bounds. On the line it is exact; below it, within the grey band, it is rounded up.",
		Legend:  []legend{{"admitted", "┃", "one rejection"}, {"limit", "╌", "told = needed"}},
		Head:    []string{"answered", "told", "needed more than", "at most", ""},
	}
	if len(w.Wrong) > 0 {
		f.Legend = append(f.Legend, legend{"fault", "✗", "certainly wrong"})
	}
	for _, p := range w.Wrong {
		f.Rows = append(f.Rows, waitRow(p))
	}
	for i, p := range w.Points {
		if i%(1+len(w.Points)/60) == 0 {
			f.Rows = append(f.Rows, waitRow(p))
		}
	}
	desc := fmt.Sprintf("The real wait of %s is known within bounds; %s told too short a wait, %s one that was longer than needed by more than rounding.",
		plural(w.N, "rejection"), thousands(w.Shorts), thousands(w.Longs))
	p := picture{id: id, class: "small", width: 340, height: 300, title: g.Name + ": Retry-After told and needed", desc: desc}
	d, err := drawWaits(waitsOf(w), p.width, p.height)
	if err != nil {
		return f, err
	}
	return f, f.add(p, d)
}

func waitRow(p analyze.WaitPoint) []string {
	row := []string{when(p.At), waited(p.Told), length(p.Least), "no bound", ""}
	if p.Most > 0 {
		row[3] = length(p.Most)
	}
	switch {
	case p.Short:
		row[4] = "✗ too short"
	case p.Long:
		row[4] = "✗ too long"
	}
	return row
}
