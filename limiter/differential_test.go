package limiter

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/throttled/throttled/v2"
	"golang.org/x/time/rate"
	"pgregory.net/rapid"
)

// x/time/rate counts in floats, which are exact for powers of two.
func TestABucketAgreesWithXTimeRate(t *testing.T) {
	const step = time.Second / 512
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Limit: 1 << rapid.IntRange(0, 9).Draw(t, "limit"), Window: time.Second, Burst: rapid.Int64Range(1, 40).Draw(t, "burst")}
		ours, err := tokenBucket.New(l)
		if err != nil {
			t.Fatal(err)
		}
		theirs := rate.NewLimiter(rate.Limit(l.Limit), int(l.Burst))
		epoch := time.Unix(1000, 0)
		var at time.Duration
		for range 100 {
			at += step * time.Duration(rapid.Int64Range(0, 600/l.Limit+2).Draw(t, "steps"))
			var d Decision
			d, ours = ours.Take(at)
			if ok := theirs.AllowN(epoch.Add(at), 1); d.OK != ok {
				t.Fatalf("%+v at %s: %v, want %v as x/time/rate", l, at, d.OK, ok)
			}
			if left := theirs.TokensAt(epoch.Add(at)); d.Remaining != int64(left) {
				t.Fatalf("%+v at %s: %d remaining, want %v as x/time/rate", l, at, d.Remaining, left)
			}
		}
	})
}

// throttled keeps the time between two tokens in whole nanoseconds.
func TestABucketAgreesWithThrottled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Limit: rapid.Int64Range(1, 50).Draw(t, "limit"), Burst: rapid.Int64Range(1, 40).Draw(t, "burst")}
		l.Window = time.Duration(l.Limit * rapid.Int64Range(1, 1000).Draw(t, "interval"))
		ours, err := tokenBucket.New(l)
		if err != nil {
			t.Fatal(err)
		}
		store := &gcraStore{now: time.Unix(1000, 0)}
		theirs, err := throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{
			MaxRate:  throttled.PerDuration(int(l.Limit), l.Window),
			MaxBurst: int(l.Burst) - 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		var at time.Duration
		var d Decision
		for range 100 {
			gap := drawGap(t, l, d)
			at += gap
			store.now = store.now.Add(gap)
			d, ours = ours.Take(at)
			limited, want, err := theirs.RateLimitCtx(context.Background(), "", 1)
			if err != nil {
				t.Fatal(err)
			}
			if d.OK == limited || d.Remaining != int64(want.Remaining) || d.Reset != want.ResetAfter {
				t.Fatalf("%+v at %d: %+v, want limited %v and %+v as throttled", l, at, d, limited, want)
			}
			if limited && d.Wait != want.RetryAfter {
				t.Fatalf("%+v at %d: wait %d, want %d as throttled", l, at, d.Wait, want.RetryAfter)
			}
		}
	})
}

// A gcraStore holds the one number of one key, under a clock that is set.
type gcraStore struct {
	now   time.Time
	value int64
	set   bool
}

func (s *gcraStore) GetWithTime(context.Context, string) (int64, time.Time, error) {
	if !s.set {
		return -1, s.now, nil
	}
	return s.value, s.now, nil
}

func (s *gcraStore) SetIfNotExistsWithTTL(_ context.Context, _ string, v int64, _ time.Duration) (bool, error) {
	s.value, s.set = v, true
	return true, nil
}

func (s *gcraStore) CompareAndSwapWithTTL(_ context.Context, _ string, old, v int64, _ time.Duration) (bool, error) {
	if s.value != old {
		return false, nil
	}
	s.value = v
	return true, nil
}

// The definition, in rationals: level ← min(B, level + r·t), less one if there
// is one; a refused request takes what there is, if rejects consume.
func TestABucketAgreesWithItsDefinition(t *testing.T) {
	one := big.NewRat(1, 1)
	rapid.Check(t, func(t *rapid.T) {
		l := drawLimit(t)
		ours, err := tokenBucket.New(l)
		if err != nil {
			t.Fatal(err)
		}
		level := big.NewRat(l.Burst, 1)
		var at time.Duration
		var d Decision
		for range 60 {
			gap := drawGap(t, l, d)
			at += gap
			if level.Add(level, refill(l, gap)); level.Cmp(big.NewRat(l.Burst, 1)) > 0 {
				level.SetInt64(l.Burst)
			}
			ok := level.Cmp(one) >= 0
			if ok {
				level.Sub(level, one)
			} else if l.RejectsConsume {
				level.SetInt64(0)
			}
			d, ours = ours.Take(at)
			if d.OK != ok {
				t.Fatalf("%+v at %d: %v, want %v", l, at, d.OK, ok)
			}
		}
	})
}
