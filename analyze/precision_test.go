package analyze_test

import (
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/emulator"
	"duckload/limiter"
)

// A rate that is 0.4 % slow, as nginx keeps 10r/m, is found by who asks for
// ±0.2 %, and the message says by how much it is off.
func TestAPrecisionIsReached(t *testing.T) {
	plan := planOf(t, `
version: 1
target: emulator
groups:
  signup:
    promise: {limit: 10/min, burst: 5, scope: ip, precision: 0.2%}
    on_reject: {status: 429, retry_after: required}
    requests: [{POST: /beak/signup, json: {email: "${unique.email}", password: "${unique.password}"}}]
    admitted: [2xx, 409]
`)
	for _, c := range []struct {
		window time.Duration // of ten tokens
		want   analyze.Verdict
		says   string
	}{
		{time.Minute, analyze.Pass, "measured for 10/min (−0."},
		{time.Minute * 1000 / 996, analyze.Fail, "measured for 10/min (−0."},
	} {
		config := emulator.SpaceDuck()
		for i, g := range config.Groups {
			if g.Name == "signup" {
				config.Groups[i].Limits = []limiter.Limit{{Limit: 10, Window: c.window, Burst: 5, Scope: limiter.ScopeIP, Reading: limiter.TokenBucket}}
			}
		}
		f := judged(t, emulated(t, plan, config, 3))
		for _, x := range f.Groups[0].Findings {
			if x.Check == "limit.rate" && (x.Outcome != c.want || !strings.Contains(x.Message, c.says)) {
				t.Errorf("%s: got %s: %s, want %s: …%s…", c.window, x.Outcome, x.Message, c.want, c.says)
			}
			if x.Check == "limit.rate" {
				t.Log(x.Message)
			}
		}
	}
}
