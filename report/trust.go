package report

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"duckload/analyze"
)

// trust is what a reader asks before believing a run: did the sender do what
// was planned?
func trust(f analyze.Findings) [][2]string {
	s, l := f.Sending, f.Lateness
	var rows [][2]string
	add := func(question, answer string) { rows = append(rows, [2]string{question, answer}) }
	if l.N > 0 {
		add("scheduled against sent", fmt.Sprintf("half within %s, 99 %% within %s, all within %s (n %s)", length(l.P50), length(l.P99), length(l.Max), thousands(l.N)))
	}
	if len(s.Rates) > 0 {
		add("offered against achieved", offered(s.Rates))
	}
	if len(s.Bins) > 0 {
		add("requests under way", fmt.Sprintf("at most %s at the end of any %s", thousands(s.Open), length(s.Bin)))
		gap := "none"
		if s.GapTo > s.GapFrom {
			gap = fmt.Sprintf("nothing left from %s to %s, though requests were due", when(s.GapFrom), when(s.GapTo))
		}
		add("gaps of the sender", gap)
	}
	resent := "none"
	if s.Resent > 0 {
		resent = fmt.Sprintf("%s by the transport alone; each may have been counted", plural(s.Resent, "attempt"))
	}
	add("sent again", resent)
	lost := "none"
	if len(s.Errors) > 0 {
		var all []string
		for _, e := range s.Errors {
			all = append(all, fmt.Sprintf("%s %s", thousands(e.N), clipped(e.Class, 60)))
		}
		lost = strings.Join(all, ", ")
	}
	add("without a whole answer", lost)
	for _, a := range f.Agents {
		add("agent "+printable(clipped(a.Name, 60)), agent(a))
	}
	return rows
}

// agent says what one of several machines sent, and how well it is known when.
func agent(a analyze.Agent) string {
	said := plural(a.Requests, "request")
	if a.Address != "" {
		said += ", seen from " + printable(clipped(a.Address, 60))
	}
	switch {
	case a.Unbounded != "":
		said += "; its moments cannot be set beside the others': " + printable(a.Unbounded)
	default:
		said += "; moments ±" + length(a.Bound)
	}
	if n := len(a.Gaps); n > 0 {
		return said + "; " + plural(n, "gap") + ": " + printable(clipped(strings.Join(a.Gaps, "; "), 300))
	}
	return said + "; no gaps"
}

// offered says whether the rates of the plan were held: the worst of them, or
// those that were not.
func offered(rates []analyze.Rate) string {
	said := func(r analyze.Rate) string {
		return fmt.Sprintf("%s: %s offered %s, achieved %s", printable(r.Group), printable(clipped(r.Phase, 60)), perSecond(r.Offered), perSecond(r.Achieved))
	}
	var short []string
	worst := rates[0]
	for _, r := range rates {
		if r.Achieved/r.Offered < worst.Achieved/worst.Offered {
			worst = r
		}
		if !r.Held() {
			short = append(short, said(r))
		}
	}
	const shown = 5
	if n := len(short); n > shown {
		short = append(short[:shown], fmt.Sprintf("and %d more", n-shown))
	}
	if len(short) > 0 {
		return "saturated: " + strings.Join(short, "; ")
	}
	return fmt.Sprintf("every rate was held; the closest was %s", said(worst))
}

func perSecond(rate float64) string { return rounded(rate, 2, math.Round) + "/s" }

// reproduce says how to see the same again, as lines for a shell.
func reproduce(r Report) []string {
	run := r.Findings.Run
	again := "duckload run scenario.yaml"
	switch {
	case r.Header.Emulator:
		again += " --target emulator"
	case run.Target != "":
		again += " --target " + quoted(run.Target)
	}
	if run.Seed != 0 {
		again += fmt.Sprintf(" --seed %d", run.Seed)
	}
	lines := [][2]string{
		{again, "sends the same requests again"},
		{"duckload analyze .", "judges the record again, and sends nothing"},
		{"duckload report . --format html", "writes this page again"},
		{"duckload export . --to csv", "hands every observation to other tools"},
	}
	wide := 0
	for _, l := range lines {
		wide = max(wide, utf8.RuneCountInString(l[0]))
	}
	var all []string
	for _, l := range lines {
		all = append(all, l[0]+strings.Repeat(" ", wide-utf8.RuneCountInString(l[0]))+"  # "+l[1])
	}
	return all
}
