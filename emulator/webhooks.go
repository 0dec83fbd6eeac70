package emulator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The events of the API.
const (
	eventRegistered = "agent.registered" // somebody signed up
	eventIssued     = "cert.issued"      // and got a Birth Certificate
	eventSent       = "peck.sent"        // a message reached support
	eventElevated   = "trust.elevated"   // an elevation was accepted
)

// SignatureHeader carries the HMAC-SHA256 of a delivery's body, in hexadecimal
// digits behind "sha256=".
const SignatureHeader = "X-Beak-Signature"

// Webhooks say where events are delivered: one after another, in the order in
// which they happened, each as often as it takes (at most deliveryTries).
type Webhooks struct {
	URL       string            // empty: nowhere
	Secret    string            // empty: deliveries are not signed
	Transport http.RoundTripper // nil: net/http
}

const (
	deliveryTries   = 5
	deliveryTimeout = 5 * time.Second
	deliveryPause   = 100 * time.Millisecond // before the second try; doubled each time
	deliveryLate    = 7 * time.Second        // by which the defect holds events back
	mostPending     = 100_000                // events that wait; beyond, they are dropped
)

// A postman delivers events, each when the one before was delivered.
type postman struct {
	Webhooks
	faults Faults
	client *http.Client
	ended  context.Context // of the server: nothing is delivered after it
	end    context.CancelFunc

	numbers atomic.Int64
	pending atomic.Int64

	mu   sync.Mutex
	last chan struct{} // closed when the newest event was delivered; nil: there was none
}

func newPostman(w Webhooks, f Faults) *postman {
	p := &postman{Webhooks: w, faults: f, client: &http.Client{Transport: w.Transport, Timeout: deliveryTimeout}}
	p.ended, p.end = context.WithCancel(context.Background())
	return p
}

// Close gives up the events that were not delivered yet. [Server.Serve] does so
// when it ends.
func (s *Server) Close() { s.postman.end() }

// happened delivers an event about a call.
func (p *postman) happened(kind string, c call) {
	if p.URL == "" {
		return
	}
	n := p.numbers.Add(1)
	due := func(every int) bool { return every > 0 && n%int64(every) == 0 }
	if due(p.faults.EventLoss) || p.pending.Load() >= mostPending {
		return
	}
	data := map[string]string{}
	if email := c.body["email"]; email != "" {
		data["email"] = strings.ToLower(email)
	}
	if c.id != "" {
		data["request_id"] = c.id
	}
	body, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("evt-%06d", n), "type": kind, "created_at": time.Now().UTC().Format(time.RFC3339Nano), "data": data,
	})
	if err != nil {
		panic(err) // texts alone
	}
	p.mu.Lock()
	before, done := p.last, make(chan struct{})
	p.last = done
	p.mu.Unlock()
	p.pending.Add(1)
	go func() {
		defer p.pending.Add(-1)
		defer close(done)
		p.holdBack(n)
		if before != nil && !p.faults.EventReorder {
			<-before
		}
		p.carry(body)
	}()
}

// holdBack waits as long as a fault wants.
func (p *postman) holdBack(n int64) {
	switch {
	case p.faults.EventLate:
		p.sleep(deliveryLate)
	case p.faults.EventReorder && n%2 == 1:
		p.sleep(deliveryLate / 2) // every other one waits, and the next does not
	}
}

// sleep waits, or until the server has ended.
func (p *postman) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ended.Done():
	}
}

// carry delivers one event as often as it takes, or as a fault wants.
func (p *postman) carry(body []byte) {
	pause := deliveryPause
	for range deliveryTries {
		if p.post(body) || p.faults.EventNoRetry {
			break
		}
		p.sleep(pause)
		pause *= 2
	}
	if p.faults.EventTwice {
		p.post(body)
	}
}

// post delivers a body once, and reports whether it was accepted.
func (p *postman) post(body []byte) bool {
	r, err := http.NewRequestWithContext(p.ended, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return true // New has looked at the URL; there is nothing to try again
	}
	r.Header.Set("Content-Type", "application/json")
	if p.Secret != "" && !p.faults.EventUnsigned {
		mac := hmac.New(sha256.New, []byte(p.Secret))
		mac.Write(body)
		r.Header.Set(SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return p.ended.Err() != nil
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	return answer.StatusCode < 300
}
