package analyze

import (
	"regexp"
	"strings"
	"testing"
)

// What "duckload explain" says of a check: how it fails and when it does, what
// is taken for granted, and what usually is the cause. No line is too long for
// a terminal that wraps.
func TestEveryCheckIsExplained(t *testing.T) {
	assumed := regexp.MustCompile(`A[1-4]\b|[Aa]ssum|exclusive|others share|fact about this run|alone`)
	seen := map[string]bool{}
	for _, check := range Checks {
		if seen[check.ID] {
			t.Errorf("%s: listed twice", check.ID)
		}
		seen[check.ID] = true
		if !strings.HasSuffix(check.Question, "?") {
			t.Errorf("%s: the question %q is none", check.ID, check.Question)
		}
		for what, has := range map[string]bool{
			"when it fails":         regexp.MustCompile(`\b(fails?|proof|wrong|must)\b`).MatchString(check.Doc),
			"typical causes":        strings.Contains(check.Doc, "Typical causes of failure: "),
			"what is assumed":       assumed.MatchString(check.Doc),
			"a sentence at its end": strings.HasSuffix(check.Doc, "."),
		} {
			if !has {
				t.Errorf("%s: the explanation does not have %s", check.ID, what)
			}
		}
	}
}
