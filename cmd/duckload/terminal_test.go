package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// A terminal is what a person sees of the bytes that a program writes: enough
// of an ANSI terminal for what duckload sends. Lines that are too long are
// broken into rows, anew when the width changes, as most terminals do.
type terminal struct {
	columns int
	lines   [][]rune
	line    int // of the cursor
	at      int // runes before the cursor in its line
	styles  int // sequences that only change how text looks
	odd     []string
}

var control = regexp.MustCompile(`^\x1b\[([?0-9;]*)([A-Za-z])`)

// rows is how many rows a line takes.
func (s *terminal) rows(line []rune) int {
	return max(1, (len(line)+s.columns-1)/s.columns)
}

func (s *terminal) write(text string) {
	if len(s.lines) == 0 {
		s.lines = [][]rune{nil}
	}
	for len(text) > 0 {
		if found := control.FindStringSubmatch(text); found != nil {
			s.obey(found[1], found[2])
			text = text[len(found[0]):]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		switch {
		case r == '\r':
			s.at -= s.at % s.columns
		case r == '\n':
			s.line++
			s.at = 0
			if s.line == len(s.lines) {
				s.lines = append(s.lines, nil)
			}
		case r < ' ' || r == 0x7f:
			s.odd = append(s.odd, strconv.QuoteRune(r))
		default:
			for len(s.lines[s.line]) <= s.at {
				s.lines[s.line] = append(s.lines[s.line], ' ')
			}
			s.lines[s.line][s.at] = r
			s.at++
		}
	}
}

func (s *terminal) obey(number, command string) {
	n, _ := strconv.Atoi(number)
	switch command {
	case "A":
		for range max(n, 1) {
			switch {
			case s.at >= s.columns:
				s.at -= s.columns
			case s.line > 0:
				s.line--
				s.at += (s.rows(s.lines[s.line]) - 1) * s.columns
			}
		}
	case "K":
		end := min(len(s.lines[s.line]), (s.at/s.columns+1)*s.columns)
		if s.at < end { // to the end of the row
			s.lines[s.line] = append(s.lines[s.line][:s.at:s.at], s.lines[s.line][end:]...)
		}
	case "J":
		s.lines[s.line] = s.lines[s.line][:min(s.at, len(s.lines[s.line]))]
		s.lines = s.lines[:s.line+1]
	case "m":
		s.styles++
	default:
		s.odd = append(s.odd, "CSI "+number+command)
	}
}

// text is what stands on the screen and what was scrolled out of it.
func (s *terminal) text() string {
	var b strings.Builder
	for _, line := range s.lines {
		b.WriteString(strings.TrimRight(string(line), " ") + "\n")
	}
	return b.String()
}

func TestTheTerminalOfTheTests(t *testing.T) {
	s := &terminal{columns: 10}
	s.write("keep\none\ntwo two two two\n")
	s.write("\r\x1b[3A1\x1b[K\n\x1b[J2\n")
	if got, want := s.text(), "keep\n1\n2\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s = &terminal{columns: 20}
	s.write("keep\nabcdefghijklmno\n")
	s.columns = 10 // the second line takes two rows now
	s.write("\r\x1b[2A\x1b[Jnew\n")
	if got, want := s.text(), "keep\nnew\n\n"; got != want {
		t.Errorf("after a resize: got %q, want %q", got, want)
	}
}
