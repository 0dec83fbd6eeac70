package scenarios

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// request loads a scenario with one request, as YAML, and renders it.
func message(t *testing.T, request string, seq uint64) (Plan, Message) {
	t.Helper()
	s, err := Load("f", []byte("version: 1\ntarget: emulator\nidentities: {me: {headers: {Authorization: 'Bearer ${env:TOKEN}', X-A: identity}, query: {key: '${file:keys/one.txt}'}}}\n"+
		"groups: {g: {promise: {limit: 10/s}, identity: me, sources: 127.0.0.1, requests: ["+request+"]}}\n"), world())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(s, CompileOptions{Run: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	return plan, plan.Message(0, seq)
}

func TestBodiesAreWhatTheyClaim(t *testing.T) {
	_, m := message(t, `{POST: "/x?a=1", json: {"k\"ey": "${file:keys/one.txt}", list: [1, -2.5e3, true, null, "${seq}"], nested: {mail: "${unique.email}"}}}`, 7)
	var got map[string]any
	if err := json.Unmarshal([]byte(m.Body), &got); err != nil {
		t.Fatalf("%v in %s", err, m.Body)
	}
	if got[`k"ey`] != `file "secret"` {
		t.Errorf("got %q, want the file's text, escaped", got[`k"ey`])
	}
	if list := got["list"].([]any); list[0] != 1.0 || list[1] != -2500.0 || list[2] != true || list[3] != nil || list[4] != "7" {
		t.Errorf("got %v", list)
	}
	if m.Path != "/x?a=1&key=file+%22secret%22" {
		t.Errorf("got path %s", m.Path)
	}
	if len(m.Headers) != 3 || m.Headers[0] != (Header{"Content-Type", "application/json"}) || m.Headers[1] != (Header{"Authorization", "Bearer s3cret/+"}) {
		t.Errorf("got headers %v", m.Headers)
	}

	_, m = message(t, `{POST: /x, form: {"a&b": "${env:TOKEN}", n: 2}, headers: {x-a: request, content-type: text/plain}}`, 0)
	values, err := url.ParseQuery(m.Body)
	if err != nil || values.Get("a&b") != "s3cret/+" || values.Get("n") != "2" {
		t.Errorf("got %q, %v", m.Body, err)
	}
	if len(m.Headers) != 3 || m.Headers[0].Value != "text/plain" || m.Headers[2].Value != "request" {
		t.Errorf("got %v, want the request's own headers before the identity's", m.Headers)
	}
}

func TestWeightsAreKept(t *testing.T) {
	plan, _ := message(t, `{GET: /a, weight: 3}, GET /b`, 0)
	var got strings.Builder
	for seq := range uint64(8) {
		got.WriteString(plan.Message(0, seq).Path[1:2])
	}
	if got.String() != "aaabaaab" {
		t.Errorf("got %s, want aaabaaab", got.String())
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	s, err := Load("f", []byte("version: 1\ntarget: ${env:BASE}\n# by chance: s3cret/+\nidentities:\n  me: {headers: {Authorization: 'Bearer ${env:TOKEN}', Cookie: literal}}\n"+
		"  you: {headers: {X-Key: '${env:EMPTY:-fallback}'}}\ngroups: {g: {promise: {limit: 10/s}, requests: [{POST: /x, body: '${file:keys/one.txt}'}]}}\n"), world())
	if err != nil {
		t.Fatal(err)
	}
	if s.Target != "http://127.0.0.1:1" {
		t.Errorf("target %q, want the variable's value: it is no secret", s.Target)
	}
	want := []string{`file "secret"`, "s3cret/+", "literal"}
	if got := s.Secrets(); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got secrets %q, want %q", got, want)
	}
	for _, secret := range want {
		if strings.Contains(string(s.Masked()), secret) {
			t.Errorf("%q is in the masked text\n%s", secret, s.Masked())
		}
		for _, id := range s.Identities {
			for _, h := range id.Headers {
				if strings.Contains(h.Value.String(), secret) {
					t.Errorf("%q is in %s", secret, h.Value)
				}
			}
		}
	}
	if got := s.Identities[0].Headers[1].Value; got.String() != "***" || got.Render("", "", 0) != "literal" {
		t.Errorf("a credential in the file: shown as %s, sent as %s", got, got.Render("", "", 0))
	}
	if got := s.Identities[1].Headers[0].Value.Render("", "", 0); got != "fallback" {
		t.Errorf("an empty variable: got %q, want the default", got)
	}
}

func TestUniqueValuesNeverCollide(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func(name string) (string, string, uint64) {
			return rapid.StringN(0, 3, 4).Draw(r, name+" run"), rapid.StringN(0, 3, 4).Draw(r, name+" group"), rapid.Uint64Range(0, 40).Draw(r, name+" seq")
		}
		run, group, seq := draw("one")
		otherRun, otherGroup, otherSeq := draw("other")
		for _, u := range uniques {
			a, b := unique(u.name, run, group, seq), unique(u.name, otherRun, otherGroup, otherSeq)
			if same := run == otherRun && group == otherGroup && seq == otherSeq; same != (a == b) {
				r.Fatalf("%s: %q for %q %q %d, %q for %q %q %d", u.name, a, run, group, seq, b, otherRun, otherGroup, otherSeq)
			}
		}
	})
}

