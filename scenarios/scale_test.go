package scenarios

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// crowded is a scenario of so many identities, from a file.
func crowded(t *testing.T, identities int, pacing string) (*Scenario, error) {
	t.Helper()
	var users strings.Builder
	users.WriteString("key\n")
	for i := range identities {
		fmt.Fprintf(&users, "key-%08d\n", i)
	}
	env := world()
	env.ReadFile = func(string) ([]byte, error) { return []byte(users.String()), nil }
	return Load("f", []byte("version: 1\ntarget: emulator\nidentities: {users: {file: users.csv, headers: {X-Key: \"${identity.key}\"}}}\n"+
		"groups: {g: {identity: users, sources: [127.0.0.2], promise: {limit: 10/s, burst: 10, scope: key}, requests: [GET /x], pacing: ["+pacing+"]}}\n"), env)
}

// What is planned is described by phases, not by requests: a week takes no more
// memory than a second.
func TestAPlanOfAWeekIsSmall(t *testing.T) {
	size := func(length string) (bytes uint64, requests int) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := Load("f", []byte(around("promise: {limit: 1000/s, burst: 1000}, requests: [GET /], pacing: [{hold: 100/s, for: "+length+"}, {sine: {mean: 50/s, amplitude: 20/s, period: 1h}, for: "+length+"}]")), world())
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(s, CompileOptions{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		Describe(plan, 0)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, plan.Requests()
	}
	start := time.Now()
	size("1s") // what is made once
	little, few := size("1h")
	week, many := size("168h")
	if many < 90_000_000 || few*168 != many || week > 2*little+1<<20 {
		t.Errorf("%d requests take %d bytes, %d take %d: want as many bytes", few, little, many, week)
	}
	t.Logf("a week of %d requests: %d kB, %s for three plans", many, week>>10, time.Since(start))
}

// A record numbers senders and steps in 16 bits: what would not fit is an
// error, and not another sender's.
func TestMoreStepsThanARecordCanNameAreRefused(t *testing.T) {
	for steps, want := range map[int]bool{6: true, 7: false} {
		s, err := crowded(t, 10_000, strings.TrimSuffix(strings.Repeat("{burst: 1}, ", steps), ", "))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(s, CompileOptions{Run: "r"})
		if got := err == nil; got != want {
			t.Fatalf("10,000 senders of %d steps: got %v, want accepted: %t", steps, err, want)
		}
		if want && len(plan.Stretches()) != 60_000 {
			t.Errorf("got %d steps, want 60,000", len(plan.Stretches()))
		}
		if !want && !strings.Contains(err.Error(), "senders times steps come to 70000") {
			t.Errorf("got %v, want it to say how many", err)
		}
	}
}

// A thousand groups are a thousand times one, not a million.
func TestAThousandGroupsCompile(t *testing.T) {
	var text strings.Builder
	text.WriteString("version: 1\ntarget: emulator\ngroups:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  g%d: {promise: {limit: 10/s, burst: 5}, requests: [GET /g%d], pacing: [{burst: 6}, {hold: 80%%, for: 3s}]}\n", i, i)
	}
	s, err := Load("f", []byte(text.String()), world())
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	plan, err := Compile(s, CompileOptions{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	d := Describe(plan, 0)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; len(plan.Tracks) != 1000 || d.Requests != 30_000 || took > 200<<20 {
		t.Errorf("got %d tracks of %d requests with %d MB allocated, want 1,000 of 30,000 with at most 200", len(plan.Tracks), d.Requests, took>>20)
	}
}
