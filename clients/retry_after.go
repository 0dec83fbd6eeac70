package clients

import (
	"fmt"
	"time"

	"duckload/english"
	"duckload/scenarios"
)

var retryAfter = Check{
	ID:       "client.retry_after",
	Question: "does it wait at least as long as Retry-After says?",
	Doc: `After an answer with Retry-After, no request of the client to the same method and path may arrive before the time is over. Time
counts from just before the answer's first byte left, to when the next request had arrived: whatever lies between makes the
wait longer, so one that is too short is proof. 10 ms and one part in 2000 are forgiven, for timers and clocks.

A date has seconds and no parts of them. Who comes back in the last second before it may have rounded: inconclusive. A request
on another connection, by a client that is seen to send several at once, may have left before the answer came: inconclusive.

Typical causes of failure: the field is not read at all; only seconds are read and a date counts as nothing; the wait is
capped below what was told; seconds are taken for milliseconds; a pool of workers does not share what one of them was told.`,
	Applies: func(r Run) bool {
		return called(r) && (r.Script.Published || anyTurn(r, func(t scenarios.Turn) bool { return t.Wait > 0 }))
	},
	Judge: judgeRetryAfter,
}

// An early request is one that came before it was asked for.
type early struct {
	told, came Exchange
	by         time.Duration
	certain    bool
}

func judgeRetryAfter(r Run) Finding {
	var worst *early
	n, returned, asked := 0, 0, 0
	least := time.Duration(1<<63 - 1)
	for _, lane := range r.lanes() {
		atOnce := lane.atOnce()
		for i, told := range lane.exchanges {
			if told.Until == 0 || told.Left {
				continue
			}
			asked++
			for k, came := range lane.exchanges[i+1:] {
				if k == 0 {
					returned++
					least = min(least, came.Arrived-told.Until)
				}
				if came.Arrived >= told.Until-Tolerance(told.Until-told.Answered) {
					break
				}
				n++
				e := early{told, came, told.Until - came.Arrived, came.Conn == told.Conn || !atOnce}
				if told.Date && e.by <= time.Second+Tolerance(told.Until-told.Answered) {
					e.certain = false
				}
				if worst == nil || e.certain && !worst.certain || e.certain == worst.certain && e.by > worst.by {
					worst = &e
				}
			}
		}
	}
	switch {
	case asked == 0 && r.Script.Published && r.Stop == "":
		return pass("it never met a limit")
	case asked == 0:
		return open("it was never told to wait")
	case worst != nil && worst.certain:
		return fail(worst.witness(), "it came back %s too early: after %s where Retry-After said %s (%s in all)",
			secs(worst.by), secs(worst.came.Arrived-worst.told.Answered), worst.told.asks(), english.Count(n, "early request"))
	case worst != nil && worst.told.Date:
		return open("it came back %s before the date, less than the second that a date cannot tell apart", secs(worst.by))
	case worst != nil:
		return open("request %d came %s too early, and may have been under way when it was told: the client sends several at once", worst.came.Number, secs(worst.by))
	case returned == 0:
		return pass("it never came back")
	}
	return pass("%s came back, the earliest %s", english.Count(returned, "request"), after(least))
}

func after(d time.Duration) string {
	if d < 0 {
		return secs(-d) + " before the time was over, which is forgiven"
	}
	return secs(d) + " after the time was over"
}

func (e Exchange) asks() string {
	if e.Date {
		return e.RetryAfter
	}
	return e.RetryAfter + " s"
}

func (e early) witness() Witness {
	return Witness{
		Sentence: fmt.Sprintf("the answer to request %d, with Retry-After: %s, left no earlier than %s; request %d had arrived at %s, and %s is when it was asked for",
			e.told.Number, e.told.RetryAfter, secs(e.told.Answered), e.came.Number, secs(e.came.Arrived), secs(e.told.Until)),
		Requests: []int{e.told.Number, e.came.Number},
	}
}
