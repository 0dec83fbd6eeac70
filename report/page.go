package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/limiter"
)

// A page is every value that the template shows, finished: text is printable,
// numbers are words. The template escapes, and decides nothing.
type page struct {
	Policy string
	Style  template.CSS
	Script template.JS

	Title    string
	Verdict  verdictWord
	Sentence string
	Facts    []string
	Badges   []badge

	Hero     *figure
	HeroName string

	Rows      []row
	Bursts    bool // some group's burst was measured
	Proofs    []proofView
	Questions []questionView
	Groups    []section

	Caveats     []string
	Assumptions []string
	Sending     figure
	Trust       [][2]string
	Reproduce   []string
	Tool        string
}

type (
	verdictWord struct{ Class, Mark, Word string }
	badge       struct{ Class, Mark, Text string }

	// row is one group in the table of promise against measurement.
	row struct {
		Anchor, Name, Promised, RetryAfter, Outcomes, P99 string
		Rate, Burst                                       value
		Verdict                                           verdictWord
	}
	// value is a measured one; Off if what is documented lies outside.
	value struct {
		Text string
		Off  bool
	}
	questionView struct {
		Checks          []string
		Groups, Message string
	}
	checkView struct {
		Verdict     verdictWord
		ID, Message string
		Anchor      string // of its proof
	}
	section struct {
		Anchor, Name, Promised, Outcomes, Lanes string
		Verdict                                 verdictWord
		Requests                                []string
		Failed                                  bool
		Pictures                                [][]figure // in rows: a wide one, and small ones beside it
		Silent                                  bool       // no request was sent
		Latency                                 [][]string
		Checks                                  []checkView
		Scope                                   scopeView
		Headers                                 [][]string
	}

	// figure is a picture with the words around it and its numbers.
	// A scopeView says who would share a counter with whom.
	scopeView struct {
		Scopes []scopeColumn
		Rows   [][]string // sender, sent, admitted, rejected, and a counter for each scope
		Note   string
	}
	scopeColumn struct {
		Words, Says, Why string
		Good             bool
	}

	figure struct {
		Name     string
		Pictures []template.HTML // for each width of screen
		Caption  string
		Legend   []legend
		Head     []string
		Rows     [][]string
	}
	legend struct{ Class, Mark, Text string }
)

func wordOf(v analyze.Verdict) verdictWord {
	return verdictWord{Class: string(v), Mark: mark(v), Word: strings.ToUpper(string(v))}
}

func pageOf(r Report) (page, error) {
	f := r.Findings
	p := page{
		Policy: policy(), Style: template.CSS(styleSheet), Script: template.JS(script),
		Title:   printable(f.Run.Scenario),
		Verdict: wordOf(f.Outcome), Sentence: sentence(f.Sentence), Badges: badges(f),
		Facts: []string{
			printable(f.Run.Target), f.Run.Started.UTC().Format("2 January 2006, 15:04 UTC"),
			plural(f.Run.Requests, "request") + " in " + length(f.Run.Duration),
		},
		Proofs: proofs(r), Caveats: sentences(f.Caveats), Assumptions: sentences(f.Assumptions),
		Reproduce: reproduce(r), Tool: printable(r.Tool), Trust: trust(f),
	}
	var err error
	if p.Sending, err = sendingFigure(f); err != nil {
		return page{}, err
	}
	for _, q := range undecidedChecks(f.Groups) {
		p.Questions = append(p.Questions, questionView{q.checks, strings.Join(q.groups, ", "), sentence(q.message)})
	}
	for i, g := range f.Groups {
		p.Rows = append(p.Rows, rowOf(g, anchor(i)))
		p.Bursts = p.Bursts || g.Measured != nil && g.Measured.Burst != nil
		s, err := sectionOf(r, i)
		if err != nil {
			return page{}, fmt.Errorf("group %s: %w", printable(g.Name), err)
		}
		p.Groups = append(p.Groups, s)
	}
	if i := heroGroup(f.Groups); i >= 0 {
		hero, err := timeFigure(f.Groups[i], "hero")
		if err != nil {
			return page{}, err
		}
		p.Hero, p.HeroName = &hero, printable(f.Groups[i].Name)
	}
	return p, nil
}

