package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A place is where something stands in a scenario file. The zero place is
// nowhere: it was not read from a file.
type place struct{ line, col int }

// A Mistake is one thing that is wrong in a scenario file.
type Mistake struct {
	File      string
	Line, Col int    // from 1
	Path      string // "groups.signup.promise.limit"; empty: the file as a whole
	Text      string // what is wrong, and what is allowed
}

// Error returns the mistake as one line: "file:line:col: path: text".
func (m Mistake) Error() string {
	if m.Path == "" {
		return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Col, m.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", m.File, m.Line, m.Col, m.Path, m.Text)
}

// mistake returns one that is a line, whatever of the file is in it.
func mistake(file string, p place, path, text string) Mistake {
	return Mistake{File: file, Line: p.line, Col: p.col, Path: inLine(path), Text: inLine(text)}
}

// inLine spells out what would end a line or command a terminal.
func inLine(text string) string {
	var b strings.Builder
	for _, c := range text {
		if strconv.IsPrint(c) {
			b.WriteRune(c)
			continue
		}
		quoted := strconv.QuoteRune(c)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// Mistakes are everything that is wrong in a scenario, in the order of the
// file. They are the error of [Load] and of [Compile].
type Mistakes []Mistake

// Error returns one line for each mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the mistakes in the order of the file, nil if there are none,
// so that the result can be returned as an error only where it is one.
func (m Mistakes) sorted() Mistakes {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	return slices.Compact(m)
}

// DidYouMean returns ` (did you mean "x"?)` for the nearest of some words, or
// nothing if none is near.
func DidYouMean(word string, words []string) string { return didYouMean(word, words) }

// didYouMean returns ` (did you mean "x"?)` for the nearest of some words, or
// nothing if none is near: a wrong guess is worse than no guess.
func didYouMean(word string, words []string) string {
	best, least := "", 1+max(1, len(word)/3)
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make a into b: optimal string alignment, after Damerau and
// Levenshtein. Words beyond 64 letters are never near anything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
