package scenarios

import (
	"errors"
	"strings"
	"testing"
)

// world is an environment that tests see: two variables and some files.
func world() Env {
	return Env{
		Lookup: func(name string) (string, bool) {
			v, ok := map[string]string{"TOKEN": "s3cret/+", "EMPTY": "", "BASE": "http://127.0.0.1:1"}[name]
			return v, ok
		},
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("no such file")
		},
	}
}

var files = map[string]string{
	"keys/one.txt": "file \"secret\"\n",
	"traffic.csv":  "time,path\n2026-01-02T15:04:05Z,/a\n2026-01-02T15:04:06Z,/b\n2026-01-02T15:04:06Z,/c\n2026-01-02T15:04:09Z,/d\n",
	"users.csv":    "name, key\nann,k-ann-1\nbob,k/bob 2\n",
	"users.txt":    "x",
	"users.yaml":   "- {name: ann, key: k-ann-1}\n- {name: bob, key: 12345}\n",
	"users.json":   `[{"name": "ann", "key": "k-ann-1"}, {"name": "bob", "key": 12345}]`,
	"torn.json":    `[{"name": `,
	"bad.csv":      "a,b\n1\n",
	"body.json":    "{\"a\": \"${seq}\"}\n",
	"back.csv":     "1\n2\n1\n7203\n",
}

// around puts the body of a group "g" into an otherwise right scenario of
// which it is line 4 and following.
func around(group string) string {
	lines := strings.Split(strings.Trim(group, "\n"), "\n")
	return "version: 1\ntarget: emulator\ngroups: {g: {\n" + strings.Join(lines, "\n") + "\n}}\n"
}

func TestSpaceDuckIsTheTable(t *testing.T) {
	s, err := BuiltIn("space-duck", Env{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"metrics 100/min, burst 200",
		"signup 10/min, burst 5, per ip",
		"status 60/min, burst 120",
		"newsletter 5/min, burst 2, per ip",
		"support 5/min, burst 2, per ip",
		"pageview 500/min, burst 1000",
	}
	var got []string
	for _, g := range s.Groups {
		got = append(got, g.Name+" "+g.Promise.Limits[0].String())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.Target != Emulator || len(s.AllowHosts) != 0 {
		t.Errorf("target %q, hosts %q; the documented host must never be contacted by default", s.Target, s.AllowHosts)
	}
}

// Every key that users are promised is read, or refused as not supported yet;
// none is unknown.
func TestEveryDocumentedKeyIsKnown(t *testing.T) {
	const text = `
version: 1
name: all
target: http://127.0.0.1:1/prefix/
allow_hosts: [example.com, 10.0.0.1]
documentation: here
defaults:
  on_reject: {status: [429, 503], retry_after: exact, json: {error: {code: E4004}}}
  admitted: [2xx, 409, 300-302]
  sources: [127.0.0.1]
  objectives: {p50: 1s, p90: 1s, p95: 1s, p99: 2s, p99.9: 3s, errors: 1%}
identities:
  public: {}
  beak: {headers: {Authorization: "Bearer x"}, query: {beak_key: "${env:TOKEN}"}}
groups:
  a:
    promise:
      - {limit: 100/90s, reading: open, tolerance: best-effort 5%, granularity: 4ms, rejects_consume: true}
      - {limit: 5000/day, scope: global, verify: false}
    requests: [GET /a, {PUT: "/b/${seq}", form: {a: b}, query: {q: 1}, weight: 2, creates: thing}]
    identity: [public, beak]
    exclusive: false
    decided_within: 30s
    on_reject: {status: 503}
    admitted: [200]
    sources: auto
    objectives: {p99: 1s}
  b:
    promise: {limit: 10/s, burst: 20}
    requests: [GET /a]
    fresh: true
    pacing: [{rest: full}, {rest: 2s}, {burst: 100% + 2}, {hold: 80%, for: 2m}, {hold: 3/s, for: 2m}, {ramp: 50% -> 150%, for: 3m}, {burst: 20}, {burst: 50%}]
  c:
    promise: {limit: 10/s, burst: 20}
    requests: [GET /c]
    shares: b
budget: {requests: 20000, duration: 20m}
stop_when: {errors: 20% in 10s}
`
	s, err := Load("f", []byte(text), world())
	if err != nil {
		t.Fatal(err)
	}
	a := s.Groups[0].Promise
	if a.Reject.Status[0] != 503 || len(a.Reject.Status) != 1 || a.Reject.RetryAfter != "exact" || a.Reject.JSON[0].Name != "error.code" || len(a.Objectives.Latency) != 1 {
		t.Errorf("got %+v, want the group's own keys over the defaults, key by key", a)
	}
	if l := a.Limits[0]; l.Tolerance != 0.05 || l.Clock() != 4e6 || !l.RejectsConsume || !a.Limits[1].Unverified {
		t.Errorf("got limits %+v", a.Limits)
	}
	if s.Target != "http://127.0.0.1:1/prefix" || s.Stop[0].Share != 0.2 || s.Groups[0].Exclusive || s.Groups[0].Sources != nil {
		t.Errorf("got %+v", s)
	}
	s, err = Load("f", []byte(around("promise: {limit: 1/s}, requests: [GET /], pacing: [{find-capacity: {}}]")), world())
	if err != nil || s.Groups[0].Pacing[0].Search.To != usualSearch.To {
		t.Errorf("find-capacity: got %v, %v, want the usual search", s, err)
	}
}
