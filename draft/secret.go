package draft

import "regexp"

// secretName are the names under which credentials travel.
var secretName = regexp.MustCompile(`(?i)auth|cookie|token|secret|passw|api[-_]?key|access[-_]?key|private[-_]?key|session|credential|signature|^sig$|jwt|bearer|csrf|xsrf|^key$|[-_]key$|otp|^pin$|^code$`)

// isSecret reports whether what travels under a name is a credential.
func isSecret(name string) bool { return secretName.MatchString(name) }
