package report

import (
	"cmp"
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

	Rows       []row
	Bursts     bool // some group's burst was measured
	Proofs     []proofView
	MoreProofs string // how many are only listed; empty: none
	Questions  []questionView
	Groups     []section

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
		LeftOut                                 bool       // there was no room for pictures
		Latency                                 [][]string
		Checks                                  []checkView
		Scope                                   scopeView
		Headers                                 [][]string
		Webhooks                                [][]string
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
	listed := map[string]bool{}
	if n := len(p.Proofs); n > mostProofs {
		p.MoreProofs = plural(n-mostProofs, "more failure")
		for i := range p.Proofs[mostProofs:] {
			p.Proofs[mostProofs+i].Listed = true
			listed[p.Proofs[mostProofs+i].Anchor] = true
		}
	}
	for i, g := range f.Groups {
		p.Rows = append(p.Rows, rowOf(g, anchor(i)))
		p.Bursts = p.Bursts || g.Measured != nil && g.Measured.Burst != nil
		s := sectionOf(r, i)
		for k := range s.Checks {
			if listed[s.Checks[k].Anchor] {
				s.Checks[k].Anchor = ""
			}
		}
		p.Groups = append(p.Groups, s)
	}
	return p, nil
}

// draw adds pictures, those of the groups that matter most first, for as long
// as there is room for their bytes.
func (p *page) draw(groups []analyze.Group, room int) error {
	order := byWeight(groups)
	if len(order) > 0 && groups[order[0]].Sent > 0 {
		hero, err := timeFigure(groups[order[0]], "hero")
		if err != nil {
			return err
		}
		p.Hero, p.HeroName = &hero, printable(groups[order[0]].Name)
	}
	for _, i := range order {
		s := &p.Groups[i]
		if s.Silent = groups[i].Sent+groups[i].Unknown == 0; s.Silent {
			continue
		}
		if room > 0 {
			rows, err := pictures(groups[i], s.Anchor)
			if err != nil {
				return fmt.Errorf("group %s: %w", printable(groups[i].Name), err)
			}
			if room -= bytesOf(rows); room > 0 {
				s.Pictures = rows
				continue
			}
		}
		s.LeftOut = true
	}
	return nil
}

// bytesOf is about how much pictures take in the page.
func bytesOf(rows [][]figure) int {
	n := 0
	for _, row := range rows {
		for _, f := range row {
			n += 1500 // its name, its words and what holds them
			for _, p := range f.Pictures {
				n += len(p)
			}
			for _, cells := range f.Rows {
				for _, c := range cells {
					n += len("<td></td>") + len(c) + 3
				}
			}
		}
	}
	return n
}

// mostProofs is how many proofs are spelled out.
const mostProofs = 60

func anchor(i int) string { return fmt.Sprintf("group-%d", i+1) }

// byWeight orders groups by how much their pictures tell: those that fail a
// limit, that fail at all, that are open, and those that were asked most. The
// first is at the top of the page.
func byWeight(groups []analyze.Group) []int {
	weight := func(g analyze.Group) int {
		n := min(g.Sent, 1<<40)
		if n == 0 {
			return -1
		}
		switch g.Outcome {
		case analyze.Inconclusive:
			n += 1 << 41
		case analyze.Fail:
			n += 1 << 42
			if slices.ContainsFunc(g.Findings, func(f analyze.Finding) bool {
				return f.Outcome == analyze.Fail && strings.HasPrefix(f.Check, "limit.")
			}) {
				n += 1 << 43
			}
		}
		return n
	}
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(groups[b]), weight(groups[a])) })
	return order
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
