package probe

import "math"

// Axes of a bucket.
const (
	burst = iota // requests
	token        // ns
)

// bucketExplains follows GCRA's theoretical arrival time, of which only an
// interval is known (theory: T5). Within a batch the order of decisions is not
// known, so sorted starts and ends stand for them; the arrival time never
// falls, which is why a rejection says something about the end of its batch.
func bucketExplains(consuming bool) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		low, high := math.Inf(-1), math.Inf(-1)
		tauLow, tauHigh := (b[burst].lo-1)*b[token].lo, (b[burst].hi-1)*b[token].hi
		for i := range t.batches {
			a := &t.batches[i]
			for j := range a.admitted.len() {
				if low > a.admitted.to[j]+tauHigh {
					return false
				}
				low = max(low, a.admitted.from[j]) + b[token].lo
			}
			for j := range a.spent.len() {
				// A decision with a higher arrival time would have been a rejection.
				high = max(min(high, a.spent.to[j]+tauHigh), a.spent.to[j]) + b[token].hi
			}
			n := a.rejected.len()
			if n == 0 {
				continue
			}
			first, last := a.rejected.from[0], a.rejected.from[n-1]
			if consuming {
				if high <= first+tauLow {
					return false
				}
				low = max(low, last+tauLow+b[token].lo)
				high = max(high, a.rejected.to[n-1]+tauHigh+b[token].hi)
				continue
			}
			if high <= last+tauLow {
				return false
			}
			low = max(low, last+tauLow)
			if low > high {
				return false
			}
		}
		return true
	}
}
