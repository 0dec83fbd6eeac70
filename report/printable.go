package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes text from a server safe to show: what would not be seen, or
// would command a terminal, is spelled out as "\x1b", "\n" or "\u202e", and
// bytes that are no UTF-8 as "\xff". Printable text comes back as it is.
func printable(s string) string {
	if !strings.ContainsFunc(s, unseen) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if unseen(r) || r == utf8.RuneError && n == 1 {
			b.WriteString(spelled(s[:n], r))
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// unseen reports whether a rune leaves no ink, the blank aside: controls, marks
// of direction, spaces that look like others.
func unseen(r rune) bool { return r != utf8.RuneError && !unicode.IsPrint(r) }

func spelled(raw string, r rune) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// clipped keeps at most n runes of what a server sent, and says how much more
// there was.
func clipped(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return printable(s)
	}
	end := 0
	for range n {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return fmt.Sprintf("%s… (%d bytes more)", printable(s[:end]), len(s)-end)
}
