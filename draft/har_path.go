package draft

import (
	"net/url"
	"regexp"
	"strings"
)

// What looks like an id in a path: a number, a UUID, a long word with digits.
var (
	digitsOnly = regexp.MustCompile(`^[0-9]+$`)
	uuidLike   = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	hexLike    = regexp.MustCompile(`(?i)^[0-9a-f]{12,}$`)
	wordLike   = regexp.MustCompile(`^[A-Za-z0-9_~.=%@:+-]{16,}$`)
	version    = regexp.MustCompile(`(?i)^v[0-9]+([._-][0-9]+)*$`)
	hasDigit   = regexp.MustCompile(`[0-9]`)
	dashWords  = regexp.MustCompile(`^[A-Za-z]+([-_][A-Za-z]+)*$`)
)

// pathTemplate returns the path of a URL with {id} for what looks like an id
// and for what a credential is part of.
func (r *recording) pathTemplate(u *url.URL) string {
	parts := strings.Split(u.EscapedPath(), "/")
	for i, part := range parts {
		if isID(part) || r.secret(part) {
			parts[i] = "{id}"
		}
	}
	path := strings.Join(parts, "/")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}

func isID(part string) bool {
	if version.MatchString(part) {
		return false
	}
	if digitsOnly.MatchString(part) || uuidLike.MatchString(part) || hexLike.MatchString(part) {
		return true
	}
	long := wordLike.MatchString(part) && (hasDigit.MatchString(part) || len(part) > 40) || strings.ContainsAny(part, "@") || strings.Contains(part, "%40")
	return long && !dashWords.MatchString(part)
}

// token is text that may well be a credential: long, and no words.
var token = regexp.MustCompile(`^[A-Za-z0-9_~.=/+:-]{20,}$`)

// looksSecret reports whether a value looks like a credential, whatever it is
// called: a JWT, a key, a session.
func looksSecret(text string) bool {
	if strings.HasPrefix(text, "eyJ") || strings.HasPrefix(text, "Bearer ") {
		return true
	}
	return token.MatchString(text) && hasDigit.MatchString(text) && !uuidLike.MatchString(text)
}
