package scenarios

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// Whatever was sent, and whenever in its interval it was decided: when the
// rest is over, everything is there.
func TestARefilledAllowanceIsWhole(t *testing.T) {
	for _, m := range limiter.Models {
		t.Run(m.Name, rapid.MakeCheck(func(t *rapid.T) {
			l := limiter.Limit{
				Limit:          rapid.Int64Range(1, 20).Draw(t, "limit"),
				Window:         time.Duration(rapid.Int64Range(1e6, 20e9).Draw(t, "window")),
				Reading:        m.Reading,
				RejectsConsume: rapid.Bool().Draw(t, "rejects consume"),
			}
			if m.Reading == limiter.TokenBucket || m.Reading == limiter.SteppedBucket || m.Reading == limiter.LeakyQueue {
				l.Burst = rapid.Int64Range(1, 30).Draw(t, "burst")
			}
			state, err := m.New(l)
			if err != nil {
				t.Fatal(err)
			}
			p := Phase{Pace: "refill", Limit: l, Lanes: []int{0}}
			v := View{Phase: 1}
			for range rapid.IntRange(1, 60).Draw(t, "requests") {
				v.Now += time.Duration(rapid.Int64Range(1, int64(l.Window)/3+1).Draw(t, "pause"))
				s := Seen{Intended: v.Now, Sent: v.Now, RetryAfter: -1}
				v.Now += time.Duration(rapid.Int64Range(0, 1e7).Draw(t, "up"))
				var d limiter.Decision
				d, state = state.Take(v.Now)
				if v.Now += d.Delay; d.OK {
					state = limiter.Release(state)
				}
				v.Now += time.Duration(rapid.Int64Range(0, 1e7).Draw(t, "down"))
				if s.Answered = v.Now; d.OK {
					s.Outcome = limiter.Admitted
				} else {
					s.Outcome = limiter.Rejected
				}
				v.Seen = append(v.Seen, s)
			}
			move := refill.Next(p, v)
			at := max(move.Wake, v.Now)
			for i := range l.Capacity() {
				var d limiter.Decision
				if d, state = state.Take(at); !d.OK {
					t.Fatalf("request %d of %d at %v was rejected; the last answer came at %v", i+1, l.Capacity(), at, v.Now)
				}
			}
			if most := v.Now + l.FullRest()*2 + time.Second; at > most {
				t.Fatalf("rests until %v, want %v at most", at, most)
			}
		}))
	}
}
