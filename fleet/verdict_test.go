package fleet

import (
	"testing"
	"time"

	"duckload/analyze"
	"duckload/emulator"
	"duckload/history"
)

// Over links that are slow, uneven and jittered, several agents never say
// what one machine would not: a promise that is kept does not fail, and one
// that is never enforced does not pass.
func TestVerdictsOverBadLinksAreNeverWrong(t *testing.T) {
	t.Parallel()
	bad := []link{
		{jitter: 20 * time.Millisecond},
		{there: 20 * time.Millisecond, jitter: 10 * time.Millisecond},
		{back: 30 * time.Millisecond, jitter: 5 * time.Millisecond},
	}
	for name, defects := range map[string][]string{"kept": nil, "never enforced": {"never-enforced"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "{burst: 130}, {hold: 27/s, for: 2s}")
			s.inner = emulated(t, defects)
			for i, l := range bad {
				s.agent(names(len(bad))[i], s.link(l), nil)
			}
			if _, missing := s.conduct(t.Context(), "run", len(bad)); len(missing) > 0 {
				t.Fatalf("missing: %q", missing)
			}
			h, err := history.Open(s.collected("run"))
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range h.Header.Agents {
				t.Logf("agent %s: ±%v %s", a.Name, a.Bound, a.Unbounded)
			}
			found, err := analyze.Judge(h)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range found.Groups {
				for _, c := range g.Findings {
					t.Logf("%s %s %s", c.Outcome, c.Check, c.Message)
					if defects == nil && c.Outcome == analyze.Fail && c.Check != "latency" {
						t.Errorf("a promise that is kept fails %s: %s", c.Check, c.Message)
					}
					if defects != nil && c.Outcome == analyze.Pass && c.Check == "limit.ceiling" {
						t.Errorf("a limit that is never enforced passes %s: %s", c.Check, c.Message)
					}
				}
			}
			t.Logf("%s", found.Outcome)
		})
	}
}

// emulated returns the Space Duck API with windows of two seconds.
func emulated(t *testing.T, defects []string) *emulator.Server {
	t.Helper()
	config := emulator.SpaceDuck()
	for _, name := range defects {
		d, err := emulator.DefectNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		config = d.Apply(config)
	}
	server, err := emulator.New(config.Scaled(2 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return server
}
