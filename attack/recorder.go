package attack

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// errNotSent is what vegeta is told of a request that the run no longer
// allows. Nothing left this machine.
var errNotSent = errors.New("not sent: the run has ended")

// RoundTrip makes the real request of a vegeta hit, sends it and records it.
func (l *lane) RoundTrip(hit *http.Request) (*http.Response, error) {
	j, seq, ok := l.take(hit)
	if !ok {
		return nil, errNotSent // a hit of nobody's
	}
	if !l.may() {
		l.leave(j)
		return nil, errNotSent
	}
	timeout := l.options.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(l.hurry, timeout)
	defer cancel()
	o := history.Observation{
		Lane: l.index, Phase: l.plan.Number(j.from.track, j.shot.Phase), Seq: seq, Intended: j.shot.At,
	}
	trace := &trace{clock: &l.clock}
	request, which, err := l.request(httptrace.WithClientTrace(ctx, trace.hooks()), seq)
	o.Request = which
	if err == nil {
		o.BytesOut = max(request.ContentLength, 0)
		err = l.exchange(request, trace, &o)
	}
	if err != nil {
		o.Error = class(err, ctx)
	}
	l.put(j, o, trace.earlier())
	return answer(hit, o), err
}

// exchange sends a request and reads its answer.
func (l *lane) exchange(request *http.Request, t *trace, o *history.Observation) error {
	o.Sent = l.clock.now() // unless a connection was got, which is later
	response, err := l.transport.RoundTrip(request)
	returned := l.clock.now()
	if at, ok := t.sent(); ok {
		o.Sent = at
	}
	o.Answered, o.Done = history.Never, returned
	if err != nil {
		return err
	}
	defer response.Body.Close()
	o.Answered = t.answered(returned)
	o.Status = response.StatusCode
	kept, n, err := read(response.Body, l.wantsJSON(response))
	o.BytesIn, o.Done = n, l.clock.now()
	o.Evidence = evidence(response.Header, kept, l.group.Promise.Reject.JSON)
	return err
}

func (l *lane) wantsJSON(r *http.Response) bool {
	return r.StatusCode >= 400 && len(l.group.Promise.Reject.JSON) > 0
}

// read reads a body to its end, or to the bound: a connection whose body is
// left over cannot be used again, and is closed.
func read(body io.Reader, keep bool) (kept []byte, n int64, err error) {
	if keep {
		kept, err = io.ReadAll(io.LimitReader(body, maxJSON))
		n = int64(len(kept))
		if err != nil {
			return kept, n, err
		}
	}
	more, err := io.Copy(io.Discard, io.LimitReader(body, maxBody-n))
	return kept, n + more, err
}

// put records an observation, and the attempts before it that the transport
// gave up in silence: the server may have counted each of them.
func (l *lane) put(j job, o history.Observation, earlier []time.Duration) {
	for _, sent := range earlier {
		lost := o
		lost.Resent, lost.Sent, lost.Answered = true, sent, history.Never
		lost.Status, lost.Evidence, lost.BytesIn, lost.Error = 0, nil, 0, "reset"
		l.sent.Add(1)
		l.ended <- ended{observation: lost, record: true}
	}
	outcome := limiter.Unknown
	if o.Answered != history.Never {
		outcome = l.group.Promise.Outcome(o.Status, o.Evidence)
	}
	l.ended <- ended{observation: o, record: true, event: Event{
		At: o.Done, Track: j.from.track, Phase: j.shot.Phase, Outcome: outcome,
	}}
	if rule, broken := l.rules.ended(o.Done, outcome); broken {
		l.stop(halt("stop rule: " + rule))
	}
	j.from.over(&scenarios.Seen{
		Lane: o.Lane, Phase: j.shot.Phase,
		Intended: o.Intended, Sent: o.Sent, Answered: o.Answered,
		Outcome: outcome, RetryAfter: retryAfter(o.Evidence),
	})
}

// answer is what vegeta is given: the status, and no body, which has been read.
func answer(hit *http.Request, o history.Observation) *http.Response {
	if o.Status == 0 {
		return nil
	}
	return &http.Response{
		StatusCode: o.Status, Status: http.StatusText(o.Status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: hit,
	}
}

// A trace notes the moments of one request. Its hooks are called from several
// goroutines of the transport.
type trace struct {
	clock *clock

	mu       sync.Mutex
	got      []time.Duration // each attempt: the connection was ready
	first    time.Duration   // first byte of an answer, perhaps not the final one
	hasFirst bool
	interim  bool // a 1xx answer came before the final one
}

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			at := t.clock.now()
			t.mu.Lock()
			defer t.mu.Unlock()
			t.got = append(t.got, at)
			t.hasFirst, t.interim = false, false
		},
		GotFirstResponseByte: func() {
			at := t.clock.now()
			t.mu.Lock()
			defer t.mu.Unlock()
			t.first, t.hasFirst = at, true
		},
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.interim = true
			return nil
		},
	}
}

// sent returns the moment at which the attempt that was answered could send
// its first byte.
func (t *trace) sent() (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.got) == 0 {
		return 0, false
	}
	return t.got[len(t.got)-1], true
}

// answered returns the moment of the first byte of the final answer. After an
// interim answer the first byte was the wrong one; the answer had come by the
// time the transport returned it.
func (t *trace) answered(returned time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.hasFirst || t.interim {
		return returned
	}
	return t.first
}

// earlier returns the attempts before the last.
func (t *trace) earlier() []time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.got) < 2 {
		return nil
	}
	return t.got[:len(t.got)-1]
}
