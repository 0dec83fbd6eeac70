package scenarios_test

import (
	"os/exec"
	"strings"
	"testing"

	"duckload/scenarios"
)

// What a person is told to type goes through a real shell, and arrives as what
// the run sent: but for the secrets, which the person sets.
func TestACurlLineReachesCurlAsItWasMeant(t *testing.T) {
	const text = `
version: 1
name: shop
target: http://127.0.0.1:1
identities:
  alice:
    headers: {Authorization: "Bearer ${env:KEY}", X-Team: "${env:TEAM:-blue}", X-Literal: "it's $HOME"}
groups:
  orders:
    promise: {limit: 10/min, burst: 5}
    identity: alice
    requests:
      - POST: "/orders/${seq}"
        json: {email: "${unique.email}", note: "it's \"quoted\" $(id)"}
        query: {page: "a b", key: "${env:KEY}"}
`
	env := scenarios.Env{Lookup: func(name string) (string, bool) {
		if name == "KEY" {
			return "s3cret-value", true
		}
		return "", false
	}}
	s, err := scenarios.Load("shop.yaml", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	options, path := s.Curl(0, 0)
	who := s.CurlIdentity("alice")
	line := strings.Join([]string{options, who, "http://127.0.0.1:1" + path}, " ")
	if strings.Contains(line, "s3cret") {
		t.Errorf("a secret is in %s", line)
	}
	got := words(t, line)
	want := []string{
		"-X", "POST", "-H", "Content-Type: application/json", "--data", "", "-H", "Authorization: Bearer its own", "-H", "X-Team: blue",
		"-H", "X-Literal: it's $HOME", "http://127.0.0.1:1/orders/1?page=a+b&key=its own",
	}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if i != 5 && got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	if body := got[5]; !strings.Contains(body, `"note":"it's \"quoted\" $(id)"`) || !strings.Contains(body, "@example.com") {
		t.Errorf("got the body %s", body)
	}
}

// words lets a shell take a line apart.
func words(t *testing.T, line string) []string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `for word in `+line+`; do printf '%s\n' "$word"; done`)
	cmd.Env = []string{"KEY=its own"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, line, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
