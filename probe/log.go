package probe

// logExplains: one more than the limit takes longer than the window, and a
// rejection has the limit behind it.
func logExplains(consuming bool) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		counted := t.spent
		if consuming {
			counted = t.all
		}
		n := int(b[limit].hi)
		for j := n; j < t.admitted.len(); j++ {
			if t.admitted.to[j]-t.admitted.from[j-n] < b[window].lo {
				return false
			}
		}
		for i := range t.batches {
			a := &t.batches[i]
			for j := range a.rejected.len() {
				perhaps := counted.begunBy(a.rejected.to[j]) - above(counted.to, a.rejected.from[j]-b[window].hi)
				if consuming {
					perhaps-- // itself
				}
				if float64(perhaps) < b[limit].lo {
					return false
				}
			}
			if consuming && i > 0 && !t.roomInLog(a, b) {
				return false
			}
		}
		return true
	}
}

// roomInLog reports whether the first admission of a batch may have found room
// in a log that notes rejected requests, too.
func (t *track) roomInLog(a *batch, b *box) bool {
	if a.admitted.len() == 0 {
		return true
	}
	before := t.known.overBefore(a.firstFrom) - above(t.known.from, a.admitted.to[a.admitted.len()-1]-b[window].lo)
	return float64(before) < b[limit].hi
}
