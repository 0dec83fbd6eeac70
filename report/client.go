package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"duckload/analyze"
	"duckload/clients"
)

// A ClientCheck is what the formats of client checks write.
type ClientCheck struct {
	Command    []string
	Line       string // the command as a shell takes it
	Clients    int    // at once
	Judgements []clients.Judgement
	Left       int // scripts that were not played any more
	Tool       string
}

// Outcome is the verdict over all scripts. What was not played is open.
func (c ClientCheck) Outcome() analyze.Verdict {
	v := analyze.Pass
	if c.Left > 0 {
		v = analyze.Inconclusive
	}
	for _, j := range c.Judgements {
		v = v.Worse(j.Outcome)
	}
	return v
}

// ClientFormats lists every format of client checks.
var ClientFormats = []DocumentFormat[ClientCheck]{
	{"text", "what failed, and a line for each script, for a terminal", onSheet(clientSummary, sheet.text)},
	{"markdown", "the same with every check and request, for an issue", onSheet(clientSheet, sheet.markdown)},
	{"html", "the same as one page", onSheet(clientSheet, sheet.html)},
	{"json", "schema duckload.client/1", writeClientJSON},
	{"junit", "for CI servers: a suite for each script, a case for each check", writeClientJUnit},
}

// clientSummary is what a tired person needs to know.
func clientSummary(c ClientCheck) (sheet, error) {
	out := clientHead(c)
	if p := findingPart(c, analyze.Fail, "What failed"); len(p.List) > 0 {
		out.Parts = append(out.Parts, p)
	}
	if p := findingPart(c, analyze.Inconclusive, "What could not be decided"); len(p.List) > 0 {
		out.Parts = append(out.Parts, p)
	}
	if said := lastWords(c); len(said) > 0 {
		out.Parts = append(out.Parts, part{ID: "said", Heading: "What the client said last", Code: said})
	}
	table := part{ID: "scripts", Heading: "Scripts", Head: []string{"", "requests", "what the server did", "what the client did"}}
	for _, j := range c.Judgements {
		table.Rows = append(table.Rows, []string{
			mark(j.Outcome) + " " + printable(j.Script.Name), thousands(len(j.Exchanges)), printable(j.Script.Doc), printable(telling(j)),
		})
	}
	out.Parts = append(out.Parts, table)
	return out, nil
}

func clientHead(c ClientCheck) sheet {
	requests, took := 0, time.Duration(0)
	counts := map[analyze.Verdict]int{}
	for _, j := range c.Judgements {
		counts[j.Outcome]++
		requests += len(j.Exchanges)
		took += spent(j)
	}
	v := c.Outcome()
	out := sheet{
		Title: strings.ToUpper(string(v)) + ": " + clipped(c.Line, 200),
		Facts: []string{plural(len(c.Judgements), "script"), plural(c.Clients, "client"), plural(requests, "request") + " in " + length(took)},
		Tool:  printable(c.Tool),
	}
	switch v {
	case analyze.Fail:
		out.Sentence = fmt.Sprintf("The client fails %d of %s.", counts[v], plural(len(c.Judgements), "script"))
	case analyze.Pass:
		out.Sentence = fmt.Sprintf("The client does as it is told in %s.", plural(counts[v], "script"))
	default:
		out.Sentence = fmt.Sprintf("Nothing failed, and %s could not be decided.", plural(counts[v], "script"))
	}
	if c.Left > 0 {
		out.Sentence += fmt.Sprintf(" It was interrupted: %s not played.", plural(c.Left, "script"))
	}
	return out
}

// spent is how long the clients of a script ran.
func spent(j clients.Judgement) time.Duration {
	var longest time.Duration
	for _, p := range j.Processes {
		longest = max(longest, p.Ended-p.Began)
	}
	return longest
}

// findingPart lists the findings of one verdict, with their proof.
func findingPart(c ClientCheck, v analyze.Verdict, heading string) part {
	p := part{ID: string(v), Heading: heading}
	for _, j := range c.Judgements {
		for _, f := range j.Findings {
			if f.Outcome != v {
				continue
			}
			item := fmt.Sprintf("%s, %s: %s", printable(j.Script.Name), f.Check, sentence(f.Message))
			if f.Witness != nil {
				item += " Proof: " + printable(f.Witness.Sentence) + "."
			}
			p.List = append(p.List, item)
		}
	}
	return p
}

