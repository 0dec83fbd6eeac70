package report

import (
	"fmt"
	"math"
	"slices"

	"duckload/analyze"
	"duckload/limiter"
)

// A levelView is what the picture of a bucket's level shows: a band from what
// was certainly left to what was possibly left.
type levelView struct {
	stretch
	Bottom, Top float64
	Low, High   []point // the edges of the band; X in seconds
	Told        []point // what answers said is left
	Full        float64
	Broken      *point // right after the first impossible admission
	Refused     *point // the first rejection for which allowance was certainly there
	Rows        [][]string
}

func levelOf(l analyze.Level, s stretch) levelView {
	v := levelView{stretch: s, Full: float64(l.Limit.Capacity())}
	for _, p := range l.Points {
		at := p.At.Seconds()
		v.Low, v.High = append(v.Low, point{at, p.Least}), append(v.High, point{at, p.Most})
		v.Bottom = min(v.Bottom, p.Least, p.Most)
		v.Top = max(v.Top, p.Most)
	}
	for _, p := range l.Told {
		v.Told = append(v.Told, point{p.At.Seconds(), float64(p.Left)})
		v.Top = max(v.Top, float64(p.Left))
	}
	v.Top = min(max(v.Top, v.Full), 3*v.Full) // a lie may be of any size
	if b := l.Impossible; b != nil {
		v.Broken = &point{b.At.Seconds(), b.Most}
	}
	v.Rows = levelRows(l)
	return v
}

// levelRows are some of the moments as words.
func levelRows(l analyze.Level) [][]string {
	var rows [][]string
	told := l.Told
	for i, p := range l.Points {
		if i%(1+len(l.Points)/120) != 0 {
			continue
		}
		said := ""
		for len(told) > 0 && told[0].At <= p.At {
			said, told = thousands(told[0].Left), told[1:]
		}
		rows = append(rows, []string{when(p.At), rounded(p.Least, 2, math.Floor), rounded(p.Most, 2, math.Ceil), said})
	}
	return rows
}

// levelFigures draws the level of each limit that can be followed.
func levelFigures(g analyze.Group, id string) ([]figure, error) {
	var all []figure
	s := timelineOf(g).stretch()
	for i, l := range g.Shown.Levels {
		f, err := levelFigure(g, l, s, fmt.Sprintf("%s-%d", id, i+1))
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func levelFigure(g analyze.Group, l analyze.Level, s stretch, id string) (figure, error) {
	v := levelOf(l, s)
	f := figure{
		Name:    "Level of the documented bucket",
		Caption: fmt.Sprintf("What is left of %s if it is kept, given what was admitted%s: at least the lower edge, at most the upper one.", l.Limit, fromKey(l.Lanes, g.Lanes)),
		Legend:  []legend{{"band", "▬", "from certainly to possibly left"}, {"limit", "╌", "full: " + thousands(int(v.Full))}},
		Head:    []string{"at", "left at least", "at most", "told"},
		Rows:    v.Rows,
	}
	if len(v.Told) > 0 {
		f.Legend = append(f.Legend, legend{"told", "○", "what answers said remains"})
	}
	desc := fmt.Sprintf("The level of %s over time.", l.Limit)
	v.Refused = refused(g, v)
	switch b := l.Impossible; {
	case b == nil && v.Refused != nil:
		f.Legend = append(f.Legend, legend{"fault", "✗", "first wrong rejection"})
		said := fmt.Sprintf("A request was rejected at %.3f s, though allowance was certainly there.", v.Refused.X)
		f.Caption += " " + said
		desc += " " + said
	case b != nil:
		f.Legend = append(f.Legend, legend{"fault", "✗", "first impossible admission"})
		said := fmt.Sprintf("Below 0 more was admitted than the limit has, wherever the decisions fell: for the first time at %s.", when(b.At))
		f.Caption += " " + said
		desc += " " + said
	default:
		desc += " It is never certainly below 0."
	}
	err := f.addBoth(picture{id: id, title: g.Name + ": level of the documented bucket", desc: desc, over: &v.stretch}, 230,
		func(width, height int) (drawing, error) { return drawLevel(v, width, height) })
	return f, err
}

// refused finds the rejection of which limit.floor has a proof; nil if there is
// none, or it lies outside of the picture.
func refused(g analyze.Group, v levelView) *point {
	for _, f := range g.Findings {
		if f.Check != "limit.floor" || f.Outcome != analyze.Fail || f.Witness == nil {
			continue
		}
		for _, e := range f.Witness.Requests {
			at := e.Sent.Seconds()
			i := slices.IndexFunc(v.Low, func(p point) bool { return p.X >= at })
			if e.Outcome == limiter.Rejected && i >= 0 {
				return &point{at, v.Low[i].Y}
			}
		}
	}
	return nil
}

// fromKey names the senders of a key, if they are not all of a group's.
func fromKey(key, all []string) string {
	if len(key) == 0 || len(key) == len(all) {
		return ""
	}
	if len(key) > 1 {
		return fmt.Sprintf(" to one key (%s and %d more)", printable(key[0]), len(key)-1)
	}
	return " to one key (" + printable(key[0]) + ")"
}
