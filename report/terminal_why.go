package report

import (
	"fmt"
	"slices"
	"strings"

	"duckload/analyze"
)

// shownRequests is how many requests of a witness a summary spells out; the
// others are in the report.
const shownRequests = 3

// failures writes each failed check with its witness.
func (s *screen) failures(r Report) {
	for _, g := range r.Findings.Groups {
		for _, f := range g.Findings {
			if f.Outcome != analyze.Fail {
				continue
			}
			s.blank()
			s.hanging("FAIL  ", red, fmt.Sprintf("%s: %s", printable(g.Name), f.Check))
			s.hanging("      ", dim, printable(f.Message))
			if f.Witness != nil {
				s.witness(r, f)
			}
		}
	}
}

func (s *screen) witness(r Report, f analyze.Finding) {
	w := f.Witness
	if !strings.Contains(f.Message, w.Sentence) {
		s.hanging("      proof: ", dim, printable(w.Sentence))
	}
	n := min(len(w.Requests), shownRequests)
	for _, e := range w.Requests[:n] {
		s.hanging("        ", dim, evidenceLine(r, f.Check, e))
	}
	if more := len(w.Requests) - n + w.More; more > 0 {
		s.hanging("        ", dim, fmt.Sprintf("and %s more", thousands(more)))
	}
}

// evidenceLine is one request of a check's witness in a line: when, who, what
// came back.
func evidenceLine(r Report, check string, e analyze.Evidence) string {
	status := "no answer"
	if e.Status != 0 {
		status = fmt.Sprint(e.Status)
	}
	line := fmt.Sprintf("sent %s, answered %s: %s %s (%s)", when(e.Sent), when(e.Answered), status, e.Outcome, printable(laneName(r.Header, e.Lane)))
	if strings.HasPrefix(check, "limit.") { // it is about moments, not about what the answers said
		return line
	}
	for _, f := range e.Fields {
		line += fmt.Sprintf(" %s: %s", printable(f.Name), clipped(f.Value, 60))
	}
	return line
}

// A question is a reason for which something could not be decided, with the
// checks and the groups that it left open.
type question struct {
	message        string
	checks, groups []string
}

// openQuestions writes what could not be decided, each reason once.
func (s *screen) openQuestions(groups []analyze.Group) {
	questions := undecidedChecks(groups)
	if len(questions) > 0 {
		s.blank()
	}
	for _, q := range questions {
		s.hanging("INCONCLUSIVE  ", yellow, fmt.Sprintf("%s: %s", strings.Join(q.checks, ", "), strings.Join(q.groups, ", ")))
		s.hanging("      ", dim, printable(q.message))
	}
	if len(questions) > 0 {
		s.blank()
	}
}

// undecidedChecks lists each reason once: of a run that was interrupted every
// check of every group says the same.
func undecidedChecks(groups []analyze.Group) []question {
	var all []question
	for _, g := range groups {
		for _, q := range questionsOf(g) {
			i := slices.IndexFunc(all, func(known question) bool {
				return known.message == q.message && slices.Equal(known.checks, q.checks)
			})
			if i < 0 {
				all = append(all, q)
				continue
			}
			all[i].groups = append(all[i].groups, q.groups...)
		}
	}
	return all
}

func questionsOf(g analyze.Group) []question {
	var all []question
	for _, f := range g.Findings {
		if f.Outcome != analyze.Inconclusive {
			continue
		}
		i := slices.IndexFunc(all, func(q question) bool { return q.message == f.Message })
		if i < 0 {
			all = append(all, question{message: f.Message, groups: []string{printable(g.Name)}})
			i = len(all) - 1
		}
		all[i].checks = append(all[i].checks, f.Check)
	}
	return all
}

// notPassed lists the checks that did not pass, failures first.
func notPassed(groups []analyze.Group) []string {
	var failed, open []string
	for _, g := range groups {
		for _, f := range g.Findings {
			switch f.Outcome {
			case analyze.Fail:
				failed = append(failed, f.Check)
			case analyze.Inconclusive:
				open = append(open, f.Check)
			}
		}
	}
	return append(failed, open...)
}
