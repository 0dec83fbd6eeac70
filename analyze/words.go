package analyze

import (
	"fmt"
	"strings"
	"time"
)

// secs writes a moment or a length of time in seconds: "30.412 s".
func secs(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

// Plural counts things: "1 rejection", "3 rejections", "2 retries", "3 requests
// were".
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	noun, verb, _ := strings.Cut(thing, " ")
	for _, form := range [...][2]string{{"was", " were"}, {"is", " are"}, {"looks", " look"}} {
		if verb == form[0] {
			return fmt.Sprintf("%d %s%s", n, many(noun), form[1])
		}
	}
	return fmt.Sprintf("%d %s", n, many(thing))
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

// either writes alternatives: "429", "429 or 503", "403, 429 or 503".
func either[T any](all []T) string { return List(all, "or") }

// list writes what goes together.
func list(all []string) string { return List(all, "and") }

// clip keeps what a server sent short enough for a sentence.
func clip(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%.60q…", s)
	}
	return fmt.Sprintf("%q", s)
}
