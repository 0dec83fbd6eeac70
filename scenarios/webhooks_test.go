package scenarios

import (
	"strings"
	"testing"
	"time"
)

const hooking = `version: 1
target: emulator
groups:
  g:
    promise: {limit: 5/min, burst: 2}
    requests: [{POST: /x, json: {id: "${unique.id}"}}]
webhooks:
  delivery: exactly-once
  match: {made: {group: g, json: data.id, is: "x-${unique.id}"}}
`

func TestWebhooksArePromisedToTheirGroup(t *testing.T) {
	s, err := Load("x.yaml", []byte(hooking), Env{})
	if err != nil {
		t.Fatal(err)
	}
	w := s.Webhooks
	if w.Listen != "127.0.0.1:0" || w.Path != "/" || w.Event != "type" || w.ID != "id" || w.Within != 5*time.Second || w.Grace != time.Second || w.Reveal() != "" {
		t.Errorf("got %+v where nothing was said", w)
	}
	p := s.Groups[0].Promise.Webhooks
	if len(p) != 1 || p[0].Event != "made" || p[0].Within != 5*time.Second || p[0].Signed || p[0].Refused || p[0].AtLeastOnce || !p[0].Named {
		t.Errorf("got %+v", p)
	}
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	m := plan.Message(0, 7)
	if got := plan.EventValue(0, 7, w.Match[0], nil); !strings.HasPrefix(got, "x-") || !strings.Contains(m.Body, got[2:]) {
		t.Errorf("got %q, want the value of %s", got, m.Body)
	}
}

func TestMistakesInWebhooks(t *testing.T) {
	for _, c := range []struct{ change, to, want string }{
		{"delivery: exactly-once", "listen: 8080", "must be an address and a port"},
		{"delivery: exactly-once", "listen: 127.0.0.1:99999", "must be an address and a port"},
		{"delivery: exactly-once", "listen: :8080", "must be an address and a port"},
		{"delivery: exactly-once", "path: hooks", "must begin with a slash"},
		{"delivery: exactly-once", "refuse: 0", "must be from 1 to 1000"},
		{"delivery: exactly-once", "refuse: 2\n  id: \"\"", "refuse needs id"},
		{"delivery: exactly-once", "delivery: twice", "have exactly-once, at-least-once"},
		{"delivery: exactly-once", "signature: a b", "not a name of a header"},
		{"group: g", "group: h", `unknown group "h"`},
		{`is: "x-${unique.id}"`, "is: x", "must hold a unique value"},
		{`, is: "x-${unique.id}"`, "", "is is missing"},
		{"match:", "mtch:", "match is missing"},
	} {
		_, err := Load("x.yaml", []byte(strings.Replace(hooking, c.change, c.to, 1)), Env{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant …%s…", c.to, err, c.want)
		}
	}
}
