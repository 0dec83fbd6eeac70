package analyze

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"duckload/english"
	"duckload/history"
	"duckload/limiter"
)

// documentedChecks are the checks about what is documented beside the limits,
// in the order in which they are shown.
var documentedChecks = []Check{
	effectFree,
	admitOnce,
	errorTable,
	errorExpected,
}

var errorTable = Check{
	ID:       "error.table",
	Question: "does every answer that carries an error code carry a documented one, with its documented status?",
	Doc: `The scenario's error table (errors) names the codes of the API, the status of each, and where a body has its code. Every answer that
carries a code there is held against the table, whatever its status: one with a code that the table does not have, or with
another status than the code's own, is proof alone. So is a success status with an error code in its body: clients which look at
the status go on as if all were well.

An answer without a code is not judged here (reject.body demands one of rejections), nor is one whose body could not be read to
its end. If no answer carried a code the check is inconclusive.

Typical causes of failure: a gateway or a framework that maps exceptions to a status of its own; an error handler that answers
200 with the error in the body; codes that were added and never documented.`,
	Applies: func(p limiter.Promise) bool { return p.Errors.JSON != "" && exercised(p) },
	Watch:   func(c *Case) Watcher { return &tableWatch{c: c, field: limiter.JSONField + c.Promise.Errors.JSON} },
}

type tableWatch struct {
	c     *Case
	field string // of the evidence
	seen  tally
	codes tally // that were seen, by name
	all   int
}

func (w *tableWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	w.all++
	if o.Resent || o.Error != "" {
		return
	}
	said := o.Evidence.Values(w.field)
	if len(said) == 0 {
		return
	}
	code, known := w.c.Promise.Errors.Named(said[0])
	switch {
	case !known:
		w.seen.complain(complaint{kind: fmt.Sprintf("unknown code %s with status %d", clip(said[0]), o.Status)}, o, outcome)
	case !slices.Contains(code.Status, o.Status):
		w.seen.complain(complaint{kind: fmt.Sprintf("%s with status %d instead of %s", code.Code, o.Status, either(code.Status))}, o, outcome)
	default:
		w.seen.fine()
		w.codes.count(complaint{kind: code.Code})
	}
}

func (w *tableWatch) Findings() []Finding {
	f := Finding{Check: "error.table"}
	switch {
	case w.seen.broken > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%d of %s with an error code are not as documented: %s", w.seen.broken, english.Count(w.seen.judged, "answer"), &w.seen)
		first := w.seen.first[0]
		said := first.Fields.Values(w.field)[0]
		if code, known := w.c.Promise.Errors.Named(said); known {
			f.Witness = w.seen.witness(fmt.Sprintf("this answer carries %s, which is documented with status %s, and has status %d", said, either(code.Status), first.Status))
		} else {
			f.Witness = w.seen.witness(fmt.Sprintf("this answer carries the code %s, which is not in the error table", clip(said)))
		}
	case w.seen.judged == 0:
		f.Outcome = Inconclusive
		f.Message = fmt.Sprintf("none of %s carried an error code at %s; send what is refused, such as more than the burst", english.Count(w.all, "answer"), w.c.Promise.Errors.JSON)
	case !w.c.Whole:
		f.Outcome, f.Message = Inconclusive, unwhole
	default:
		f.Outcome = Pass
		f.Message = fmt.Sprintf("every one of %s with an error code is as documented: %s", english.Count(w.seen.judged, "answer"), &w.codes)
	}
	return []Finding{f}
}

var errorExpected = Check{
	ID:       "error.expected",
	Question: "is somebody without a key, or with too few rights, told what is documented?",
	Doc: `The scenario names identities and what they are told (expect): a code of the error table, such as E4001 for a key that is not
valid, or that they are admitted, such as a key in the query instead of the header. After everything else the group's request is sent as
each of them, and again after a rejection by the limiter, which says nothing about who asks.

It fails if one is told another code, is served though it must not be, or is turned away though it must be served; each such
answer alone is proof. An answer without a whole body, a 5xx, or none at all decides nothing, and where an
identity got no other, the check is inconclusive.

Typical causes of failure: an endpoint that was never put behind the authentication; a role that is checked in the user interface alone;
a missing key that is answered like a missing right, so that clients elevate instead of signing in.`,
	Applies: func(p limiter.Promise) bool { return len(p.Expect) > 0 && exercised(p) },
	Watch:   func(c *Case) Watcher { return &expectWatch{c: c, told: make([]int, len(c.Promise.Expect))} },
}

type expectWatch struct {
	c    *Case
	told []int // how often each expectation was met
	seen tally
	want string // of the first that was not
}

func (w *expectWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	identity := w.c.Header.Lanes[o.Lane].Identity
	i := slices.IndexFunc(w.c.Promise.Expect, func(e limiter.Expectation) bool { return e.Identity == identity })
	if i < 0 || o.Resent || o.Status == 0 || o.Error != "" || outcome == limiter.Rejected {
		return
	}
	e := w.c.Promise.Expect[i]
	said := o.Evidence.Values(limiter.JSONField + w.c.Promise.Errors.JSON)
	is, want := "status "+strconv.Itoa(o.Status), e.Code
	if len(said) > 0 {
		is = clip(said[0]) + " with status " + strconv.Itoa(o.Status)
	}
	if want == "" {
		want = "a success"
	}
	switch {
	case e.Code == "" && outcome == limiter.Admitted && len(said) == 0, e.Code != "" && slices.Contains(said, e.Code):
		w.told[i]++
		w.seen.fine()
	case o.Status >= 500 && outcome == limiter.Unknown:
		// The server is in trouble, which says nothing about who asks.
	default:
		if w.want == "" {
			w.want = fmt.Sprintf("%s was told %s where %s is documented", identity, is, want)
		}
		w.seen.complain(complaint{kind: fmt.Sprintf("%s was told %s instead of %s", identity, is, want)}, o, outcome)
	}
}

func (w *expectWatch) Findings() []Finding {
	f := Finding{Check: "error.expected"}
	var open []string
	for i, n := range w.told {
		if n == 0 {
			open = append(open, w.c.Promise.Expect[i].Identity)
		}
	}
	switch {
	case w.seen.broken > 0:
		f.Outcome = Fail
		f.Message = fmt.Sprintf("%d of %s are not what is documented: %s", w.seen.broken, english.Count(w.seen.judged, "answer"), &w.seen)
		f.Witness = w.seen.witness(w.want)
	case len(open) > 0:
		f.Outcome = Inconclusive
		f.Message = fmt.Sprintf("%s got no answer that tells; give the run more time, or look at why it fails", list(open))
	case !w.c.Whole:
		f.Outcome, f.Message = Inconclusive, unwhole
	default:
		f.Outcome = Pass
		f.Message = "everybody is told what is documented: " + w.expectations()
	}
	return []Finding{f}
}

// expectations lists what was expected and met: "nobody E4001".
func (w *expectWatch) expectations() string {
	var all []string
	for _, e := range w.c.Promise.Expect {
		if e.Code == "" {
			e.Code = "admitted"
		}
		all = append(all, e.Identity+" "+e.Code)
	}
	return strings.Join(all, ", ")
}
