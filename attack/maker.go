package attack

import (
	"context"
	"io"
	"net/http"
	"strings"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// runHeader lets the owner of a target see which run a request belongs to.
const runHeader = "X-Duckload-Run"

// request makes a request of the lane and says which of the group's requests it
// is. Nothing of vegeta's own request is in it: a limiter
// that looks at headers would see a new client each time.
func (l *lane) request(ctx context.Context, o *history.Observation) (*http.Request, int, error) {
	m := l.message(o)
	r, err := l.dress(ctx, m)
	return r, m.Request, err
}

// message returns a request, with what the setup captured.
func (l *lane) message(o *history.Observation) scenarios.Message {
	if o.Look != limiter.LookNone {
		return l.plan.Looked(l.index, o.Look, o.Of, l.captured)
	}
	return l.plan.MessageWith(l.index, o.Seq, l.captured)
}

// dress makes a request that the lane's transport can send.
func (l *lane) dress(ctx context.Context, m scenarios.Message) (*http.Request, error) {
	var body io.Reader
	if m.Body != "" {
		body = strings.NewReader(m.Body)
	}
	r, err := http.NewRequestWithContext(ctx, m.Method, l.base+m.Path, body)
	if err != nil {
		return nil, err
	}
	if host := l.group.Transport.Host; host != "" {
		r.Host = host
	}
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, "Host") {
			r.Host = h.Value
			continue
		}
		r.Header.Set(h.Name, h.Value)
	}
	// A scenario may look like somebody else, but not hide who it is.
	r.Header.Set("User-Agent", strings.TrimSpace(r.Header.Get("User-Agent")+" "+l.options.UserAgent))
	r.Header.Set(runHeader, l.plan.Run)
	return r, nil
}
