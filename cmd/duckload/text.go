package main

import (
	"strings"
	"unicode"
)

// lines takes a joined error apart.
func lines(err error) []string {
	return strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
}

// printable replaces what could move a terminal's cursor or change its
// colours: part of what we print came from a server or a file.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
