package draft

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error returns "file:line: text".
func (m Mistake) Error() string {
	if m.Line == 0 {
		return m.File + ": " + m.Text
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text)
}

// Error returns one line for each mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// MaxSource is how many bytes a source may have.
const MaxSource = 32 << 20

// readable refuses what is no text at all, before anybody looks for sense in it.
func readable(file string, text []byte) error {
	switch {
	case len(text) > MaxSource:
		return Mistakes{{File: file, Text: fmt.Sprintf("has %d bytes (at most %d)", len(text), MaxSource)}}
	case len(strings.TrimSpace(string(text))) == 0:
		return Mistakes{{File: file, Text: "is empty"}}
	case !utf8.Valid(text):
		line := 1
		for len(text) > 0 {
			r, size := utf8.DecodeRune(text)
			if r == utf8.RuneError && size == 1 {
				break
			}
			if r == '\n' {
				line++
			}
			text = text[size:]
		}
		return Mistakes{{File: file, Line: line, Text: "is not text in UTF-8 (save it as UTF-8)"}}
	}
	return nil
}

// Mistakes are everything that is wrong with a source.
type Mistakes []Mistake

// A Mistake is one thing that is wrong with a source: where, what, and what
// instead.
type Mistake struct {
	File string
	Line int // from 1; 0: the file as a whole
	Text string
}
