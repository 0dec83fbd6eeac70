package draft

import (
	"bytes"
	"slices"
	"strings"
)

// A Finding is what somebody who read a draft as a scenario found wrong with
// it.
type Finding struct {
	Line int // of the draft, from 1
	Text string
}

// Mark returns a draft with a mark above each line that something is wrong
// with, so that a person finds it.
func Mark(text []byte, findings []Finding) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	slices.SortStableFunc(findings, func(a, b Finding) int { return b.Line - a.Line })
	for _, f := range findings {
		at := min(max(f.Line-1, 0), len(lines)-1)
		indent := lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], " "))]
		lines = slices.Insert(lines, at, indent+fillIn+oneLine(f.Text)+"\n")
	}
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l)
	}
	return b.Bytes()
}
