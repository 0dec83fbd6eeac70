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
		if !t.notTooMany(b) || !consuming && !t.allSpent(b) {
			return false
		}
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
			if consuming && a.doubtful() { // perhaps it was rejected
				high = max(high, a.lastTo+tauHigh+b[token].hi)
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
				// A request of the batch that was admitted after the rejection
				// finds the arrival time as late as an admission allows.
				latest := a.rejected.to[n-1]
				if m := a.spent.len(); m > 0 && a.spent.to[m-1] > first {
					latest = max(latest, a.spent.to[m-1])
				}
				high = max(high, latest+tauHigh+b[token].hi)
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

// notTooMany compares how many were admitted with what any bucket of the box
// holds and gains. It is less exact than the arrival time where the time of a
// token is known, and says more where it is not.
func (t *track) notTooMany(b *box) bool {
	best := math.Inf(-1) // of the stretch that ends here: admissions less tokens gained
	for j := range t.admitted.len() {
		best = max(best, t.admitted.from[j]/b[token].lo-float64(j))
		if float64(j+1)+best > b[burst].hi+t.admitted.to[j]/b[token].lo {
			return false
		}
	}
	return true
}

// allSpent compares in the same way how many may have been spent before a
// rejection with what it takes to empty a bucket.
func (t *track) allSpent(b *box) bool {
	fullest, next := math.Inf(-1), 0
	for i := range t.batches {
		r := &t.batches[i].rejected
		for j := range r.len() {
			for next < t.spent.len() && t.spent.from[next] <= r.to[j] {
				fullest = max(fullest, t.spent.to[next]/b[token].hi-float64(next))
				next++
			}
			if !(float64(next)+fullest-r.from[j]/b[token].hi > b[burst].lo-1) {
				return false
			}
		}
	}
	return true
}
