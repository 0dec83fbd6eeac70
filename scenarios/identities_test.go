package scenarios

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

const crowdText = `version: 1
target: emulator
identities:
  users:
    file: %s
    headers: {Authorization: "Bearer ${identity.key}"}
    query: {who: "${identity.name}"}
groups:
  g:
    promise: {limit: 1/s, burst: 2, scope: key}
    identity: users
    setup:
      - POST: /login
        json: {name: "${identity.name}", key: "${identity.key}"}
        capture: {token: {json: data.token}, id: {header: X-Id}}
    requests:
      - GET: /u/${identity.key}
        headers: {X-Token: "${capture.token}"}
      - {POST: /f, file: body.json, weight: 2}
    teardown: ["DELETE /session/${capture.id}"]
    pacing: [{burst: 4}]
`

func TestIdentitiesComeFromFiles(t *testing.T) {
	for file, key := range map[string]string{"users.csv": "k/bob 2", "users.yaml": "12345", "users.json": "12345"} {
		s, err := Load("f", fmt.Appendf(nil, crowdText, file), world())
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(s, CompileOptions{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Lanes) != 2 || plan.Lanes[1].Identity != "users.2" || len(plan.Tracks) != 2 {
			t.Fatalf("%s: lanes %v in %d tracks, want one of each for users.1 and users.2", file, plan.Lanes, len(plan.Tracks))
		}
		m := plan.MessageWith(1, 0, map[string]string{"token": "t-2"})
		path := "/u/" + strings.NewReplacer("/", "%2F", " ", "%20").Replace(key) + "?who=bob"
		if m.Path != path || fmt.Sprint(m.Headers) != "[{Authorization Bearer "+key+"} {X-Token t-2}]" {
			t.Errorf("%s: got %+v, want path %s", file, m, path)
		}
		if m := plan.Message(0, 1); m.Body != "{\"a\": \"${seq}\"}\n" || m.Headers[0] != (Header{"Content-Type", "application/json"}) {
			t.Errorf("%s: got %+v, want the file as it is", file, m)
		}
		if all := strings.Join(s.Secrets(), "|"); !strings.Contains(all, key) || strings.Contains(all, "bob|") {
			t.Errorf("%s: secrets %q, want the key and no word of three letters", file, all)
		}
	}
}

func TestErrandsAreOfEachIdentityThatSends(t *testing.T) {
	s, err := Load("f", fmt.Appendf(nil, crowdText, "users.csv"), world())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Scenario.Groups[0].Fresh {
		t.Error("the group is fresh after a setup, which may have spent its allowance")
	}
	errands := plan.Errands()
	if len(errands) != 2 || errands[1].Lane != 1 || errands[1].Identity != "users.2" || plan.ErrandRequests() != 4 {
		t.Fatalf("got %+v with %d requests, want one for each of two identities, with two each", errands, plan.ErrandRequests())
	}
	if m := plan.SetupMessage(errands[1], 0, nil); m.Path != "/login?who=bob" || m.Body != `{"name":"bob","key":"k/bob 2"}` {
		t.Errorf("setup: got %+v", m)
	}
	if m := plan.TeardownMessage(errands[1], 0, map[string]string{"id": "a/b"}); m.Path != "/session/a%2Fb?who=bob" {
		t.Errorf("teardown: got %+v", m)
	}
	s.Budget.Requests = 11 // 2 × 4, and 4 for the errands
	if _, err := Compile(s, CompileOptions{Run: "r"}); err == nil || !strings.Contains(err.Error(), "comes to 12 requests here; the budget is 11") {
		t.Errorf("got %v, want setup and teardown to count", err)
	}
}

func TestThousandsOfIdentitiesAreOneLookupEach(t *testing.T) {
	const n = 5000
	var b bytes.Buffer
	b.WriteString("name,key\n")
	for i := range n {
		fmt.Fprintf(&b, "user%d,key-%d\n", i, i)
	}
	env := world()
	env.Open = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	s, err := Load("f", fmt.Appendf(nil, crowdText, "many.csv"), env)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Lanes) != n || len(plan.Errands()) != n {
		t.Fatalf("%d lanes, %d errands, want %d", len(plan.Lanes), len(plan.Errands()), n)
	}
	if m := plan.Message(n-1, 0); !strings.HasSuffix(m.Path, "?who=user4999") {
		t.Errorf("got %q, want the last user", m.Path)
	}
}

// A file of identities may hold anything. What is read of it keeps to the
// bounds; what is wrong is said in one line that holds no value of the file.
func FuzzIdentities(f *testing.F) {
	for name, kind := range map[string]uint8{"users.csv": 0, "users.yaml": 1, "users.json": 2} {
		f.Add([]byte(files[name]), kind)
	}
	f.Add([]byte("- &a {name: x}\n- *a\n- {<<: *a, key: y}\n"), uint8(1))
	f.Add([]byte("a: &a [*a, *a]\n"), uint8(1))
	f.Add([]byte(`[{"a": 1e999}]`), uint8(2))
	f.Add([]byte("a,a\n1,2\n"), uint8(0))
	f.Fuzz(func(t *testing.T, text []byte, kind uint8) {
		rows, err := parseRows("f"+[]string{".csv", ".yaml", ".json"}[kind%3], text)
		if err == nil {
			err = sensible(rows)
		}
		if err != nil {
			if said := oneLine(err); said == "" || strings.ContainsAny(said, "\n\r") {
				t.Errorf("got %q, want one line", said)
			}
			return
		}
		for _, row := range rows {
			for name, value := range row {
				if !columnName.MatchString(name) || strings.ContainsAny(value, "\r\n\x00") {
					t.Errorf("got the column %q with %q", name, value)
				}
			}
		}
	})
}
