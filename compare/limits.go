package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"duckload/analyze"
	"duckload/limiter"
)

// checks compares verdicts. A failure is a proof, so one run is enough for it.
func (p pairing) checks() []Difference {
	var all []Difference
	for _, f := range p.base[0].Findings {
		before, _ := worst(p.base, f.Check)
		now, message := worst(p.now, f.Check)
		if slices.ContainsFunc(all, func(d Difference) bool { return d.Subject == f.Check }) {
			continue // a check may have several findings
		}
		d := Difference{Group: p.name, Aspect: Checks, Subject: f.Check, Before: string(before), Now: string(now), Kind: Same}
		switch {
		case now == "":
			d.Now, d.Kind, d.Message = "not asked", Possible, f.Check+" was asked before and is not now"
		case before == now:
			d.Message = fmt.Sprintf("%s: %s before and now", f.Check, now)
		case now == analyze.Fail:
			d.Kind, d.Message = Regression, fmt.Sprintf("%s: %s before, fails now: %s", f.Check, passes(before), message)
		case before == analyze.Fail && now == analyze.Pass:
			d.Kind, d.Message = Improved, fmt.Sprintf("%s: failed before, passes now", f.Check)
		case now == analyze.Inconclusive:
			d.Kind, d.Message = Possible, fmt.Sprintf("%s: %s before, cannot be decided now: %s", f.Check, passes(before), message)
			if before == analyze.Fail {
				d.Kind = Unknown
			}
		default:
			d.Message = fmt.Sprintf("%s: could not be decided before, passes now", f.Check)
		}
		all = append(all, d)
	}
	for _, f := range p.now[0].Findings {
		if before, _ := worst(p.base, f.Check); before == "" && f.Outcome == analyze.Fail {
			all = append(all, Difference{Group: p.name, Aspect: Checks, Subject: f.Check, Kind: Possible, Before: "not asked", Now: string(f.Outcome),
				Message: fmt.Sprintf("%s: fails, and was not asked before: %s", f.Check, f.Message)})
		}
	}
	return all
}

func passes(v analyze.Verdict) string {
	switch v {
	case analyze.Pass:
		return "passed"
	case analyze.Fail:
		return "failed"
	}
	return "undecided"
}

// worst is the verdict of a check over all runs, and what the run with it says;
// empty: nobody asked.
func worst(all []analyze.Group, check string) (v analyze.Verdict, message string) {
	for _, g := range all {
		for _, f := range g.Findings {
			if f.Check != check {
				continue
			}
			if v == "" || v.Worse(f.Outcome) != v {
				v, message = f.Outcome, f.Message
			}
		}
	}
	return v, message
}

// A dimension is a certified interval that runs measure.
type dimension struct {
	name string
	of   func(*analyze.Measured) *analyze.Interval
	unit string
}

var dimensions = []dimension{
	{"rate", func(m *analyze.Measured) *analyze.Interval { return m.RatePerSecond }, "/s"},
	{"burst", func(m *analyze.Measured) *analyze.Interval { return m.Burst }, ""},
	{"window", func(m *analyze.Measured) *analyze.Interval { return m.Window }, " s"},
}

// limits compares what was measured. The true value lies in each certified
// interval, so two that do not touch prove a change.
func (p pairing) limits() []Difference {
	var all []Difference
	sameWords := samePromise(p.base[0].Promise, p.now[0].Promise)
	if !sameWords {
		all = append(all, Difference{Group: p.name, Aspect: Limits, Subject: "promise", Kind: Changed, Before: words(p.base[0].Promise), Now: words(p.now[0].Promise),
			Message: fmt.Sprintf("the promise was %s and is %s", words(p.base[0].Promise), words(p.now[0].Promise))})
	}
	for _, d := range dimensions {
		before, ok := d.all(p.base)
		now, okNow := d.all(p.now)
		if !ok || !okNow {
			continue
		}
		x := Difference{Group: p.name, Aspect: Limits, Subject: d.name, Kind: Same, Before: d.text(before), Now: d.text(now)}
		switch {
		case now.High < before.Low || now.Low > before.High:
			x.Kind, x.Message = Regression, fmt.Sprintf("%s was %s and is %s, proved", d.name, x.Before, x.Now)
			if !sameWords {
				x.Kind = Changed
			}
		case wide(before) || wide(now):
			x.Kind, x.Message = Unknown, fmt.Sprintf("%s was %s and is %s: one of them is too wide to tell", d.name, x.Before, x.Now)
		default:
			x.Message = fmt.Sprintf("%s was %s and is %s: they meet", d.name, x.Before, x.Now)
		}
		all = append(all, x)
	}
	all = append(all, p.named("family", func(m *analyze.Measured) []string { return m.Consistent }, sameWords)...)
	all = append(all, p.named("scope", func(m *analyze.Measured) []string {
		if m.Scope == "" || m.Scope == "unknown" { // not knowing is no proof
			return nil
		}
		return []string{m.Scope}
	}, sameWords)...)
	return append(all, p.consumes(sameWords)...)
}

