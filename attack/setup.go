package attack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"

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

// farewell is how long teardown may take once a run was stopped.
const farewell = 250 * time.Millisecond

// maxCaptured bounds a captured value; servers allow no longer headers.
const maxCaptured = 8 << 10

// setUp sends the setup of every identity, one after another, before the first
// moment of the plan. It counts against the budget and is no observation.
func (r *run) setUp() error {
	for _, e := range r.plan.Errands() {
		g := r.plan.Scenario.Groups[e.Group]
		captured := map[string]string{}
		for i, q := range g.Setup {
			if !r.may() {
				return nil // the end says why
			}
			m := r.plan.SetupMessage(e, i, captured)
			failed := SetupFailed{Group: g.Name, Identity: e.Identity, Request: q.Method + " " + q.Path.String()}
			response, body, err := r.errand(r.stopped, r.lanes[e.Lane], m)
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
		for _, lane := range e.Lanes {
			r.lanes[lane].captured = captured
		}
		r.errands = append(r.errands, e)
	}
	return nil
}

// tearDown cleans up behind every identity that was set up, and returns what
// went wrong, for people. After a run that was stopped there is little time.
func (r *run) tearDown(ctx context.Context) (notes []string) {
	if r.stopped.Err() != nil {
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		ctx = short
	}
	left, failed, first := 0, 0, ""
	for _, e := range r.errands {
		g := r.plan.Scenario.Groups[e.Group]
		for i, q := range g.Teardown {
			most := int64(r.options.Budget.Requests)
			if ctx.Err() != nil || most > 0 && r.sent.Add(1) > most {
				left++
				continue
			}
			l := r.lanes[e.Lane]
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
		notes = append(notes, fmt.Sprintf("%d requests of teardown failed; the first was %s", failed, first))
	}
	if left > 0 {
		notes = append(notes, fmt.Sprintf("%d requests of teardown were not sent: what setup made is still on the target", left))
	}
	return notes
}

// errand sends one request of setup or teardown and reads its answer.
func (r *run) errand(ctx context.Context, l *lane, m scenarios.Message) (*http.Response, []byte, error) {
	timeout := l.options.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// The lane's transport expects a trace, as requests of the plan have one.
	t := l.trace(cancel)
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

// capture finds a value in an answer, or says why it cannot be used. It never
// repeats one.
func capture(c scenarios.Capture, h http.Header, body []byte) (value, wrong string) {
	from := "header " + c.Header
	if c.Header != "" {
		value = h.Get(c.Header)
	} else {
		from = "JSON value " + c.JSON
		value = pick(body, strings.Split(c.JSON, "."))
	}
	switch {
	case value == "":
		return "", fmt.Sprintf("the answer has no %s, which is captured as %s", from, c.Name)
	case len(value) > maxCaptured:
		return "", fmt.Sprintf("%s is longer than %d bytes", from, maxCaptured)
	case strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "", fmt.Sprintf("%s holds control characters", from)
	}
	return value, ""
}

// pick returns the text, number or boolean at a path of a JSON body; empty:
// there is none.
func pick(body []byte, path []string) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var at any
	if decoder.Decode(&at) != nil {
		return ""
	}
	for _, name := range path {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return ""
			}
			at = v[i]
		default:
			return ""
		}
	}
	switch at.(type) {
	case string, json.Number, bool:
		return fmt.Sprint(at)
	}
	return ""
}
