package attack

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// errNotSent is what vegeta is told of a request that was not sent. Nothing
// left this machine.
var errNotSent = errors.New("not sent")

// RoundTrip makes the real request of a vegeta hit, sends it and records it.
func (l *lane) RoundTrip(hit *http.Request) (*http.Response, error) {
	defer l.flying.Add(-1)
	j, seq, ok := l.take(hit)
	if !ok {
		return nil, errNotSent // a hit of nobody's
	}
	l.under.Add(1)
	defer func() { l.under.Add(-1); l.frugal() }()
	if !l.may() {
		l.leave(j)
		return nil, errNotSent
	}
	timeout := l.timeout()
	o := history.Observation{
		Lane: l.index, Phase: j.from.first + j.shot.Phase, Seq: l.plan.Seq(l.index, seq), Intended: j.shot.At,
		Answered: history.Never, Look: j.shot.Look, Of: j.shot.Of,
	}
	if o.Look == limiter.LookNone {
		l.hooks.sends(l, seq)
	}
	var sent sending
	timeout += max(0, j.shot.At-l.clock.now()) // it is ready before its moment
	if l.fast != nil {
		sent = l.fast.send(&o, j.start, timeout)
	} else {
		sent = l.send(&o, j.start, timeout)
	}
	if guarded := refusal(sent.err); guarded != nil {
		l.stop(halt{reason: "refused", err: guarded})
		sent.refused = true
	}
	if sent.refused && len(sent.tries) == 0 {
		l.leave(j)
		return nil, errNotSent
	}
	// Without a connection nothing was sent. A transport that is not ours need
	// not tell when it had one.
	o.Unsent = l.pool != nil && sent.err != nil && len(sent.tries) == 0
	if o.Error = sent.class; sent.refused {
		o.Error = "eof" // of the attempt that was not made up for
	}
	if o.Error != "" {
		l.failed(o.Error, sent.err)
	}
	l.put(j, o, sent.tries)
	return answer(hit, o), nil
}

// A sending is what became of a request beside its observation.
type sending struct {
	tries   []time.Duration // when it was sent, each time
	refused bool            // it was kept from being sent, or from being sent again
	class   string          // of the failure
	err     error
}

// send makes a request with net/http, sends it, and fills in its observation.
func (l *lane) send(o *history.Observation, begin *start, timeout time.Duration) (s sending) {
	ctx, cancel := context.WithTimeout(l.hurry, timeout)
	defer cancel()
	t := l.trace(cancel)
	t.start = begin
	request, which, err := l.request(httptrace.WithClientTrace(ctx, t.hooks()), o)
	o.Request = which
	if err == nil {
		o.BytesOut = max(request.ContentLength, 0)
		err = l.exchange(request, t, o)
	}
	s.tries, s.refused = t.end()
	s.err, s.class = err, class(err, ctx)
	if lost := t.starved(); lost != nil && s.class == "protocol" {
		s.err, s.class = lost, class(lost, ctx)
	}
	return s
}

// exchange sends a request and reads its answer. A failure after the status
// line leaves the status, which is what the limiter decided.
func (l *lane) exchange(request *http.Request, t *trace, o *history.Observation) error {
	o.Sent = max(l.clock.now(), o.Intended) // unless a connection was got, which is later
	response, err := l.transport.RoundTrip(request)
	o.Done = max(l.clock.now(), o.Sent)
	if at, ok := t.sent(); ok {
		o.Sent = at
	}
	shown := l.shows()
	if err != nil {
		if shown {
			l.show(request, nil, nil, err)
		}
		return err
	}
	if l.pool != nil && t.early() {
		if response.StatusCode != http.StatusRequestTimeout { // said to an idle connection
			t.unasked()
		}
		response.Body.Close()
		return errEarly
	}
	o.Answered, o.Status = t.answered(o.Done), response.StatusCode
	paths := l.wants(response.StatusCode)
	kept, n, err := read(response, shown || len(paths) > 0)
	o.BytesIn, o.Done = n, l.clock.now()
	if shown {
		l.show(request, response, kept, err)
	}
	o.Evidence = evidence(response.Header, worth(kept, paths), paths)
	return err
}

// read reads a body to its end, or to the bound: a connection whose body is
// left over cannot be used again, and is closed. The body of a switch to
// another protocol is that protocol, and has no end.
func read(r *http.Response, keep bool) (kept []byte, n int64, err error) {
	defer r.Body.Close()
	if r.StatusCode == http.StatusSwitchingProtocols {
		return nil, 0, nil
	}
	if keep {
		kept, err = io.ReadAll(io.LimitReader(r.Body, maxJSON))
		n = int64(len(kept))
		if err != nil {
			return kept, n, err
		}
	}
	more, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxBody-n))
	return kept, n + more, err
}

// put records an observation, and the attempts before it that the transport
// gave up in silence: the server may have counted each of them.
func (l *lane) put(j job, o history.Observation, tries []time.Duration) {
	for i := 1; i < len(tries); i++ {
		l.ended <- ended{observation: resent(o, tries[i-1], tries[i]), record: true}
	}
	l.order.saw(o)
	if l.order.doubts(o.Sent) {
		o = o.Doubted()
	}
	l.confess()
	outcome := limiter.Unknown
	if o.Answered != history.Never {
		outcome = l.group.Promise.Outcome(o.Status, o.Evidence)
		l.recognise(o.Evidence)
		if outcome == limiter.Unknown && o.Error == "" {
			l.odd(o.Status)
		}
	}
	l.hooks.ended(l, o, outcome)
	kept := o
	kept.Evidence = l.blank(o.Evidence)
	l.ended <- ended{observation: kept, record: true, event: Event{
		At: o.Done, Track: j.from.track, Phase: j.shot.Phase, Outcome: outcome,
	}}
	if !l.turned && o.Look != limiter.LookAfter {
		if rule, broken := l.rules.ended(o.Done, outcome); broken {
			l.stop(halt{reason: "stop rule: " + rule})
		}
	}
	var seen *scenarios.Seen
	if j.from.reactive {
		seen = &scenarios.Seen{
			Lane: o.Lane, Phase: j.shot.Phase,
			Intended: o.Intended, Sent: o.Sent, Answered: o.Answered,
			Outcome: outcome, Ours: o.Error == "local", RetryAfter: retryAfter(o.Evidence),
			Seq: o.Seq, Request: o.Request, Look: o.Look, Of: o.Of,
		}
	}
	j.from.over(seen)
}

// resent returns the observation of an attempt that was given up for the next.
func resent(o history.Observation, sent, next time.Duration) history.Observation {
	return history.Observation{
		Lane: o.Lane, Phase: o.Phase, Seq: o.Seq, Request: o.Request, Intended: o.Intended,
		Sent: sent, Answered: history.Never, Done: next,
		Resent: true, Error: "resent", BytesOut: o.BytesOut, Look: o.Look, Of: o.Of,
	}
}

// answer is what vegeta is given: the status, and no body, which has been read.
// A request without an answer has the status 0 in vegeta, too.
func answer(hit *http.Request, o history.Observation) *http.Response {
	return &http.Response{
		StatusCode: o.Status, Status: http.StatusText(o.Status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, Request: hit,
	}
}
