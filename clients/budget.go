package clients

import (
	"fmt"

	"duckload/english"
)

var budget = Check{
	ID:       "client.budget",
	Question: "does it keep the requests for one call within the budget?",
	Doc: `A call is everything that goes to one method and path until it succeeds. More requests for one than the budget allows (10, or what the
script says) are counted, and end the run: a service in trouble gets that many times its load from every client.

Typical causes of failure: retries have no end; retries of a library, of the program around it, and of a proxy multiply.`,
	Applies: called,
	Judge:   judgeBudget,
}

func judgeBudget(r Run) Finding {
	var most []Exchange
	for _, c := range r.scripted() {
		from := 0
		for i, e := range c.exchanges {
			if row := c.exchanges[from : i+1]; len(row) > len(most) {
				most = row
			}
			if e.succeeded() {
				from = i + 1
			}
		}
	}
	if len(most) > r.Script.Budget {
		first, last := most[0], most[len(most)-1]
		return fail(Witness{
			Sentence: fmt.Sprintf("requests %s are one call: %d of them from %s to %s", list(numbers(most)), len(most), secs(first.Arrived), secs(last.Arrived)),
			Requests: numbers(most),
		}, "%s for one call, the budget is %d", english.Count(len(most), "request"), r.Script.Budget)
	}
	return pass("at most %s for one call, of %d allowed", english.Count(len(most), "request"), r.Script.Budget)
}
