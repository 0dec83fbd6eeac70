package analyze

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// Looking whether there is a witness finds what looking for it finds.
func TestARuleIsBrokenWhereAWitnessIsFound(t *testing.T) {
	broken := 0
	rapid.Check(t, func(t *rapid.T) {
		rows := drawTangle(t, 40)
		l := limiter.Limit{
			Limit: rapid.Int64Range(1, 6).Draw(t, "limit"), Window: time.Duration(rapid.IntRange(2, 8).Draw(t, "window")),
			Burst: rapid.Int64Range(1, 6).Draw(t, "burst"), Reading: rapid.SampledFrom(limiter.Readings).Draw(t, "reading"), Granularity: 1,
		}
		s := strand{rows: rows, lag: stale(l.Clock())}
		spans := s.spans(admittedRow)
		for _, r := range envelope(l) {
			_, found := spans.exceed(r)
			if got := s.exceeds([]rule{r}); got != found {
				t.Fatalf("%+v: got %t, want %t\n%v", r, got, found, rows)
			}
			if found {
				broken++
			}
		}
	})
	if broken == 0 {
		t.Error("no rule was broken; a test that sees none cannot fail")
	}
}

// What is lost may have been admitted, too.
func TestTheCeilingOfABrokenRecordIsOpen(t *testing.T) {
	l := limiter.Limit{Limit: 10, Window: time.Minute, Burst: 5, Reading: limiter.TokenBucket}
	a := askerOf(t, "token-bucket", l, 1)
	a.burst(0, 8)
	h := recordOf(l, a.answers())
	if f := verdicts(t, h)["limit.ceiling"]; f.Outcome != Pass {
		t.Errorf("got %s (%s), want pass", f.Outcome, f.Message)
	}
	h.Missing = []string{"a segment is lost"}
	if f := verdicts(t, h)["limit.ceiling"]; f.Outcome != Inconclusive {
		t.Errorf("with a hole in the record: got %s (%s), want inconclusive", f.Outcome, f.Message)
	}
	l.Burst = 4
	h = recordOf(l, a.all)
	h.Missing = []string{"a segment is lost"}
	if f := verdicts(t, h)["limit.ceiling"]; f.Outcome != Fail {
		t.Errorf("with a hole in the record, and too many beside it: got %s (%s), want fail", f.Outcome, f.Message)
	}
}
