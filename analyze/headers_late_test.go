package analyze

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// However a best effort keeps a stepped bucket, within what it may be off by,
// no time until that is full is further away than any that it may mean. A bucket
// of 26 for 25 takes a sixth step of 5.
func TestTheLongestResetAllowsForAStepMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := limiter.Limit{
			Reading: limiter.SteppedBucket, Limit: rapid.Int64Range(1, 50).Draw(t, "limit"), Burst: rapid.Int64Range(1, 50).Draw(t, "burst"),
			Window: rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, time.Minute}).Draw(t, "window"), Tolerance: rapid.SampledFrom([]float64{0, 0.05, 0.3}).Draw(t, "tolerance"),
		}
		enforced := l
		enforced.Limit = rapid.Int64Range(int64(math.Ceil(float64(l.Limit)*(1-l.Tolerance))), l.Limit).Draw(t, "enforced limit")
		enforced.Burst = rapid.Int64Range(l.Burst, int64(float64(l.Burst)*(1+l.Tolerance))).Draw(t, "enforced burst")
		if off := rapid.Float64Range(1, 1/(1-l.Tolerance)).Draw(t, "slower"); enforced.Limit >= l.Limit {
			enforced.Window = time.Duration(float64(l.Window) * off)
		}
		full := time.Duration(math.Ceil(float64(enforced.Burst)/float64(enforced.Limit))) * enforced.Window
		if most := longestReset(l); full > most {
			t.Fatalf("%v for %v is full after %s, want at most %s", enforced, l, full, most)
		}
	})
}
