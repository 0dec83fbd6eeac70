package analyze

import (
	"fmt"
	"math"
	"time"

	"duckload/english"
	"duckload/limiter"
)

// judgeSufficientHeld judges the waits that queues and limits of requests at
// once told. A rejection there comes while others are under way, and each of
// them may have been decided later: whether a retry had to be admitted is the
// question of limit.floor.
func judgeSufficientHeld(c *Case) []Finding {
	f := Finding{Check: "retry_after.sufficient", Outcome: Inconclusive}
	told, obeyed, again, wrong := c.retries()
	switch {
	case told == 0 && c.Promise.Reject.RetryAfter == limiter.RetryAfterOptional:
		return nil
	case told == 0:
		f.Message = fmt.Sprintf("none of %s carried a Retry-After that can be read", english.Count(rejections(c), "rejection"))
	case len(wrong) > 0 && c.refutable():
		f = wrong[0].finding(c, 1)
		f.Message = fmt.Sprintf("%s sent as told and rejected again: %s", were(len(wrong), "retry", "retries"), f.Message)
	case obeyed > 0 && !c.Whole:
		f.Message = unwhole
	case obeyed > 0:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("%s sent within a second of the told moment and admitted", were(obeyed, "retry", "retries"))
		if again > 0 {
			f.Message += fmt.Sprintf("; %d rejected again, which others that were under way may explain", again)
		}
	default:
		f.Message = fmt.Sprintf("no told wait was put to the test: of %s none was followed within a second of the told moment by a request that was admitted", english.Count(told, "rejection"))
	}
	return []Finding{f}
}

// retries counts the rejections that told a wait, and the requests of the same
// lane that came within a second of a told moment, the first after it: admitted,
// rejected again, and rejected although there was certainly room.
func (c *Case) retries() (told, obeyed, again int, wrong []wrongful) {
	due := make([]underway, len(c.Header.Lanes)) // told moments of each lane that are to come
	certainly := map[uint32]wrongful{}
	all, _ := c.wronglyRejected()
	for _, w := range all {
		certainly[w.row.Ordinal] = w
	}
	for _, r := range c.Rows {
		if c.Header.Lanes[r.Lane].Group != c.Group {
			continue
		}
		moment := time.Duration(math.MinInt64) // the latest that has come
		for due[r.Lane].before(r.Sent + 1) {
			moment = due[r.Lane].pop().at
		}
		if r.Sent-time.Second <= moment {
			w, is := certainly[r.Ordinal]
			switch {
			case r.Outcome == limiter.Admitted:
				obeyed++
			case is:
				wrong = append(wrong, w)
			case r.Outcome == limiter.Rejected:
				again++
			}
		}
		if wait, ok := r.Wait.due(); ok && r.Outcome == limiter.Rejected {
			told++
			due[r.Lane].push(ending{at: r.Answered + slow(wait)})
		}
	}
	return told, obeyed, again, wrong
}
