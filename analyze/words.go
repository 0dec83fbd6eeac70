package analyze

import (
	"fmt"
	"time"

	"duckload/english"
)

// secs writes a moment or a length of time in seconds: "30.412 s".
func secs(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

// either writes alternatives: "429", "429 or 503", "403, 429 or 503".
func either[T any](all []T) string { return english.List(all, "or") }

// list writes what goes together.
func list(all []string) string { return english.List(all, "and") }

// clip keeps what a server sent short enough for a sentence.
func clip(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%.60q…", s)
	}
	return fmt.Sprintf("%q", s)
}
