package limiter

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// envelopes are the most requests that any closed interval of some length may
// admit, written with rationals and apart from the models.
var envelopes = map[string]func(l Limit, length time.Duration) *big.Rat{
	"token-bucket": func(l Limit, length time.Duration) *big.Rat {
		return plus(l.Burst, refill(l, length))
	},
	"stepped-bucket": func(l Limit, length time.Duration) *big.Rat {
		return plus(l.Burst+l.Limit*(int64(length/l.Window)+1), new(big.Rat))
	},
	"fixed-window": func(l Limit, length time.Duration) *big.Rat {
		return plus(l.Limit*(int64((length+l.Window-1)/l.Window)+1), new(big.Rat))
	},
	"anchored-window": func(l Limit, length time.Duration) *big.Rat {
		return plus(l.Limit*(int64((length+l.Window-1)/l.Window)+1), new(big.Rat))
	},
	"sliding-log": func(l Limit, length time.Duration) *big.Rat {
		return plus(l.Limit*(int64(length/l.Window)+1), new(big.Rat))
	},
	"sliding-counter": func(l Limit, length time.Duration) *big.Rat {
		return plus(l.Limit, refill(l, length))
	},
	"leaky-queue": func(l Limit, length time.Duration) *big.Rat {
		return plus(l.Burst, refill(l, length))
	},
}

func refill(l Limit, length time.Duration) *big.Rat {
	return new(big.Rat).Mul(big.NewRat(l.Limit, int64(l.Window)), big.NewRat(int64(length), 1))
}

func plus(n int64, r *big.Rat) *big.Rat { return r.Add(r, big.NewRat(n, 1)) }

func TestNoIntervalAdmitsMoreThanTheEnvelope(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		if m.Reading == Concurrency {
			return // how many it admits in a time depends on how long they take
		}
		envelope, ok := envelopes[m.Name]
		if !ok {
			t.Fatalf("no envelope for %s", m.Name)
		}
		s := drawStory(t, m, drawLimit(t))
		for i, from := range s.admitted {
			for j, to := range s.admitted[i:] {
				if big.NewRat(int64(j+1), 1).Cmp(envelope(s.limit, to-from)) > 0 {
					t.Fatalf("%+v: %d admitted in %d ns, want at most %s", s.limit, j+1, to-from, envelope(s.limit, to-from).FloatString(3))
				}
			}
		}
	})
}

// What a sliding log or counter admits, a bucket of the same limit admits; what
// a fixed window admits, a bucket of twice the burst does.
func TestABucketCoversTheWindows(t *testing.T) {
	covers := map[string]int64{"sliding-log": 1, "sliding-counter": 1, "fixed-window": 2, "anchored-window": 2}
	for _, m := range Models {
		times, ok := covers[m.Name]
		if !ok {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := drawStory(t, m, drawLimit(t))
				l := s.limit
				l.Burst, l.RejectsConsume = times*l.Limit, false
				bucket, err := tokenBucket.New(l)
				if err != nil {
					t.Fatal(err)
				}
				for _, at := range s.admitted {
					var d Decision
					if d, bucket = bucket.Take(at); !d.OK {
						t.Fatalf("%+v: a bucket of %d refuses what was admitted at %d", l, l.Burst, at)
					}
				}
			})
		})
	}
}

func TestModelsThatNoProbeTellsApart(t *testing.T) {
	one := func(l Limit) Limit { l.Limit, l.Burst, l.RejectsConsume = 1, 1, false; return l }
	same := func(l Limit) Limit { l.Burst, l.RejectsConsume = l.Limit, false; return l }
	for _, pair := range []struct {
		name  string
		a, b  Model
		limit func(Limit) Limit
	}{
		{"one per window: bucket and log", tokenBucket, slidingLog, one},
		{"one per window: log and anchored window", slidingLog, anchoredWindow, one},
		{"a window is a bucket filled in one step", fixedWindow, steppedBucket, same},
	} {
		t.Run(pair.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				l := pair.limit(drawLimit(t))
				a, _ := pair.a.New(l)
				b, _ := pair.b.New(l)
				var at time.Duration
				var seen Decision
				for range 50 {
					at += drawGap(t, l, seen)
					var other Decision
					seen, a = a.Take(at)
					other, b = b.Take(at)
					seen.Reset, other.Reset = 0, 0 // whole, but for an unused part of a window
					if seen != other {
						t.Fatalf("%+v at %d: %s says %+v, %s says %+v", l, at, pair.a.Name, seen, pair.b.Name, other)
					}
				}
			})
		})
	}
}
