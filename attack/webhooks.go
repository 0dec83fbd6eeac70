package attack

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// Bounds of what deliveries may cost.
const (
	maxDelivery   = 64 << 10  // bytes of one
	maxDeliveries = 200_000   // that are kept
	maxCausing    = 2_000_000 // values of requests that are remembered
	maxName       = 200       // bytes of what a delivery says of itself
)

// Hooks take the deliveries of webhooks and find out which requests they belong
// to. They are an http.Handler.
type hooks struct {
	*run
	of     *scenarios.Webhooks
	secret string

	mu       sync.Mutex
	closed   bool
	causes   map[cause]place // by what an event says
	awaited  map[await]bool  // events of admitted requests that did not come yet
	missing  int             // how many of those
	refusals map[string]int  // how many of each kind were refused
	refused  map[string]bool // ids of events that were refused once
	kept     int
	left     int           // deliveries and values beyond the bounds
	answered time.Duration // latest answer to a request that causes events
}

// A cause is an event's kind and a digest of the value that says whose it is.
type cause struct {
	event  string
	digest [16]byte
}

type place struct {
	lane int
	seq  uint64
}

type await struct {
	event string
	place
}

func digestOf(value string) (d [16]byte) {
	sum := sha256.Sum256([]byte(value))
	copy(d[:], sum[:])
	return d
}

func newHooks(r *run) *hooks {
	of := r.plan.Scenario.Webhooks
	if of == nil || r.options.Listen == nil {
		return nil
	}
	return &hooks{run: r, of: of, secret: of.Reveal(), causes: map[cause]place{}, awaited: map[await]bool{}, refused: map[string]bool{}, refusals: map[string]int{}}
}

// sends remembers the values of a request before it leaves.
func (h *hooks) sends(l *lane, seq uint64) {
	if h == nil || len(l.events) == 0 {
		return
	}
	for _, m := range l.events {
		c := cause{m.Event, digestOf(h.plan.EventValue(l.index, seq, m, l.captured))}
		h.mu.Lock()
		if len(h.causes) < maxCausing {
			h.causes[c] = place{l.index, seq}
		} else {
			h.left++
		}
		h.mu.Unlock()
	}
}

// ended takes the end of a request: one that was admitted causes events.
func (h *hooks) ended(l *lane, o history.Observation, outcome limiter.Outcome) {
	if h == nil || len(l.events) == 0 || o.Look == limiter.LookAfter {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered = max(h.answered, o.Done)
	if e, ok := l.group.Promise.EffectOf(o.Request); outcome != limiter.Admitted || ok && e.Happened.Of(o.Status, o.Evidence) {
		return
	}
	at := place{l.index, o.Seq}
	if o.Look == limiter.LookAgain {
		at.seq = o.Of
	}
	for _, m := range l.events {
		// false: it came already, before the answer.
		if _, known := h.awaited[await{m.Event, at}]; !known && len(h.awaited) < maxCausing {
			h.awaited[await{m.Event, at}] = true
			h.missing++
		}
	}
}

// ServeHTTP takes a delivery.
func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != h.of.Path || r.Method != http.MethodPost {
		http.Error(w, "deliveries are POST "+h.of.Path, http.StatusNotFound)
		return
	}
	at := h.clock.now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if err != nil {
		http.Error(w, "the body cannot be read, or is too long", http.StatusRequestEntityTooLarge)
		body = nil
	}
	e := h.event(body, r.Header.Get(h.of.Signature))
	e.At = at
	if err != nil {
		e.Answered = http.StatusRequestEntityTooLarge
	}
	if h.keep(&e); err == nil {
		w.WriteHeader(e.Answered)
	}
}

// event reads a delivery.
func (h *hooks) event(body []byte, signature string) history.Event {
	e := history.Event{Answered: http.StatusOK}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		e.Wrong, e.Answered = "body", http.StatusBadRequest
		return e
	}
	say := func(path string) string {
		value, _ := at(tree, path)
		return strings.ToValidUTF8(value[:min(len(value), maxName)], "?")
	}
	if e.Kind = say(h.of.Event); e.Kind == "" {
		e.Wrong = "body"
	}
	if h.of.ID != "" {
		e.ID = say(h.of.ID)
	}
	if h.secret != "" && !signed(body, h.secret, signature) {
		e.Wrong = "signature"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.of.Match {
		if m.Event != e.Kind {
			continue
		}
		value, ok := at(tree, m.JSON)
		if !ok {
			continue
		}
		if p, ok := h.causes[cause{m.Event, digestOf(value)}]; ok {
			e.Lane, e.Seq, e.Matched = p.lane, p.seq, true
		}
	}
	return e
}

// signed reports whether a body carries its signature: HMAC-SHA256 in
// hexadecimal digits, alone or behind "sha256=".
func signed(body []byte, secret, signature string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}

// keep decides whether a delivery is taken, and records it.
func (h *hooks) keep(e *history.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Matched && e.Wrong == "" && e.ID != "" && h.refusals[e.Kind] < h.of.Refuse && !h.refused[e.ID] {
		h.refused[e.ID] = true
		h.refusals[e.Kind]++
		e.Answered = http.StatusServiceUnavailable
	}
	if e.Matched && e.Answered == http.StatusOK {
		of := await{e.Kind, place{e.Lane, e.Seq}}
		if h.awaited[of] {
			h.missing--
		}
		if len(h.awaited) < maxCausing {
			h.awaited[of] = false
		}
	}
	if h.closed {
		return
	}
	if h.kept == maxDeliveries {
		h.left++
		return
	}
	h.kept++
	kept := *e
	kept.Kind, kept.ID = h.blankText(kept.Kind), h.blankText(kept.ID)
	h.run.ended <- ended{hook: &kept}
}

// blankText is a text without the secrets of the run.
func (r *run) blankText(text string) string {
	return r.blank(limiter.Fields{{Value: text}})[0].Value
}

// wait listens until every event has come that must, and a while longer for
// those that must not; then nothing more is recorded. It returns until when.
func (h *hooks) wait() time.Duration {
	const glance = 10 * time.Millisecond
	for h.clock.rest(h.stopped, h.clock.now()+glance) {
		h.mu.Lock()
		until := h.answered + h.of.Grace
		if h.missing > 0 {
			until = h.answered + h.of.Within + h.of.Grace
		}
		h.mu.Unlock()
		if h.clock.now() >= until {
			break
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return h.clock.now()
}

// notes say what was left out.
func (h *hooks) notes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left == 0 {
		return nil
	}
	return []string{"there were more deliveries of webhooks, or requests that cause them, than are kept: nothing is said about the others"}
}
