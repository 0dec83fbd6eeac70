package clients

import (
	"fmt"

	"duckload/english"
	"duckload/scenarios"
)

var neverRetries = Check{
	ID:       "client.never_retries",
	Question: "does it leave alone what asking again cannot mend?",
	Doc: `After 401 (E4001), 403 (E4002), 409 (E4003) and every other 4xx but 408, 425 and 429, the same request must not come again: the
same method, path, query, body and credentials. With another key it is another request, as the table of errors asks for.

A client that sends the same request twice at once is inconclusive. One that sends it twice in a row, because its program calls
twice, looks like a retry: let the program make each call once.

Typical causes of failure: every status from 400 up is retried; 401 starts a refresh of the key that changes nothing.`,
	Applies: func(r Run) bool {
		return called(r) && anyTurn(r, func(t scenarios.Turn) bool { return asExchange(t).isFinal() })
	},
	Judge: judgeNeverRetries,
}

func judgeNeverRetries(r Run) Finding {
	var unsure *pair
	refusals := 0
	for _, c := range r.same() {
		if c.exchanges[0].Scripted && c.exchanges[0].isFinal() {
			refusals++
		}
		for _, p := range c.pairs() {
			if !p.first.Scripted || !p.first.isFinal() {
				continue
			}
			if !p.certain {
				unsure = &p
				continue
			}
			return fail(Witness{
				Sentence: fmt.Sprintf("request %d was answered %s, which left at %s; request %d, the same again, arrived at %s",
					p.first.Number, p.first.says(), secs(p.first.Answered), p.next.Number, secs(p.next.Arrived)),
				Requests: []int{p.first.Number, p.next.Number},
			}, "it asked again after %s (%s)", p.first.says(), english.Count(len(c.exchanges), "time"))
		}
	}
	switch {
	case unsure != nil:
		return open("requests %d and %d are the same; the client sends several at once, and neither may be a retry", unsure.first.Number, unsure.next.Number)
	case refusals == 0:
		return open("it was never refused")
	}
	return pass("%s refused, and not repeated", english.Count(refusals, "call"))
}