func anchor(i int) string { return fmt.Sprintf("group-%d", i+1) }

// heroGroup is the group whose picture tells most: the first that fails its
// limit, fails at all, is open; else the one that was asked most. −1: nothing
// was sent to any.
func heroGroup(groups []analyze.Group) int {
	best, most := -1, -1
	for i, g := range groups {
		if g.Sent == 0 {
			continue
		}
		score := min(g.Sent, 1<<40)
		switch g.Outcome {
		case analyze.Inconclusive:
			score += 1 << 41
		case analyze.Fail:
			score += 1 << 42
			if slices.ContainsFunc(g.Findings, func(f analyze.Finding) bool {
				return f.Outcome == analyze.Fail && strings.HasPrefix(f.Check, "limit.")
			}) {
				score += 1 << 43
			}
		}
		if score > most {
			best, most = i, score
		}
	}
	return best
}

// badges say how far the run can be trusted.
func badges(f analyze.Findings) []badge {
	all := []badge{{"good", "✓", "complete: all that was planned is sent and recorded"}}
	if !f.Run.Complete {
		text := "incomplete"
		if f.Run.Reason != "" {
			text += ": " + printable(f.Run.Reason)
		}
		all[0] = badge{"warn", "!", text}
	}
	if l := f.Lateness; l.N > 0 {
		b := badge{"good", "✓", fmt.Sprintf("on time: all sent within %s of the plan", length(l.Max))}
		if length(l.P99) != length(l.Max) {
			b.Text = fmt.Sprintf("on time: 99 %% sent within %s of the plan, all within %s", length(l.P99), length(l.Max))
		}
		if l.P99 > late {
			b = badge{"warn", "!", fmt.Sprintf("late: 1 %% sent more than %s behind the plan, the worst %s", length(l.P99), length(l.Max))}
		}
		all = append(all, b)
	}
	unknown := 0
	for _, g := range f.Groups {
		unknown += g.Unknown
	}
	if unknown > 0 {
		all = append(all, badge{"warn", "!", plural(unknown, "answer") + " of unknown outcome"})
	}
	if n := len(f.Caveats); n > 0 {
		return append(all, badge{"warn", "!", plural(n, "caveat") + ", listed below"})
	}
	return append(all, badge{"good", "✓", "no caveats: nothing lost, nothing sent twice"})
}

// late is how far the sender may be behind its plan before the page warns. No
// verdict depends on it: checks use the moments at which requests were sent.
const late = 100 * time.Millisecond

func rowOf(g analyze.Group, anchor string) row {
	p99 := "no answer"
	if l := g.Latency[limiter.Admitted]; l.N > 0 {
		p99 = fmt.Sprintf("%s (n %s)", length(l.P99), thousands(l.N))
	}
	retry := strings.TrimPrefix(retryAfter(g), "Retry-After ")
	if retry == "" {
		retry = "not judged"
	}
	return row{
		Anchor: anchor, Name: printable(g.Name), Promised: documented(g.Promise),
		Rate: rateOf(g), Burst: value{measuredBurst(g), burstOff(g)},
		RetryAfter: retry, Outcomes: outcomes(g), P99: p99, Verdict: wordOf(g.Outcome),
	}
}

// rateOf is the measured limit, or else what the checks say about it.
func rateOf(g analyze.Group) value {
	if text := measuredRate(g); text != unmeasured {
		return value{text, rateOff(g)}
	}
	verdict, made := analyze.Pass, false
	for _, f := range g.Findings {
		if strings.HasPrefix(f.Check, "limit.") {
			verdict, made = verdict.Worse(f.Outcome), true
		}
	}
	switch {
	case !made:
		return value{unmeasured, false}
	case verdict == analyze.Fail:
		return value{"broken", true}
	case verdict == analyze.Inconclusive:
		return value{"undecided", false}
	}
	return value{"kept, " + unmeasured, false}
}

// sentence makes a finding's message one: a capital and a full stop.
func sentence(s string) string {
	s = printable(s)
	if s == "" {
		return ""
	}
	if c := s[0]; 'a' <= c && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func sentences(all []string) []string {
	var done []string
	for _, s := range all {
		done = append(done, sentence(s))
	}
	return done
}
