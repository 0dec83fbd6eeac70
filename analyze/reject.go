package analyze

import (
	"fmt"
	"slices"
	"strings"

	"duckload/english"
	"duckload/history"
	"duckload/limiter"
)

var rejectStatus = Check{
	ID:       "reject.status",
	Question: "is a rejection answered with the documented status?",
	Doc: `Every answer by which the limiter refused a request must have a documented status, usually 429.

An answer counts as a rejection if it has a documented status, or if it is a failure whose body carries the documented
code of a rejection. The second kind is what this check looks for: the body says "rate limit exceeded" and the status
says something else, so that clients which look at the status do not back off. Each such answer alone is proof.

If nothing was rejected the check is inconclusive. It then says whether answers were seen that look like rejections by
their status 429 or a Retry-After, or else which failures were seen: the scenario may name the wrong status (nginx rejects with 503 unless told otherwise).

Typical causes of failure: a limiter's default of 503 or 403 behind a gateway that documents 429; an error handler that
turns every refusal into a 500; a second limiter in front that answers differently.`,
	Applies: func(p limiter.Promise) bool { return len(p.Reject.Status) > 0 && exercised(p) },
	Watch:   func(c *Case) Watcher { return &statusWatch{c: c} },
}

type statusWatch struct {
	c     *Case
	seen  tally // rejections
	alike tally // unknown answers that look like rejections
	other tally // other unknown failures
	all   int
}

func (w *statusWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	w.all++
	switch {
	case outcome == limiter.Rejected && slices.Contains(w.c.Promise.Reject.Status, o.Status):
		w.seen.fine()
	case outcome == limiter.Rejected:
		w.seen.complain(complaint{kind: fmt.Sprintf("status %d", o.Status)}, o, outcome)
	case outcome == limiter.Unknown && !o.Resent && looksRejected(o):
		w.alike.complain(complaint{kind: fmt.Sprintf("status %d", o.Status)}, o, outcome)
	case outcome == limiter.Unknown && !o.Resent && o.Status >= 400:
		w.other.complain(complaint{kind: fmt.Sprintf("status %d", o.Status)}, o, outcome)
	}
}

// looksRejected reports whether an answer that the scenario does not name has
// the marks of a rejection. It decides no verdict, it only suggests a remedy.
func looksRejected(o *history.Observation) bool {
	if o.Status == 429 {
		return true
	}
	return o.Status >= 400 && parseRetryAfter(o.Evidence).defect != missing
}

func (w *statusWatch) Findings() []Finding {
	f := Finding{Check: "reject.status"}
	want := either(w.c.Promise.Reject.Status)
	switch {
	case w.seen.broken > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%d of %s did not have status %s: %s", w.seen.broken, english.Count(w.seen.judged, "rejection"), want, &w.seen)
		f.Witness = w.seen.witness(fmt.Sprintf("this answer carries the documented code of a rejection, but its status is %d where %s is documented", w.seen.first[0].Status, want))
	case w.seen.judged == 0:
		f.Outcome = Inconclusive
		f.Message = w.unseen(want)
	case !w.c.Whole:
		f.Outcome = Inconclusive
		f.Message = unwhole
	default:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("every one of %s had status %s", english.Count(w.seen.judged, "rejection"), want)
		if w.alike.judged > 0 {
			f.Message += fmt.Sprintf("; beside them %s not named in the scenario look like rejections: %s", english.Count(w.alike.judged, "answer"), &w.alike)
		}
	}
	return []Finding{f}
}

func (w *statusWatch) unseen(want string) string {
	switch {
	case w.alike.judged > 0:
		return fmt.Sprintf("no answer was a documented rejection (%s), but %s look like one: %s; if the limiter answers so, write on_reject: {status: %s}",
			want, english.Count(w.alike.judged, "answer"), &w.alike, w.alike.statuses())
	case w.other.judged > 0:
		return fmt.Sprintf("none of %s was rejected with the documented status (%s), but there are failures beside them: %s; if the limiter answers so, write on_reject: {status: %s}",
			english.Count(w.all, "request"), want, &w.other, w.other.statuses())
	}
	return unrejected(w.all)
}

// statuses writes the statuses that were complained about as a scenario would.
func (t *tally) statuses() string {
	var all []string
	for _, k := range t.kinds {
		if status, ok := strings.CutPrefix(k.kind, "status "); ok {
			all = append(all, status)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// unrejected is why nothing can be said about rejections, and what to do.
func unrejected(requests int) string {
	return fmt.Sprintf("none of %s was rejected, so no rejection could be looked at; send more than the burst", english.Count(requests, "request"))
}

var rejectBody = Check{
	ID:       "reject.body",
	Question: "does a rejection carry the documented error code?",
	Doc: `Every rejection must carry the values that the promise names, at their paths in its JSON body.

Each rejection is looked at alone; one that lacks a value, or has another, is proof. An answer whose body could not be
read to its end is not judged.

Typical causes of failure: the limiter stands in front of the application and answers with a page of its own; the code
was renamed; the body is not JSON, or is longer than what is read of it.`,
	Applies: func(p limiter.Promise) bool { return len(p.Reject.JSON) > 0 && exercised(p) },
	Watch: func(c *Case) Watcher {
		w := &bodyWatch{c: c}
		for _, want := range c.Promise.Reject.JSON {
			w.names = append(w.names, limiter.JSONField+want.Name)
		}
		return w
	},
}

type bodyWatch struct {
	c      *Case
	names  []string // of the evidence, one for each wanted value
	seen   tally
	all    int
	unread int
}

func (w *bodyWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	w.all++
	if outcome != limiter.Rejected {
		return
	}
	if o.Error != "" {
		w.unread++
		return
	}
	for i, want := range w.c.Promise.Reject.JSON {
		if slices.Contains(o.Evidence, limiter.Field{Name: w.names[i], Value: want.Value}) {
			continue
		}
		c := complaint{kind: "no " + want.Name}
		if others := o.Evidence.Values(w.names[i]); len(others) > 0 {
			c = complaint{kind: "another " + want.Name, example: clip(others[0])}
		}
		w.seen.complain(c, o, outcome)
		return
	}
	w.seen.fine()
}

func (w *bodyWatch) Findings() []Finding {
	f := Finding{Check: "reject.body"}
	var wants []string
	for _, want := range w.c.Promise.Reject.JSON {
		wants = append(wants, fmt.Sprintf("%s %q", want.Name, want.Value))
	}
	want := strings.Join(wants, " and ")
	switch {
	case w.seen.broken > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%d of %s did not carry %s: %s", w.seen.broken, english.Count(w.seen.judged, "rejection"), want, &w.seen)
		f.Witness = w.seen.witness(fmt.Sprintf("the body of this rejection does not carry %s", want))
	case w.seen.judged == 0 && w.unread > 0:
		f.Outcome = Inconclusive
		f.Message = fmt.Sprintf("the body of none of %s could be read to its end", english.Count(w.unread, "rejection"))
	case w.seen.judged == 0:
		f.Outcome = Inconclusive
		f.Message = unrejected(w.all)
	case !w.c.Whole:
		f.Outcome = Inconclusive
		f.Message = unwhole
	default:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("every one of %s carried %s", english.Count(w.seen.judged, "rejection"), want)
	}
	return []Finding{f}
}
