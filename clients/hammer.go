package clients

import (
	"fmt"
	"time"

	"duckload/english"
)

// Brief is how soon a retry counts as immediate.
const Brief = 100 * time.Millisecond

var hammer = Check{
	ID:       "client.hammer",
	Question: "does it leave a failing server alone for a moment?",
	Doc: `After a temporary failure that does not say when to come back (429, 5xx, a closed connection, an answer given up), two retries
of a call in a row less than 100 ms after the failure are hammering. One immediate retry is not: many clients try once at
once, in case a connection was stale. A wait is measured as for client.retry_after, so that one that is too short is proof.

Typical causes of failure: retries are on and no delay is set, which is the default of more than one library; the delay is in
seconds where milliseconds are meant.`,
	Applies: func(r Run) bool { return called(r) && anyTurn(r, temporary) },
	Judge:   judgeHammer,
}

func judgeHammer(r Run) Finding {
	var longest []pair
	retries, brief, unsure := 0, 0, 0
	for _, c := range r.scripted() {
		var row []pair
		for _, p := range c.pairs() {
			if !p.first.asksToWait() || p.first.Until > 0 {
				row = nil
				continue
			}
			retries++
			if p.wait >= Brief {
				row = nil
				continue
			}
			if !p.certain {
				row, unsure = nil, unsure+1
				continue
			}
			brief++
			if row = append(row, p); len(row) > len(longest) {
				longest = row
			}
		}
	}
	if n := len(longest); n >= 2 {
		w := Witness{Requests: []int{longest[0].first.Number}}
		waits := make([]time.Duration, n)
		for i, p := range longest {
			w.Requests, waits[i] = append(w.Requests, p.next.Number), p.wait
		}
		w.Sentence = fmt.Sprintf("requests %s: each failed, and the next arrived no more than %s after the answer before it had left", list(w.Requests), secs(longestOf(waits)))
		return fail(w, "%s in a row, each less than %d ms after a failure", english.Count(n, "retry"), Brief/time.Millisecond)
	}
	switch {
	case unsure >= 2:
		return open("%s soon after a failure, and may have been under way before it: the client sends several at once, or leaves before it is answered", english.Count(unsure, "request"))
	case retries == 0:
		return pass("it did not ask again")
	case brief > 0:
		return pass("%s of %d at once, never two in a row", english.Count(brief, "retry"), retries)
	}
	return pass("%s, none sooner than %d ms after a failure", english.Count(retries, "retry"), Brief/time.Millisecond)
}

func longestOf(all []time.Duration) time.Duration {
	longest := all[0]
	for _, d := range all {
		longest = max(longest, d)
	}
	return longest
}
