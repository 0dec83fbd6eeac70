package attack

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"duckload/scenarios"
)

// A maker makes the requests of a lane.
type maker struct {
	plan     scenarios.Plan
	group    scenarios.Group
	identity scenarios.Identity
	target   *url.URL
	agent    string
	lane     uint64
	lanes    uint64
	turns    []int // indices into the group's requests, as often as their weight
}

// runHeader lets the owner of a target see which run a request belongs to.
const runHeader = "X-Duckload-Run"

func newMaker(plan scenarios.Plan, lane int, target *url.URL, agent string) maker {
	of := plan.Lanes[lane]
	m := maker{
		plan: plan, target: target, agent: agent,
		group: plan.Scenario.Groups[of.Group],
		lane:  uint64(lane), lanes: uint64(len(plan.Lanes)),
	}
	for _, identity := range plan.Scenario.Identities {
		if identity.Name == of.Identity {
			m.identity = identity
		}
	}
	for i, request := range m.group.Requests {
		for range max(1, request.Weight) {
			m.turns = append(m.turns, i)
		}
	}
	return m
}

// request makes the request of a number in the lane and says which of the
// group's requests it is. Lanes of a group must not share unique values, so
// each has numbers of its own.
func (m maker) request(ctx context.Context, seq uint64) (*http.Request, int, error) {
	which := m.turns[seq%uint64(len(m.turns))]
	request := m.group.Requests[which]
	number := seq*m.lanes + m.lane
	render := func(t scenarios.Template) string { return t.Render(m.plan.Run, m.group.Name, number) }

	address := *m.target
	path, query, _ := strings.Cut(render(request.Path), "?")
	address.Path, address.RawPath = joined(m.target, path)
	address.RawQuery = query
	values := address.Query()
	for _, pair := range append(request.Query[:len(request.Query):len(request.Query)], m.identity.Query...) {
		values.Add(pair.Name, render(pair.Value))
	}
	if len(values) > 0 {
		address.RawQuery = values.Encode()
	}
	var body io.Reader
	if !request.Body.Empty() {
		body = strings.NewReader(render(request.Body))
	}
	r, err := http.NewRequestWithContext(ctx, request.Method, address.String(), body)
	if err != nil {
		return nil, which, err
	}
	if request.Type != "" {
		r.Header.Set("Content-Type", request.Type)
	}
	r.Header.Set("User-Agent", m.agent)
	r.Header.Set(runHeader, m.plan.Run)
	for _, pair := range append(m.identity.Headers[:len(m.identity.Headers):len(m.identity.Headers)], request.Headers...) {
		r.Header.Set(pair.Name, render(pair.Value))
		if http.CanonicalHeaderKey(pair.Name) == "Host" {
			r.Host = render(pair.Value)
		}
	}
	return r, which, nil
}

// joined puts a path behind that of the base URL, as it was escaped.
func joined(base *url.URL, path string) (plain, raw string) {
	raw = strings.TrimSuffix(base.EscapedPath(), "/") + path
	plain, err := url.PathUnescape(raw)
	if err != nil {
		return raw, ""
	}
	return plain, raw
}
