package report

import (
	"fmt"

	"duckload/analyze"
)

// scopeOf lays out who would share a counter with whom.
func scopeOf(g analyze.Group) scopeView {
	m := g.Shown.Scope
	var v scopeView
	for _, s := range m.Scopes {
		c := scopeColumn{Words: s.Words, Good: s.Explains, Says: "yes", Why: sentence(s.Why)}
		switch {
		case s.Explains:
		case s.Otherwise == analyze.Pass:
			c.Says = "only with another limit"
		case s.Otherwise == analyze.Fail:
			c.Says = "not with any limit"
		default:
			c.Says = "no"
		}
		if s.Documented {
			c.Words += ", documented"
		}
		v.Scopes = append(v.Scopes, c)
	}
	for _, s := range m.Senders {
		row := []string{printable(s.Name), thousands(s.Sent), thousands(s.Admitted), thousands(s.Rejected)}
		for _, counter := range s.Counters {
			row = append(row, letterOf(counter))
		}
		v.Rows = append(v.Rows, row)
	}
	if m.More > 0 {
		v.Note = fmt.Sprintf("%s not listed. ", plural(m.More, "more sender"))
	}
	if len(m.Scopes) > 0 && m.Looked < g.Sent {
		v.Note += fmt.Sprintf("Made from the first %s of the run; the check called scope looks at all.", plural(m.Looked, "request"))
	}
	return v
}

// letterOf names a counter: A, B, … Z, AA, AB.
func letterOf(n int) string {
	name := string(rune('A' + n%26))
	for n = n/26 - 1; n >= 0; n = n/26 - 1 {
		name = string(rune('A'+n%26)) + name
	}
	return name
}

// headerRows lay out what rate-limit headers told.
func headerRows(g analyze.Group) [][]string {
	var rows [][]string
	for _, f := range g.Shown.Headers {
		verdict := "✓ not contradicted"
		switch {
		case f.Lies > 0:
			verdict = "✗ cannot be true"
			if f.Lies < f.N {
				verdict += ", " + thousands(f.Lies) + " ×"
			}
		case f.N == 0:
			verdict = "! not readable"
		}
		told := thousands(f.N)
		if f.N == 0 {
			told = ""
		}
		rows = append(rows, []string{printable(f.Says), told, verdict, sentence(f.Why)})
	}
	return rows
}