func TestUniqueValuesAreWhatTheyClaim(t *testing.T) {
	for kind, want := range map[string]string{
		"unique.email":    `^[a-z0-9-]{1,64}@example\.com$`,
		"unique.id":       `^[a-z0-9]{17,30}$`,
		"unique.name":     `^Duck [a-z0-9]+$`,
		"unique.password": `^Dk7![a-z0-9]{16,}$`,
		"unique.uuid":     `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
	} {
		for _, seq := range []uint64{0, 1, 1<<64 - 1} {
			if got := unique(kind, "run", "group", seq); !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("%s: got %q, want %s", kind, got, want)
			}
		}
	}
}

func TestLanesNumberTheirRequestsApart(t *testing.T) {
	plan := spaceDuck(t, CompileOptions{Run: "r", Groups: []string{"signup"}})
	seen := map[string]int{}
	for lane := range plan.Lanes {
		for seq := range uint64(50) {
			seen[plan.Message(lane, seq).Body]++
		}
	}
	if len(seen) != 50*len(plan.Lanes) {
		t.Errorf("%d bodies for %d requests, want as many", len(seen), 50*len(plan.Lanes))
	}
}

// However YAML lets a credential be written, the copy of the scenario does not
// hold it: where it could not be found to be masked, it is refused.
func TestACredentialThatCannotBeMaskedIsRefused(t *testing.T) {
	const before = "version: 1\nname: x\ntarget: http://127.0.0.1:1\ngroups: {g: {promise: {limit: 10/s}, requests: [GET /x], identity: me}}\nidentities:\n  me:\n    headers:\n      "
	for written, refused := range map[string]bool{
		"Authorization: Bearer abcdefgh":                false,
		"Authorization: 'Bearer abcdefgh'":              false,
		"Authorization: \"Bearer abcdefgh\"":            false,
		"X-Api-Key: &key abcdefgh\n      Api-Key: *key": false,
		"Authorization: \"Bearer \\x61bcdefgh\"":        true,
		"Authorization: \"Bearer \\u0061bcdefgh\"":      true,
		"X-Api-Key: \"abcd\\\n        efgh\"":           true,
		"X-Api-Key: >-\n        abcdefgh":               true,
		"X-Api-Key: |-\n        abcdefgh":               true,
		"X-Api-Key: 'efgh''s'":                          true,
		"X-Api-Key: abcd\n        efgh":                 true,
	} {
		s, err := Load("a.yaml", []byte(before+written+"\n"), Env{})
		switch {
		case refused && (err == nil || !strings.Contains(err.Error(), "a credential must stand on its line") || strings.Contains(err.Error(), "efgh")):
			t.Errorf("%s: got %v, want it refused without a word of it", written, err)
		case !refused && err != nil:
			t.Errorf("%s: got %v, want it taken", written, err)
		case !refused && strings.Contains(string(s.Masked()), "abcdefgh"):
			t.Errorf("%s: got it in\n%s", written, s.Masked())
		}
	}
}
