package analyze

import (
	"fmt"
	"strings"
	"time"
)

// secs writes a moment or a length of time in seconds: "30.412 s".
func secs(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

// plural counts things: "1 rejection", "3 rejections", "3 requests were".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	noun, verb, _ := strings.Cut(thing, " ")
	for _, form := range [...][2]string{{"was", " were"}, {"is", " are"}, {"looks", " look"}} {
		if verb == form[0] {
			verb = form[1]
			return fmt.Sprintf("%d %ss%s", n, noun, verb)
		}
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// either joins alternatives: "429", "429 or 503", "403, 429 or 503".
func either[T any](all []T) string {
	var b strings.Builder
	for i, v := range all {
		switch {
		case i > 0 && i == len(all)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}

// clip keeps what a server sent short enough for a sentence.
func clip(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%.60q…", s)
	}
	return fmt.Sprintf("%q", s)
}
