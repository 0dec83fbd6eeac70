package attack

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// runHeader lets the owner of a target see which run a request belongs to.
const runHeader = "X-Duckload-Run"

// request makes the request of a number in the lane and says which of the
// group's requests it is.
func (l *lane) request(ctx context.Context, seq uint64) (*http.Request, int, error) {
	m := l.plan.Message(l.index, seq)
	var body io.Reader
	if m.Body != "" {
		body = strings.NewReader(m.Body)
	}
	r, err := http.NewRequestWithContext(ctx, m.Method, behind(l.target, m.Path), body)
	if err != nil {
		return nil, m.Request, err
	}
	r.Header.Set("User-Agent", l.options.UserAgent)
	r.Header.Set(runHeader, l.plan.Run)
	for _, h := range m.Headers {
		r.Header.Set(h.Name, h.Value)
		if strings.EqualFold(h.Name, "Host") {
			r.Host = h.Value
		}
	}
	return r, m.Request, nil
}

// behind puts a path and its query behind the path of the base URL.
func behind(base *url.URL, path string) string {
	root := *base
	root.RawQuery, root.Fragment = "", ""
	return strings.TrimSuffix(root.String(), "/") + path
}
