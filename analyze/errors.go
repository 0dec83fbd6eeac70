package analyze

import (
	"fmt"
	"strconv"

	"duckload/english"
	"duckload/history"
	"duckload/limiter"
)

var errorsObjective = Check{
	ID:       "errors",
	Question: "does the share of requests without a useful answer stay within the objective?",
	Doc: `A fact about this run: the share of requests whose outcome is unknown, among all that were sent. Unknown is neither
admitted nor rejected: no answer, a reset, a 5xx, a redirect, and every status that the scenario does not name.

It fails if the share is above the objective. Requests that the transport sent again by itself count once, by the answer that
came in the end. Those that were given up because the run was stopped are left out, those that the sending machine had no socket or port for,
and so are answers to a sender in disguise (see scope): nobody promised to understand one, and to one that is documented to be
turned away (see error.expected).

Typical causes of failure: the server breaks under the load; a wrong key (401); a status that means "admitted" and is missing in
the scenario, such as the 409 of an account that exists already; a limiter that rejects with another status.`,
	Applies: func(p limiter.Promise) bool { return p.Objectives.Errors != nil },
	Watch:   func(c *Case) Watcher { return &errorsWatch{c: c} },
}

type errorsWatch struct {
	c    *Case
	seen tally
	cut  int // given up because the run was stopped
	ours int // never sent: the machine that sends had nothing left to send them with
}

// Classes of requests that say nothing of the target: given up by ourselves, and
// kept from being sent by the machine that sends.
const (
	canceled = "canceled"
	local    = "local"
)

func (w *errorsWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	switch {
	case o.Resent:
	case outcome == limiter.Unknown && o.Status != 0 && w.c.Header.Lanes[o.Lane].Trick != "":
		// Nobody promised to understand a disguise.
	case o.Status != 0 && w.c.Promise.Turned(w.c.Header.Lanes[o.Lane].Identity):
		// What it is told is judged by error.expected.
	case outcome != limiter.Unknown:
		w.seen.fine()
	case o.Error == canceled:
		w.cut++
	case o.Error == local:
		w.ours++
	case o.Status == 0 && o.Error != "":
		w.seen.complain(complaint{kind: o.Error}, o, outcome)
	case o.Status == 0:
		w.seen.complain(complaint{kind: "no answer"}, o, outcome)
	default:
		w.seen.complain(complaint{kind: "status " + strconv.Itoa(o.Status)}, o, outcome)
	}
}

func (w *errorsWatch) Findings() []Finding {
	f := Finding{Check: "errors"}
	n, bad := w.seen.judged, w.seen.broken
	most := *w.c.Promise.Objectives.Errors
	if n == 0 {
		f.Outcome = Inconclusive
		f.Message = "no request was sent" + w.unsent()
		return []Finding{f}
	}
	share := float64(bad) / float64(n)
	f.Message = fmt.Sprintf("%d of %s (%s) had no useful answer", bad, english.Count(n, "request"), percent(share))
	if bad > 0 {
		f.Message += ": " + w.seen.String()
	}
	switch {
	case share > most:
		f.Outcome = Fail
		f.Message += fmt.Sprintf("; the objective is at most %s", percent(most))
		f.Witness = w.seen.witness(fmt.Sprintf("%d of %s were neither admitted nor rejected; at most %s may be", bad, english.Count(n, "request"), percent(most)))
		f.Witness.Allowed = most * float64(n)
	case !w.c.Whole:
		f.Outcome = Inconclusive
		f.Message += "; but part of the record is missing"
	default:
		f.Outcome = Pass
	}
	f.Message += w.unsent()
	return []Finding{f}
}

// unsent says how many requests never left, which is no fault of the target.
func (w *errorsWatch) unsent() string {
	if w.ours == 0 {
		return ""
	}
	return fmt.Sprintf("; %s more could not be sent by this machine and are left out", english.Count(w.ours, "request"))
}

// percent writes a share: "1.5 %".
func percent(share float64) string { return strconv.FormatFloat(share*100, 'g', 3, 64) + " %" }
