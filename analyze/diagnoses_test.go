package analyze

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"duckload/history"
)

// A diagnosis is a hint beside a proof: what an honest limiter did gets none,
// neither from a check that passes nor from one that stays open.
func TestHonestHistoriesGetNoDiagnosis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, promise := drawStage(t)
		s.tell = rapid.SampledFrom(s.tellers()).Draw(t, "tell")
		all := s.play(drawMoments(t, s.limit), 60)
		for i := range all {
			all[i].Done = max(all[i].Done, all[i].Sent) // the last ones nobody waited for
		}
		header := caseOf(promise, slices.Clone(all)).Header
		f, err := Judge(history.Of(*header, all, &history.End{Complete: true, Offered: len(all)}))
		if err != nil {
			t.Fatal(err)
		}
		c := caseOf(promise, all)
		for _, x := range f.Groups[0].Findings {
			if x.Outcome == Fail {
				t.Fatalf("%s fails: %s", x.Check, x.Message)
			}
		}
		before := slices.Clone(f.Groups[0].Findings)
		c.diagnose(f.Groups[0].Findings)
		for i, x := range f.Groups[0].Findings {
			if x.Message != before[i].Message {
				t.Fatalf("%s: got a diagnosis of nothing: %s", x.Check, x.Message)
			}
		}
	})
}
