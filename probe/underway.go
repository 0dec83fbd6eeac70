package probe

import (
	"time"

	"duckload/limiter"
)

// underWayExplains: whoever is rejected found so many others under way. That
// an admitted one found fewer shows in nothing: how long each is under way on
// the server is not seen.
func underWayExplains(t *track, b *box) bool {
	for i := range t.batches {
		r := &t.batches[i].rejected
		for j := range r.len() {
			over, last := 0, r.from[j]
			over = countBelow(t.ended, last)
			if float64(t.spent.begunBy(r.to[j])-over) < b[limit].lo {
				return false
			}
		}
	}
	return true
}

// underWayModel foretells as if each were under way for a moment.
func underWayModel(at point) limiter.Limiter {
	return model("sliding-log", limiter.Limit{Limit: int64(at[limit]), Window: time.Millisecond})
}
