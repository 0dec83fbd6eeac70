package analyze

import (
	"testing"
	"time"

	"duckload/limiter"
)

// What a witness counts, and what it sets beside that, are of one kind: the
// requests of a stretch, or what may have been spent before a rejection.
func TestTheNumbersOfABurstsWitnessAreComparable(t *testing.T) {
	promised := limiter.Limit{Limit: 60, Window: time.Minute, Burst: 20, Reading: limiter.TokenBucket}
	run := func(burst int64) *Witness {
		real := promised
		real.Burst = burst
		a := askerOf(t, "token-bucket", real, 1)
		for i := range 4 {
			a.burst(time.Duration(i)*40*time.Second, 30)
		}
		for i := range 200 {
			a.at(170*time.Second + time.Duration(i)*100*time.Millisecond)
		}
		f := verdicts(t, recordOf(promised, a.answers()))["limit.burst"]
		if f.Outcome != Fail {
			t.Fatalf("burst %d: got %s (%s), want fail", burst, f.Outcome, f.Message)
		}
		return f.Witness
	}
	if w := run(21); float64(w.Counted) <= w.Allowed || w.Allowed < 20 || w.Allowed > 21 {
		t.Errorf("got %d counted where %.2f are allowed (%s); want more than the burst and its refill, which is less than one", w.Counted, w.Allowed, w.Sentence)
	}
	if w := run(19); w.Allowed != 19 || float64(w.Counted) > w.Allowed {
		t.Errorf("got %d counted where %.2f are allowed (%s); want no more than leaves one request of 20", w.Counted, w.Allowed, w.Sentence)
	}
}
