package scenarios

import (
	"testing"
	"time"

	"duckload/limiter"
)

// A burst at a bucket with one token: the rejections were answered before the
// admission, though the limiter decided that one first. They prove nothing
// about the next token, which comes one interval after the one before.
func TestRejectionsOfABurstDoNotMoveTheForecast(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	p := Phase{Limit: limiter.Limit{Limit: 5, Window: time.Minute, Burst: 2, Reading: limiter.TokenBucket}, Lanes: []int{0}}
	answer := func(sent, took time.Duration, o limiter.Outcome) Seen {
		return Seen{Intended: sent, Sent: sent, Answered: sent + took, Outcome: o}
	}
	v := View{Now: 26 * s, Seen: []Seen{
		answer(12*s, ms, limiter.Admitted),
		answer(24*s, ms, limiter.Admitted),
		answer(24*s+250*ms, ms, limiter.Rejected),
		answer(24*s+250*ms+1, ms, limiter.Rejected),
		answer(24*s+250*ms+2, 2*ms, limiter.Admitted),
	}}
	f := forecastOf(p, v)
	if token := 36 * s; f.early > token || f.late < token || f.late > token+5*ms || f.refused != 0 {
		t.Errorf("the next token: got %s to %s (%d refused), want about %s", f.early, f.late, f.refused, token)
	}
}
