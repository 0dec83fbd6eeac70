package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"time"

	"duckload/english"
	"duckload/limiter"
	"duckload/scenarios"
)

// SetupFailed says that an identity could not be set up. Requests of the
// setup may have been sent; none of the plan's were.
type SetupFailed struct {
	Group, Identity string
	Request         string // "POST /login"
	Said            string // what the target answered, or what was missing in it; secrets are masked
}

func (s SetupFailed) Error() string {
	who := s.Group
	if s.Identity != "" {
		who += ", " + s.Identity
	}
	return fmt.Sprintf("setup of %s: %s: %s", who, s.Request, s.Said)
}

// farewell is how long teardown may take once a run was interrupted.
const farewell = 250 * time.Millisecond

// A setup that is rejected by a limiter comes back as told: so often, and after
// no longer waits.
const (
	setupTries   = 5
	setupLongest = time.Minute
)

// setUp sends the setup of every identity, one after another, before the first
// moment of the plan. It counts against the budget and is no observation.
func (r *run) setUp() error {
	for _, e := range r.plan.Errands() {
		if err := r.introduce(e); err != nil || r.stopped.Err() != nil {
			return err // or the end says why
		}
	}
	return nil
}

// introduce sends the setup of one identity. From the first request on that
// may have made something on the target there is something to tear down, even
// if a later one fails.
func (r *run) introduce(e scenarios.Errand) error {
	g := r.plan.Scenario.Groups[e.Group]
	captured := map[string]string{}
	for _, lane := range e.Lanes {
		r.lanes[lane].captured = captured
	}
	if len(g.Setup) == 0 {
		r.errands = append(r.errands, e)
	}
	made := false
	for i, q := range g.Setup {
		failed := SetupFailed{Group: g.Name, Identity: e.Identity, Request: q.Method + " " + q.Path.String()}
		response, body, err := r.patiently(e, r.plan.SetupMessage(e, i, captured))
		if may := err != nil || response.StatusCode < 400 || response.StatusCode >= 500; may && !made && refusal(err) == nil && !errors.Is(err, errUnsent) {
			made, r.errands = true, append(r.errands, e)
		}
		switch {
		case r.stopped.Err() != nil:
			return nil
		case refusal(err) != nil:
			return refusal(err)
		case err != nil:
			failed.Said = r.masked(err.Error())
			return failed
		case response.StatusCode >= 400:
			failed.Said = fmt.Sprintf("status %d: %s", response.StatusCode, cut(visible(r.masked(string(body))), 300))
			if wait := toldBy(response); comesBack(g, response) && wait > setupLongest {
				failed.Said += fmt.Sprintf(" (told to wait %s, and setup waits for at most %s)", wait, setupLongest)
			}
			return failed
		}
		for _, c := range q.Capture {
			value, wrong := capture(c, response.Header, body)
			if wrong != "" {
				failed.Said = wrong
				return failed
			}
			captured[c.Name] = value
			r.keep(value)
		}
	}
	return nil
}

// errUnsent says that the run was stopped before a request of setup was sent.
var errUnsent = errors.New("not sent")

// patiently sends one request of setup, and again if a limiter rejects it, as
// often and as soon as it says. What comes back is the last answer.
func (r *run) patiently(e scenarios.Errand, m scenarios.Message) (response *http.Response, body []byte, err error) {
	for try := range setupTries {
		if !r.may() {
			return response, body, errUnsent
		}
		response, body, err = r.errand(r.stopped, r.lanes[e.Lane], m)
		if err != nil || try == setupTries-1 || !comesBack(r.plan.Scenario.Groups[e.Group], response) {
			break
		}
		wait := toldBy(response)
		if wait < 0 {
			wait = time.Second << try
		}
		if wait > setupLongest || !r.clock.rest(r.stopped, r.clock.now()+wait) {
			break
		}
		r.setupWaits, r.setupWaited = r.setupWaits+1, r.setupWaited+wait
	}
	return response, body, err
}

// comesBack reports whether an answer to setup asks to be tried again: the
// rejection of a limiter, or a server that says when it will be there.
func comesBack(g scenarios.Group, response *http.Response) bool {
	return response.StatusCode == http.StatusTooManyRequests || slices.Contains(g.Promise.Reject.Status, response.StatusCode) ||
		response.StatusCode == http.StatusServiceUnavailable && toldBy(response) >= 0
}

// toldBy is what an answer says to wait; negative: nothing that can be read.
func toldBy(response *http.Response) time.Duration {
	var told limiter.Fields
	for _, name := range []string{"Retry-After", "Date"} {
		for _, value := range response.Header.Values(name) {
			told = append(told, limiter.Field{Name: name, Value: value})
		}
	}
	return retryAfter(told)
}

// tearDown cleans up behind every identity whose setup was begun, and returns
// what went wrong, for people. After an interruption there is little time. A
// request that needs what was never captured is not sent: without it, it might
// clean up too much.
func (r *run) tearDown(ctx context.Context) (notes []string) {
	if r.setupWaits > 0 {
		notes = append(notes, fmt.Sprintf("setup was rejected %s and waited %s in all, as it was told", english.Times(r.setupWaits), r.setupWaited))
	}
	if ctx.Err() != nil {
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		ctx = short
	}
	left, failed, first := 0, 0, ""
	for _, e := range r.errands {
		g := r.plan.Scenario.Groups[e.Group]
		for i, q := range g.Teardown {
			l := r.lanes[e.Lane]
			most := int64(r.options.Budget.Requests)
			if slices.ContainsFunc(r.plan.TeardownNeeds(e, i), func(name string) bool { return l.captured[name] == "" }) {
				left++
				continue
			}
			if ctx.Err() != nil || most > 0 && r.sent.Add(1) > most {
				left++
				continue
			}
			response, _, err := r.errand(ctx, l, r.plan.TeardownMessage(e, i, l.captured))
			if err == nil && response.StatusCode < 400 {
				continue
			}
			if failed++; first == "" {
				said := ""
				if err != nil {
					said = r.masked(err.Error())
				} else {
					said = fmt.Sprintf("status %d", response.StatusCode)
				}
				first = fmt.Sprintf("%s %s: %s", q.Method, q.Path, said)
			}
		}
	}
	if failed > 0 {
		notes = append(notes, fmt.Sprintf("%s of teardown failed; the first was %s", english.Count(failed, "request"), first))
	}
	if left > 0 {
		notes = append(notes, fmt.Sprintf("%s due for teardown and not sent: what setup made may still be on the target", english.Count(left, "request was")))
	}
	return notes
}

// errand sends one request of setup or teardown and reads its answer.
func (r *run) errand(ctx context.Context, l *lane, m scenarios.Message) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout())
	defer cancel()
	// The lane's transport expects a trace, as requests of the plan have one.
	t := l.trace(cancel)
	t.errand = true
	request, err := l.dress(httptrace.WithClientTrace(ctx, t.hooks()), m)
	if err != nil {
		return nil, nil, err
	}
	response, err := l.transport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	return response, body, err
}