// lastWords are the last lines of a client that did not do what it was run
// for: they may tell why.
func lastWords(c ClientCheck) []string {
	for _, j := range c.Judgements {
		if !slices.ContainsFunc(j.Findings, func(f clients.Finding) bool {
			return f.Outcome == analyze.Fail && (f.Check == "client.calls" || f.Check == "client.comes_through")
		}) {
			continue
		}
		for _, p := range j.Processes {
			lines := strings.Split(strings.TrimSpace(p.Output), "\n")
			var shown []string
			for _, l := range lines[max(0, len(lines)-8):] {
				shown = append(shown, clipped(strings.TrimRight(l, "\r"), 160))
			}
			if lines[0] != "" {
				return shown
			}
		}
	}
	return nil
}

// telling is the finding that says most of what a client did.
func telling(j clients.Judgement) string {
	for _, v := range []analyze.Verdict{analyze.Fail, analyze.Inconclusive, analyze.Pass} {
		for _, id := range []string{"client.calls", "client.storm", "client.retry_after", "client.backoff", "client.never_retries", "client.comes_through", "client.hammer"} {
			i := slices.IndexFunc(j.Findings, func(f clients.Finding) bool { return f.Check == id && f.Outcome == v })
			if i >= 0 && (v != analyze.Pass || id != "client.calls") {
				return j.Findings[i].Message
			}
		}
		if i := slices.IndexFunc(j.Findings, func(f clients.Finding) bool { return f.Outcome == v }); i >= 0 && v != analyze.Pass {
			return j.Findings[i].Message
		}
	}
	return ""
}

// mostRequests is how many requests of a script are shown.
const mostRequests = 40

// clientSheet shows everything.
func clientSheet(c ClientCheck) (sheet, error) {
	out, err := clientSummary(c)
	if err != nil {
		return out, err
	}
	for i, j := range c.Judgements {
		id := fmt.Sprintf("script-%d", i+1)
		checks := part{ID: id, Heading: printable(j.Script.Name) + ": checks", Text: []string{sentence(j.Script.Doc)}, Head: []string{"", "check", "finding"}}
		for _, f := range j.Findings {
			checks.Rows = append(checks.Rows, []string{mark(f.Outcome) + " " + string(f.Outcome), f.Check, sentence(f.Message)})
		}
		out.Parts = append(out.Parts, checks)
		if len(j.Exchanges) > 0 {
			out.Parts = append(out.Parts, exchangePart(j, id+"-requests"))
		}
	}
	return out, nil
}

func exchangePart(j clients.Judgement, id string) part {
	p := part{ID: id, Heading: printable(j.Script.Name) + ": requests", Head: []string{"", "client", "request", "arrived", "answer", "left", "Retry-After", "waited since the answer before"}}
	last := map[string]time.Duration{}
	for i, e := range j.Exchanges {
		lane := fmt.Sprint(e.Client, e.Method, e.Path)
		wait := ""
		if before, ok := last[lane]; ok {
			wait = length(max(0, e.Arrived-before))
		}
		last[lane] = e.Answered
		if i >= mostRequests {
			continue
		}
		answer := "closed"
		if e.Left {
			answer = "the client left"
		} else if e.Status > 0 {
			answer = strings.TrimSpace(fmt.Sprint(e.Status, " ", printable(e.Code)))
		}
		p.Rows = append(p.Rows, []string{
			thousands(e.Number), thousands(e.Client + 1), clipped(e.Method+" "+e.Path, 60), when(e.Arrived), answer, when(e.Answered), printable(e.RetryAfter), wait,
		})
	}
	if more := len(j.Exchanges) - mostRequests; more > 0 {
		p.Text = []string{plural(more, "more request") + " not listed; json has them all."}
	}
	return p
}

func writeClientJUnit(w io.Writer, c ClientCheck) error {
	all := junitSuites{Name: "client-check " + clipped(c.Line, 200), Time: "0.000"}
	for _, j := range c.Judgements {
		s := junitSuite{Name: printable(j.Script.Name), Timestamp: "1970-01-01T00:00:00"}
		for _, f := range j.Findings {
			x := junitCase{Class: s.Name, Name: f.Check}
			text := sentence(f.Message)
			if f.Witness != nil {
				text += " " + printable(f.Witness.Sentence) + "."
			}
			switch f.Outcome {
			case analyze.Fail:
				x.Failure = &junitProblem{Type: "fail", Message: printable(f.Message), Text: text}
				s.Failures++
			case analyze.Inconclusive:
				x.Error = &junitProblem{Type: "inconclusive", Message: printable(f.Message), Text: text}
				s.Errors++
			default:
				x.Out = text
			}
			s.Cases = append(s.Cases, x)
			s.Tests++
		}
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
		all.Suites = append(all.Suites, s)
	}
	return writeXML(w, all)
}

func writeXML(w io.Writer, all junitSuites) error {
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}
