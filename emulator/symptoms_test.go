package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const oneSignup = `{"email":"one@example.com","password":"x"}`

// otherSymptoms are those of effects, webhooks and the error table, beside
// those of limits.
var otherSymptoms = map[string]func(c client) bool{
	"accepts-again": func(c client) bool {
		c.do("POST", "/beak/signup", oneSignup)
		return c.do("POST", "/beak/signup", oneSignup).status == 201
	},
	"does-twice": func(c client) bool {
		c.do("POST", "/beak/signup", oneSignup)
		return c.times("one@example.com") == 2
	},
	"does-nothing": func(c client) bool {
		return c.do("POST", "/beak/signup", oneSignup).status == 201 && c.times("one@example.com") == 0
	},

	// A signup has two events.
	"webhook-loss":    func(c client) bool { return len(c.mailed(3)) == 4 },
	"webhook-late":    func(c client) bool { m := c.mailed(1); return len(m) == 2 && m[0].after >= 7*time.Second },
	"webhook-twice":   func(c client) bool { m := c.mailed(1); return len(m) == 4 && m[0].id == m[1].id && m[2].id == m[3].id },
	"webhook-reorder": func(c client) bool { m := c.mailed(1); return len(m) == 2 && m[0].id > m[1].id },
	"webhook-no-retry": func(c client) bool {
		c.mail.refuse = 1
		return len(c.mailed(1)) == 2 // the first one was refused
	},
	"webhook-unsigned": func(c client) bool {
		return slices.ContainsFunc(c.mailed(1), func(l letter) bool { return l.signature == "" })
	},

	"key-not-needed": func(c client) bool { return c.with("").ask("support").status < 300 },
	"tier-not-needed": func(c client) bool {
		return c.with(DemoKeyT0).ask("support").status < 300 && c.with("").ask("support").code == "E4001"
	},
	"query-key-unseen": func(c client) bool {
		return c.with("").do("POST", "/beak/pageview?beak_key="+DemoKey, `{"page":"/","referrer":"x"}`).status == 401
	},
	"missing-key-code-wrong": func(c client) bool { r := c.with("").ask("support"); return r.status == 401 && r.code == "E4002" },
	"low-tier-status-wrong": func(c client) bool {
		r := c.with(DemoKeyT0).ask("support")
		return r.status == 401 && r.code == "E4002"
	},
	"low-tier-told-of-key": func(c client) bool {
		r := c.with(DemoKeyT0).ask("support")
		return r.status == 401 && r.code == "E4001"
	},
	"exists-status-200": func(c client) bool {
		c.do("POST", "/beak/signup", oneSignup)
		r := c.do("POST", "/beak/signup", oneSignup)
		return r.status == 200 && r.code == "E4003"
	},
	"limited-code-unknown": func(c client) bool { r := c.refused(); return r.status == 429 && r.code == "E4999" },
	"fault-status-503": func(c client) bool {
		return c.share(func(r response, _ time.Duration) bool { return r.status == 503 && r.code == "E5001" }) == 6
	},
}

// times asks how often something was done for an address.
func (c client) times(email string) float64 {
	n, _ := c.do("GET", Ledger+"?email="+email, "").body["times"].(float64)
	return n
}

// mailed signs up so often, waits for all that may be delivered, and returns
// it.
func (c client) mailed(signups int) []letter {
	began := time.Now()
	for range signups {
		c.ask("signup")
	}
	time.Sleep(5 * time.Minute)
	c.mail.mu.Lock()
	defer c.mail.mu.Unlock()
	for i := range c.mail.letters {
		c.mail.letters[i].after = c.mail.letters[i].at.Sub(began)
	}
	return c.mail.letters
}

// A mailbox is where a server delivers its events.
type mailbox struct {
	mu      sync.Mutex
	letters []letter
	refuse  int // so many of the first
}

type letter struct {
	id, signature string
	at            time.Time
	after         time.Duration
}

func (m *mailbox) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var event struct{ ID string }
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, letter{id: event.ID, signature: r.Header.Get(SignatureHeader), at: time.Now()})
	status := http.StatusNoContent
	if len(m.letters) <= m.refuse {
		status = http.StatusServiceUnavailable
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

// mailing is a client of a server that delivers events.
func mailing(t *testing.T, c Config) client {
	t.Helper()
	box := &mailbox{}
	c.Webhooks = Webhooks{URL: "http://mailbox/", Secret: strings.Repeat("s", 8), Transport: box}
	client := serving(t, c)
	client.mail = box
	return client
}
