package clients

import (
	"fmt"

	"duckload/english"
	"duckload/scenarios"
)

var comesThrough = Check{
	ID:       "client.comes_through",
	Question: "does it ask again, and succeed once the server relents?",
	Doc: `Where the script relents, a client that follows the table of errors asks again and comes through: 429 and 5xx are temporary.
It fails if it never asks again after the first such answer, or if it is answered with success and still ends with an error.
Who gives up earlier than the script relents may have its reasons: that is inconclusive. After a closed connection, or an answer
that it did not wait for, nobody knows whether the request was served, and the table says nothing: not to ask again is right, too.

Typical causes of failure: retries are not switched on, or only for some statuses or methods (POST is often left out).`,
	Applies: func(r Run) bool { return called(r) && !r.Script.Forever() && anyTurn(r, passes) },
	Judge:   judgeComesThrough,
}

// passes reports whether what a turn does is over soon: an answer that is
// temporary, or late.
func passes(t scenarios.Turn) bool { return asExchange(t).asksToWait() || t.After > 0 }

func judgeComesThrough(r Run) Finding {
	through, careful, early := 0, 0, ""
	all := r.scripted()
	for _, c := range all {
		last := c.exchanges[len(c.exchanges)-1]
		switch {
		case last.succeeded():
			through++
		case len(c.exchanges) == 1 && r.Stop == "" && (last.Status == 0 || last.Left):
			careful++
		case r.Stop != "" || !last.asksToWait():
			early = fmt.Sprintf("request %d was answered %s, and then the run was over", last.Number, last.says())
		case len(c.exchanges) == 1:
			p := r.Processes[c.client]
			return fail(Witness{
				Sentence: fmt.Sprintf("request %d was answered %s after %s; the client ended after %s with status %d and did not ask again",
					last.Number, last.says(), secs(last.Answered), secs(p.Ended), p.Status),
				Requests: []int{last.Number},
			}, "it never asked again after %s", last.says())
		default:
			early = fmt.Sprintf("it gave up after %s, the last time at %s; a script that relents earlier would show whether it comes through",
				english.Count(len(c.exchanges)-1, "retry"), last.says())
		}
	}
	if early != "" {
		return open("%s", early)
	}
	if careful > 0 {
		return pass("it did not ask again after %s, which may have been served", withoutAnswer(all))
	}
	for i, p := range r.Processes {
		if p.Alone && p.Status != 0 {
			return fail(Witness{Sentence: fmt.Sprintf("every call of client %d came through, and it ended with status %d", i+1, p.Status), Requests: numbers(lastOf(all, i))},
				"it was answered with success and ended with status %d", p.Status)
		}
	}
	failures := 0
	for _, c := range all {
		for _, e := range c.exchanges {
			if e.asksToWait() {
				failures++
			}
		}
	}
	return pass("%s came through after %s", english.Count(through, "call"), english.Count(failures, "failure"))
}

// withoutAnswer names the first answer that did not come.
func withoutAnswer(all []call) string {
	for _, c := range all {
		if e := c.exchanges[0]; e.Status == 0 || e.Left {
			return e.says()
		}
	}
	return ""
}

// lastOf are the last exchanges of a client's calls.
func lastOf(all []call, client int) []Exchange {
	var last []Exchange
	for _, c := range all {
		if c.client == client {
			last = append(last, c.exchanges[len(c.exchanges)-1])
		}
	}
	return last
}
