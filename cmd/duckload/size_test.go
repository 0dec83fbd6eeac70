package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"duckload/emulator"
	"duckload/scenarios"
	"duckload/sizing"
	"duckload/trace"
)

// A recording is replayed against the emulator: it rejects as many as its size
// said, whichever limit of the table it meets.
func TestAReplayIsRejectedAsSized(t *testing.T) {
	for _, group := range []string{"metrics", "signup", "newsletter", "pageview"} {
		requests := map[string]int{"metrics": 500, "signup": 200, "newsletter": 200, "pageview": 3000}[group]
		random := rand.New(rand.NewPCG(7, uint64(len(group))))
		var text strings.Builder
		at := 0.0
		for range requests {
			if random.IntN(40) == 0 {
				at += random.ExpFloat64() * 2
			} else {
				at += random.ExpFloat64() / 200
			}
			fmt.Fprintf(&text, "%.6f\n", at)
		}
		s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
		if err != nil {
			t.Fatal(err)
		}
		var promise = s.Groups[0].Promise
		var request string
		for _, g := range s.Groups {
			if g.Name == group {
				promise = g.Promise
				request = fmt.Sprintf("%s: %s\n        json: {email: \"${unique.email}\", password: x, page: /, referrer: x}", g.Requests[0].Method, g.Requests[0].Path)
				if g.Requests[0].Method == "GET" {
					request = fmt.Sprintf("GET: %s", g.Requests[0].Path)
				}
			}
		}
		limit := promise.Limits[0]
		spool := trace.NewSpool(t.TempDir())
		if _, err := trace.Scan("t", strings.NewReader(text.String()), trace.Options{}, func(r trace.Request) bool { return spool.Add(r.At, r.Key) == nil }); err != nil {
			t.Fatal(err)
		}
		if err := spool.Seal(); err != nil {
			t.Fatal(err)
		}
		answer, err := sizing.Size(spool, sizing.Question{Documented: &limit})
		if err != nil {
			t.Fatal(err)
		}
		want := answer.Views[0].Documented.Rejected

		source := fmt.Sprintf(`version: 1
name: replay
target: emulator
identities: {beak: {headers: {Authorization: Bearer demo}}}
groups:
  %s:
    promise: {limit: %d/%s, burst: %d}
    identity: beak
    requests:
      - %s
    pacing: [{replay: t.csv}]
`, group, limit.Limit, limit.Window, limit.Burst, request)
		replay, err := scenarios.Load("replay.yaml", []byte(source), scenarios.Env{ReadFile: func(string) ([]byte, error) { return []byte(text.String()), nil }})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := scenarios.Compile(replay, scenarios.CompileOptions{Run: "01TEST", Loopback: true})
		if err != nil {
			t.Fatal(err)
		}
		f := inVirtualTime(t, plan, emulator.SpaceDuck())
		// The road is as long for every request, so the emulator sees the gaps
		// of the recording; it rounds nothing.
		if got := f.Groups[0].Rejected; got != want || want == 0 {
			t.Errorf("%s, %v: %d of %d rejected, its size said %d", group, limit, got, requests, want)
		}
	}
}
