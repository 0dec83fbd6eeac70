package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

// Two groups that send the same request on one key at the same time are
// refused; those that cannot disturb each other are not.
func TestGroupsThatShareAKeyAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b string // what each group says beside its limit of 10/s, burst 5
		bad  bool
	}{
		{"one request, no scope", "requests: [GET /x]", "requests: [GET /x]", true},
		{"one of several requests", "requests: [GET /x, POST /y]", "requests: [GET /z, POST /y]", true},
		{"other paths", "requests: [GET /x]", "requests: [GET /y]", false},
		{"other methods", "requests: [GET /x]", "requests: [POST /x]", false},
		{"they share their counter", "requests: [GET /x]", "requests: [GET /x], shares: a", false},
		{"other identities, no scope", "requests: [GET /x], identity: ann", "requests: [GET /x], identity: bob", false},
		{"other identities, per key", "requests: [GET /x], identity: ann, SCOPE: key", "requests: [GET /x], identity: bob, SCOPE: key", false},
		{"one identity, per key", "requests: [GET /x], identity: ann, sources: [127.0.0.8], SCOPE: key", "requests: [GET /x], identity: [bob, ann], SCOPE: key", true},
		{"one address, per ip", "requests: [GET /x], identity: ann, SCOPE: ip", "requests: [GET /x], identity: bob, SCOPE: ip", true},
		{"other addresses, per ip", "requests: [GET /x], sources: [127.0.0.8], SCOPE: ip", "requests: [GET /x], sources: [127.0.0.9], SCOPE: ip", false},
		{"for everybody", "requests: [GET /x], identity: ann, sources: [127.0.0.8], SCOPE: global", "requests: [GET /x], identity: bob, sources: [127.0.0.9], SCOPE: global", true},
	} {
		group := func(says string) string {
			limit := "{limit: 10/s, burst: 5}"
			if before, scope, scoped := strings.Cut(says, ", SCOPE: "); scoped {
				says, limit = before, "{limit: 10/s, burst: 5, scope: "+scope+"}"
			}
			return "{promise: " + limit + ", " + says + "}"
		}
		s := load(t, fmt.Sprintf("version: 1\ntarget: emulator\nidentities: {ann: {}, bob: {}}\ngroups:\n  a: %s\n  b: %s\n", group(c.a), group(c.b)))
		_, err := Compile(s, CompileOptions{Run: "r"})
		if (err != nil) != c.bad {
			t.Errorf("%s: got %v, want a refusal: %v", c.name, err, c.bad)
		} else if c.bad && !strings.HasPrefix(err.Error(), "f:6:3: groups.b: sends ") {
			t.Errorf("%s: got %v, want the place of the second group", c.name, err)
		}
		if _, err := Compile(s, CompileOptions{Run: "r", Groups: []string{"b"}}); err != nil {
			t.Errorf("%s: one group alone: %v", c.name, err)
		}
	}
}
