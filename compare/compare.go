// Package compare sets runs of a scenario beside earlier ones, and says what
// changed: proved where certified intervals or verdicts differ, and for latency
// with an interval of confidence and a margin that noise does not cross. It is
// arithmetic on values: no clock, no network, no file.
package compare

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// A Kind says how something stands now against how it stood before.
type Kind string

// The kinds, the worst first.
const (
	Regression Kind = "regression" // worse, and beyond what noise or margin explain
	Possible   Kind = "possible"   // it may have become worse: nothing proves that it did not
	Changed    Kind = "changed"    // proved, and the promise changed with it
	Improved   Kind = "improved"   // better, and proved
	Same       Kind = "same"       // no change, or none beyond the margin
	Unknown    Kind = "unknown"    // too little was seen to tell
)

// Kinds lists every kind, the worst first.
var Kinds = []Kind{Regression, Possible, Changed, Improved, Same, Unknown}

// Aspects are what is compared.
const (
	Checks  = "check"
	Limits  = "limit"
	Latency = "latency"
	Errors  = "errors"
)

// A Run is a recorded run and what was found about it.
type Run struct {
	Name     string
	History  *history.History
	Findings analyze.Findings
}

// Options say what counts as a change.
type Options struct {
	// Margin is how much slower a quantile may become, as a part of what it was;
	// 0.05 is 5 %.
	Margin float64

	// Least is how much slower it may become in any case: on a fast road a
	// twentieth is less than the noise of a machine.
	Least time.Duration

	// ErrorMargin is how much the share of errors may rise; 0.01 is one
	// request in a hundred.
	ErrorMargin float64

	// Alpha bounds the chance that a comparison of two runs of the same service
	// calls any latency or any share of errors a regression, were the margins 0.
	Alpha float64
}

// Usual are the options if nobody says otherwise.
var Usual = Options{Margin: 0.05, Least: time.Millisecond, ErrorMargin: 0.01, Alpha: 0.01}

