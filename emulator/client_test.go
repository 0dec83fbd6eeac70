package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	ann = "192.0.2.1"
	bob = "192.0.2.2"
)

// A client asks one server in process.
type client struct {
	t      *testing.T
	server *Server
	source string
	key    string
	header http.Header
	stage  string
	mail   *mailbox // nil: events go nowhere
}

// A response is an answer that was read.
type response struct {
	err    error
	status int
	header http.Header
	code   string // error.code
	body   map[string]any
}

func serving(t *testing.T, c Config) client {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client{t: t, server: s, source: ann, key: DemoKey}
}

func (c client) from(source string) client { c.source = source; return c }
func (c client) with(key string) client    { c.key = key; return c }

func (c client) forging(name, value string) client {
	c.header = http.Header{name: {value}}
	return c
}

func (c client) do(method, path, body string) response {
	c.t.Helper()
	r, err := http.NewRequest(method, "http://emulator"+c.stage+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	return c.read(c.server.Transport(c.source).RoundTrip(r))
}

func (c client) read(resp *http.Response, err error) response {
	c.t.Helper()
	if err != nil {
		return response{err: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	got := response{status: resp.StatusCode, header: resp.Header}
	if err := json.Unmarshal(raw, &got.body); err != nil {
		c.t.Fatalf("body %q: %v", raw, err)
	}
	if e, ok := got.body["error"].(map[string]any); ok {
		got.code, _ = e["code"].(string)
	}
	return got
}

// requests are one good request of each limited group; unique makes it one
// that was not there before.
var requests = map[string]func(c client, unique string) response{
	"metrics": func(c client, _ string) response { return c.do("GET", "/beak/metrics", "") },
	"signup": func(c client, unique string) response {
		return c.do("POST", "/beak/signup", `{"email":"`+unique+`@example.com","password":"x"}`)
	},
	"status": func(c client, _ string) response { return c.do("GET", "/beak/system/status", "") },
	"newsletter": func(c client, unique string) response {
		return c.do("POST", "/beak/newsletter/subscribe", `{"email":"`+unique+`@example.com"}`)
	},
	"support": func(c client, unique string) response {
		return c.do("POST", "/beak/support/contact", `{"email":"a@example.com","message":"`+unique+`"}`)
	},
	"pageview": func(c client, _ string) response {
		return c.do("POST", "/beak/pageview", `{"page":"/docs","referrer":"duckload"}`)
	},
}

var serial int

// ask sends one good request of a group.
func (c client) ask(group string) response {
	c.t.Helper()
	serial++
	return requests[group](c, "n"+url.QueryEscape(time.Duration(serial).String()))
}

// burst counts the answers below 300 until one is not, or there were most.
func (c client) burst(group string, most int) (admitted int, last response) {
	c.t.Helper()
	for admitted < most {
		if last = c.ask(group); last.err != nil || last.status >= 300 {
			return admitted, last
		}
		admitted++
	}
	return admitted, last
}

// limits is the published table once more, written by hand.
var limits = map[string]struct {
	burst    int
	interval time.Duration
	perIP    bool
}{
	"metrics":    {200, 600 * time.Millisecond, false},
	"signup":     {5, 6 * time.Second, true},
	"status":     {120, time.Second, false},
	"newsletter": {2, 12 * time.Second, true},
	"support":    {2, 12 * time.Second, true},
	"pageview":   {1000, 120 * time.Millisecond, false},
}

func bubble(t *testing.T, story func(*testing.T)) {
	t.Helper()
	synctest.Test(t, story)
}
