package draft

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// plain is text that YAML reads as itself where a value stands in block style.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/_.~%?&=+-]*$`)

// words of YAML that are no text.
var notText = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|y|n|null|~)$`)

// quoted returns text as YAML reads it, with quotes only where it needs them.
func quoted(text string) string {
	if plain.MatchString(text) && !notText.MatchString(text) {
		return text
	}
	return quote(text)
}

// quote returns text in double quotes, as both YAML and JSON read it.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsPrint(r) && r <= 0xffff:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff
			if unicode.IsPrint(r) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
			}
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// widest is how many letters of a source one comment quotes.
const widest = 160

// oneLine makes text fit behind a '#': one line, nothing that a terminal or a
// parser would obey.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(text); len(runes) > widest {
		text = string(runes[:widest]) + "…"
	}
	return text
}

// inert makes text of a source that must not interpolate: "${env:HOME}" in a
// description of an API is no reason to send anybody's HOME. It holds on to
// the rest of the text.
func inert(text string) string { return strings.ReplaceAll(text, "${", "$ {") }

// inertPath is inert for a path, in which a blank has no place.
func inertPath(text string) string { return strings.ReplaceAll(text, "${", "%24%7B") }

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a name of a group or an identity of any text.
func slug(text string) string {
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if len(name) > 40 {
		name = strings.Trim(name[:40], "-")
	}
	return name
}

// unused returns a name that is not taken yet, and takes it.
func unused(name, otherwise string, taken map[string]bool) string {
	if name == "" {
		name = otherwise
	}
	for i, free := 2, name; ; i++ {
		if !taken[free] {
			taken[free] = true
			return free
		}
		free = fmt.Sprintf("%s-%d", name, i)
	}
}