// wide reports whether an interval says next to nothing.
func wide(i analyze.Interval) bool {
	return math.IsInf(i.High, 1) || i.High-i.Low > 0.2*math.Max(math.Abs(i.Low), 1)
}

// all is what every run together says: what their intervals share, for the true
// value is in each. Where they share nothing the service changed between the
// runs of one side, and nothing is certain but that it was somewhere in them.
func (d dimension) all(groups []analyze.Group) (analyze.Interval, bool) {
	shared := analyze.Interval{Low: math.Inf(-1), High: math.Inf(1)}
	hull := analyze.Interval{Low: math.Inf(1), High: math.Inf(-1)}
	found := false
	for _, g := range groups {
		if g.Measured == nil || d.of(g.Measured) == nil {
			continue
		}
		i := *d.of(g.Measured)
		if math.IsNaN(i.Low) || math.IsNaN(i.High) || i.Low > i.High {
			continue
		}
		found = true
		shared = analyze.Interval{Low: max(shared.Low, i.Low), High: min(shared.High, i.High)}
		hull = analyze.Interval{Low: min(hull.Low, i.Low), High: max(hull.High, i.High)}
	}
	if shared.Low > shared.High {
		return hull, found
	}
	return shared, found
}

func (d dimension) text(i analyze.Interval) string {
	switch {
	case i.Low == i.High:
		return fmt.Sprintf("%.6g%s", i.Low, d.unit)
	case math.IsInf(i.High, 1):
		return fmt.Sprintf("at least %.6g%s", i.Low, d.unit)
	}
	return fmt.Sprintf("%.6g–%.6g%s", i.Low, i.High, d.unit)
}

// named compares sets of names, such as the families that explain a run: two
// that share none prove a change.
func (p pairing) named(what string, of func(*analyze.Measured) []string, sameWords bool) []Difference {
	sets := func(groups []analyze.Group) []string {
		var shared []string
		seen := false
		for _, g := range groups {
			if g.Measured == nil || len(of(g.Measured)) == 0 {
				continue
			}
			if !seen {
				shared, seen = slices.Clone(of(g.Measured)), true
				continue
			}
			shared = slices.DeleteFunc(shared, func(s string) bool { return !slices.Contains(of(g.Measured), s) })
		}
		return shared
	}
	before, now := sets(p.base), sets(p.now)
	if len(before) == 0 || len(now) == 0 {
		return nil // one side does not know, or contradicts itself
	}
	d := Difference{Group: p.name, Aspect: Limits, Subject: what, Kind: Same, Before: strings.Join(before, ", "), Now: strings.Join(now, ", ")}
	d.Message = fmt.Sprintf("%s was %s and is %s", what, d.Before, d.Now)
	if !slices.ContainsFunc(before, func(s string) bool { return slices.Contains(now, s) }) {
		d.Kind, d.Message = Regression, d.Message+", proved"
		if !sameWords {
			d.Kind = Changed
		}
	}
	return []Difference{d}
}

func (p pairing) consumes(sameWords bool) []Difference {
	of := func(groups []analyze.Group) *bool {
		for _, g := range groups {
			if g.Measured != nil && g.Measured.RejectsConsume != nil {
				return g.Measured.RejectsConsume
			}
		}
		return nil
	}
	before, now := of(p.base), of(p.now)
	if before == nil || now == nil {
		return nil
	}
	say := map[bool]string{true: "counted", false: "not counted"}
	d := Difference{Group: p.name, Aspect: Limits, Subject: "rejected requests", Kind: Same, Before: say[*before], Now: say[*now]}
	d.Message = fmt.Sprintf("rejected requests were %s and are %s", d.Before, d.Now)
	if *before != *now {
		d.Kind = Regression
		if !sameWords {
			d.Kind = Changed
		}
	}
	return []Difference{d}
}

func samePromise(a, b limiter.Promise) bool { return words(a) == words(b) }

func words(p limiter.Promise) string {
	all := make([]string, len(p.Limits))
	for i, l := range p.Limits {
		all[i] = l.String()
		if l.RejectsConsume {
			all[i] += ", rejected requests count"
		}
	}
	if len(all) == 0 {
		return "no limit"
	}
	return strings.Join(all, " and ")
}