// A Difference is one thing that was compared.
type Difference struct {
	Group   string `json:"group"`
	Aspect  string `json:"aspect"`  // "check", "limit", "latency", "errors"
	Subject string `json:"subject"` // "limit.burst", "burst", "p95 of admitted"
	Kind    Kind   `json:"kind"`
	Before  string `json:"before"`
	Now     string `json:"now"`
	Message string `json:"message"` // one sentence, lower case, no full stop

	// Low and High bound the change of a latency, as a part of what it was, or
	// of a share of errors; nil where nothing is estimated.
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// A Comparison is everything that was compared.
type Comparison struct {
	Base        []string     `json:"base"` // names of runs
	Now         []string     `json:"now"`
	Kind        Kind         `json:"kind"` // the worst of regression, possible and same
	Sentence    string       `json:"sentence"`
	Differences []Difference `json:"differences"`
	Caveats     []string     `json:"caveats"`
	Spectra     []Spectra    `json:"-"`
}

// Spectra are the distributions of latency of one group and outcome, a line for
// each run.
type Spectra struct {
	Group     string
	Outcome   limiter.Outcome
	Base, Now []analyze.Latency
}

// Runs compares some runs with earlier ones; at least one of each. It fails if
// an earlier one is no baseline, and if a record cannot be read.
func Runs(base, now []Run, o Options) (Comparison, error) {
	if len(base) == 0 || len(now) == 0 {
		return Comparison{}, errors.New("nothing to compare: name an earlier run and a later one")
	}
	if err := baselines(base); err != nil {
		return Comparison{}, err
	}
	c := Comparison{Base: names(base), Now: names(now), Kind: Same, Differences: []Difference{}, Caveats: caveats(base, now)}
	pairs := pair(base, now)
	for _, p := range pairs {
		c.Differences = append(c.Differences, p.checks()...)
		c.Differences = append(c.Differences, p.limits()...)
	}
	slow, err := latencies(pairs, base, now, o)
	if err != nil {
		return Comparison{}, err
	}
	c.Differences = append(c.Differences, slow...)
	c.Differences = append(c.Differences, missing(base, now)...)
	c.Spectra = spectra(pairs)
	counts := map[Kind]int{}
	for _, d := range c.Differences {
		counts[d.Kind]++
	}
	switch {
	case counts[Regression] > 0:
		c.Kind = Regression
	case counts[Possible] > 0:
		c.Kind = Possible
	}
	c.Sentence = sentence(c, counts)
	return c, nil
}

func sentence(c Comparison, counts map[Kind]int) string {
	switch c.Kind {
	case Regression:
		var first Difference
		for _, d := range c.Differences {
			if d.Kind == Regression {
				first = d
				break
			}
		}
		more := ""
		if n := counts[Regression] - 1; n > 0 {
			more = fmt.Sprintf(", and %d more", n)
		}
		return fmt.Sprintf("%s: %s%s", first.Group, first.Message, more)
	case Possible:
		return fmt.Sprintf("no regression is proved, but %d of %d comparisons cannot rule one out", counts[Possible], len(c.Differences))
	}
	text := fmt.Sprintf("no regression in %d comparisons", len(c.Differences))
	if n := counts[Unknown]; n > 0 {
		text += fmt.Sprintf(", %d of which saw too little to tell", n)
	}
	return text
}

// baselines refuses what nothing should be measured against.
func baselines(base []Run) error {
	var mistakes []error
	for _, r := range base {
		switch {
		case len(r.History.Missing) > 0:
			mistakes = append(mistakes, fmt.Errorf("%s is no baseline: its record is not whole: %s", r.Name, r.History.Missing[0]))
		case !r.Findings.Run.Complete:
			reason := r.Findings.Run.Reason
			if reason == "" {
				reason = "it did not end as planned"
			}
			mistakes = append(mistakes, fmt.Errorf("%s is no baseline: the run is incomplete: %s", r.Name, reason))
		case r.Findings.Run.Requests == 0:
			mistakes = append(mistakes, fmt.Errorf("%s is no baseline: it holds no request", r.Name))
		}
	}
	return errors.Join(mistakes...)
}

func names(runs []Run) []string {
	all := make([]string, len(runs))
	for i, r := range runs {
		all[i] = r.Name
	}
	return all
}

// caveats says what else differs between the runs.
func caveats(base, now []Run) []string {
	var all []string
	first := base[0]
	for _, r := range append(append([]Run{}, base[1:]...), now...) {
		if r.History.Header.Scenario != first.History.Header.Scenario {
			all = append(all, fmt.Sprintf("%s is a run of scenario %s, %s of %s: only groups of the same name are compared", r.Name, r.History.Header.Scenario, first.Name, first.History.Header.Scenario))
		}
		if r.History.Header.Target != first.History.Header.Target && !(emulated(r) && emulated(first)) {
			all = append(all, fmt.Sprintf("%s was sent to %s, %s to %s", r.Name, r.History.Header.Target, first.Name, first.History.Header.Target))
		}
		if a, b := r.Findings.Run.Requests, first.Findings.Run.Requests; 10*a < 9*b || 9*a > 10*b {
			all = append(all, fmt.Sprintf("%s sent %d requests, %s %d: under another load a latency says little about the service", r.Name, a, first.Name, b))
		}
	}
	for _, r := range now {
		if !r.Findings.Run.Complete {
			all = append(all, fmt.Sprintf("%s is incomplete: what was not sent was not compared", r.Name))
		}
	}
	if len(base) == 1 && len(now) == 1 {
		all = append(all, "one run on each side: differences between runs of the same service, such as a busier machine, cannot be told from a change of the service; name several runs, and they are the samples")
	}
	return all
}

// emulated reports whether a run's target was on this machine, where ports
// differ from run to run.
func emulated(r Run) bool { return strings.Contains(r.History.Header.Target, "127.0.0.1") }

// A pairing is one group in all runs that have it.
type pairing struct {
	name      string
	base, now []analyze.Group
}

func pair(base, now []Run) []pairing {
	var all []pairing
	for _, g := range base[0].Findings.Groups {
		p := pairing{name: g.Name, base: groups(base, g.Name), now: groups(now, g.Name)}
		if len(p.now) > 0 {
			all = append(all, p)
		}
	}
	return all
}

func groups(runs []Run, name string) []analyze.Group {
	var all []analyze.Group
	for _, r := range runs {
		for _, g := range r.Findings.Groups {
			if g.Name == name {
				all = append(all, g)
			}
		}
	}
	return all
}

// missing tells of groups that only one side has.
func missing(base, now []Run) []Difference {
	var all []Difference
	for _, g := range base[0].Findings.Groups {
		if len(groups(now, g.Name)) == 0 {
			all = append(all, Difference{Group: g.Name, Aspect: Checks, Subject: "group", Kind: Possible, Before: string(g.Outcome), Now: "not sent",
				Message: "the group is in no later run, so nothing is known about it"})
		}
	}
	for _, g := range now[0].Findings.Groups {
		if len(groups(base, g.Name)) == 0 {
			all = append(all, Difference{Group: g.Name, Aspect: Checks, Subject: "group", Kind: Unknown, Before: "not sent", Now: string(g.Outcome),
				Message: "the group is in no earlier run, so there is nothing to compare it with"})
		}
	}
	return all
}

func spectra(pairs []pairing) []Spectra {
	var all []Spectra
	for _, p := range pairs {
		for _, o := range []limiter.Outcome{limiter.Admitted, limiter.Rejected} {
			s := Spectra{Group: p.name, Outcome: o}
			for _, g := range p.base {
				s.Base = append(s.Base, g.Latency[o])
			}
			for _, g := range p.now {
				s.Now = append(s.Now, g.Latency[o])
			}
			if s.Base[0].N > 0 && s.Now[0].N > 0 {
				all = append(all, s)
			}
		}
	}
	return all
}
