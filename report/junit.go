package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"duckload/analyze"
)

var junitFormat = Format{
	Name:  "junit",
	Doc:   "checks as test cases, for CI servers: a suite for each group",
	File:  "junit.xml",
	Write: writeJUnit,
}

// The elements that Jenkins, GitLab and GitHub actions agree on. There is no
// word for "inconclusive", and Jenkins takes words that it does not know for
// passes: so it is an error of that type.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Timestamp  string           `xml:"timestamp,attr"`
		Properties *junitProperties `xml:"properties"` // nil: none; an empty element is none of the schema's
		Cases      []junitCase      `xml:"testcase"`
	}
	junitProperties struct {
		Properties []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitProblem `xml:"failure"`
		Error   *junitProblem `xml:"error"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(w io.Writer, r Report) error {
	text, err := xml.MarshalIndent(junit(r), "", "  ")
	if err != nil {
		return fmt.Errorf("junit.xml: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

func junit(r Report) junitSuites {
	f := r.Findings
	all := junitSuites{Name: printable(f.Run.Scenario), Time: fmt.Sprintf("%.3f", f.Run.Duration.Seconds())}
	if !f.Run.Complete {
		all.add(incomplete(f), r)
	}
	for _, g := range f.Groups {
		s := junitSuite{Name: printable(g.Name), Properties: &junitProperties{[]junitProperty{
			{"documented", printable(documented(g.Promise))},
			{"measured limit per window", measuredRate(g)},
			{"measured burst", measuredBurst(g)},
			{"requests", outcomes(g)},
		}}}
		seen := map[string]int{}
		for _, finding := range g.Findings {
			c := caseOf(r, finding)
			c.Class = all.Name + "." + s.Name
			// A check that judged several limits is as many cases: CI servers
			// keep one result for each name.
			if seen[c.Name]++; seen[c.Name] > 1 {
				c.Name = fmt.Sprintf("%s (%d)", c.Name, seen[finding.Check])
			}
			s.Cases = append(s.Cases, c)
		}
		all.add(s, r)
	}
	return all
}

// incomplete is a suite that fails where a run is not whole: what was never
// sent must not look like what holds.
func incomplete(f analyze.Findings) junitSuite {
	return junitSuite{Name: "duckload", Cases: []junitCase{{
		Class: printable(f.Run.Scenario) + ".duckload", Name: "complete",
		Error: &junitProblem{Type: "incomplete", Message: printable(brokenOff(f)), Text: printable(strings.Join(f.Caveats, "; "))},
	}}}
}

func (all *junitSuites) add(s junitSuite, r Report) {
	s.Timestamp = r.Findings.Run.Started.UTC().Format("2006-01-02T15:04:05")
	for _, c := range s.Cases {
		s.Tests++
		if c.Failure != nil {
			s.Failures++
		}
		if c.Error != nil {
			s.Errors++
		}
	}
	all.Tests += s.Tests
	all.Failures += s.Failures
	all.Errors += s.Errors
	all.Suites = append(all.Suites, s)
}

func caseOf(r Report, f analyze.Finding) junitCase {
	message := printable(f.Message)
	problem := &junitProblem{Type: string(f.Outcome), Message: message, Text: strings.Join(proofLines(r, f), "\n")}
	switch f.Outcome {
	case analyze.Pass:
		return junitCase{Name: f.Check, Out: message}
	case analyze.Fail:
		return junitCase{Name: f.Check, Failure: problem}
	}
	return junitCase{Name: f.Check, Error: problem}
}

// proofLines is a finding and its witness in lines of plain text.
func proofLines(r Report, f analyze.Finding) []string {
	lines := []string{printable(f.Message)}
	if f.Witness == nil {
		return lines
	}
	if !strings.Contains(f.Message, f.Witness.Sentence) {
		lines = append(lines, "proof: "+printable(f.Witness.Sentence))
	}
	for _, e := range f.Witness.Requests {
		lines = append(lines, "  "+evidenceLine(r, f.Check, e))
	}
	if f.Witness.More > 0 {
		lines = append(lines, fmt.Sprintf("  and %s more", thousands(f.Witness.More)))
	}
	return lines
}
