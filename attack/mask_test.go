package attack

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"duckload/scenarios"
)

func TestShortWordsAreMaskedWhereTheyStandAlone(t *testing.T) {
	words := map[string]bool{"7": true, "ab": true, "42x": true, "a-b": true, "ü": true}
	for text, want := range map[string]string{
		"pin=7&n=77":          "pin=***&n=77",
		"7":                   "***",
		"x7 7x 7":             "x7 7x ***",
		`{"who": "ab"}`:       `{"who": "***"}`,
		"cab abc ab.":         "cab abc ***.",
		"42x 42xy":            "*** 42xy",
		"a-b, xa-b, a-bc":     "***, xa-b, a-bc",
		"ü über":              "*** über",
		"/users/7/pets/42x":   "/users/***/pets/***",
		"nothing of the kind": "nothing of the kind",
		"HTTP/1.7":            "HTTP/1.***",
		"\xff7\xff":           "\xff***\xff",
	} {
		if got := withoutWords(text, words); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if text := "7 7"; withoutWords(text, nil) != text {
		t.Error("text changed where there is nothing to mask")
	}
}

// An identity's PIN of three digits is shown nowhere.
func TestShortValuesOfIdentitiesAreNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := `version: 1
target: http://127.0.0.1
identities: {users: {file: users.csv, headers: {X-Pin: "${identity.pin}"}}}
groups:
  g:
    promise: {limit: 100/min, burst: 200}
    identity: users
    requests: [{POST: "/x?pin=${identity.pin}", json: {pin: "${identity.pin}", user: "${identity.name}"}}]
    pacing: [{burst: 3}]
`
		s, err := scenarios.Load("f", []byte(text), scenarios.Env{ReadFile: fstest.MapFS{"users.csv": {Data: []byte("name,pin\nsomebody,907\n")}}.ReadFile})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST"})
		if err != nil {
			t.Fatal(err)
		}
		var shown strings.Builder
		w := &wire{answer: func(*http.Request) (int, http.Header, string) { return 200, nil, `{"pin": 907, "id": "id907"}` }}
		if _, _, err := sent(t, t.Context(), plan, w, Options{Debug: &shown}); err != nil {
			t.Fatal(err)
		}
		if all := shown.String(); strings.Count(all, "907") != strings.Count(all, "id907") || strings.Contains(all, "somebody") || !strings.Contains(all, "X-Pin: ***") {
			t.Errorf("shown\n%s\nwant no PIN and no name", all)
		}
	})
}
