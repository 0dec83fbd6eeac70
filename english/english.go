// Package english puts numbers and lists into sentences. It is the one place
// that knows how a plural is made.
package english

import (
	"fmt"
	"strings"
)

// Count counts things: "1 rejection", "3 rejections", "2 retries", "3 requests
// were".
func Count(n int, thing string) string { return fmt.Sprintf("%d %s", n, Noun(n, thing)) }

// Noun returns the form of a noun for a number, with its verb if it has one.
func Noun(n int, thing string) string {
	if n == 1 {
		return thing
	}
	noun, verb, _ := strings.Cut(thing, " ")
	for _, form := range [...][2]string{{"was", " were"}, {"is", " are"}, {"looks", " look"}, {"has", " have"}, {"holds", " hold"}} {
		if verb == form[0] {
			return many(noun) + form[1]
		}
	}
	return many(thing)
}

// many is the plural of a noun.
func many(noun string) string {
	switch stem, y := strings.CutSuffix(noun, "y"); {
	case y && !strings.ContainsAny(stem[max(0, len(stem)-1):], "aeou"):
		return stem + "ies"
	case strings.HasSuffix(noun, "ss"):
		return noun + "es"
	}
	return noun + "s"
}

// Times says how often: "once", "5 times".
func Times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// List writes a list: "a", "a and b", "1, 2 and 5", with the word before the
// last.
func List[T any](all []T, word string) string {
	var b strings.Builder
	for i, v := range all {
		switch {
		case i > 0 && i == len(all)-1:
			b.WriteString(" " + word + " ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}
