package emulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestATransportCallsTheHooksOfASocketInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		tr := serving(t, SpaceDuck()).server.Transport("192.0.2.77")
		tr.Delay = func(*http.Request) (time.Duration, time.Duration) {
			return 30 * time.Millisecond, 50 * time.Millisecond
		}
		var seen []string
		began := time.Now()
		note := func(what string) { seen = append(seen, what+" "+time.Since(began).String()) }
		r, _ := http.NewRequest("GET", "http://emulator:80/beak/metrics", nil)
		r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GetConn:              func(host string) { note("get " + host) },
			GotConn:              func(i httptrace.GotConnInfo) { note("got " + strings.Split(i.Conn.LocalAddr().String(), ":")[0]) },
			WroteRequest:         func(httptrace.WroteRequestInfo) { note("wrote") },
			GotFirstResponseByte: func() { note("first byte") },
		}))
		resp, err := tr.RoundTrip(r)
		if err != nil || resp.StatusCode != 200 || resp.Header.Get(SourceHeader) != "192.0.2.77" {
			t.Fatalf("%v, %v", resp, err)
		}
		if want := []string{"get emulator:80 0s", "got 192.0.2.77 0s", "wrote 0s", "first byte 80ms"}; !slices.Equal(seen, want) {
			t.Errorf("got %q, want %q", seen, want)
		}
	})
}

// The decision falls when the request arrives, not when it leaves.
func TestDelayedRequestsAreDecidedWhenTheyArrive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		c.burst("newsletter", 2)
		tr := c.server.Transport(ann)
		tr.Delay = func(*http.Request) (time.Duration, time.Duration) { return 12 * time.Second, time.Hour }
		r, _ := http.NewRequest("POST", "http://emulator/beak/newsletter/subscribe", strings.NewReader(`{"email":"a@example.com"}`))
		r.Header.Set("Authorization", "bearer "+DemoKey)
		if resp, err := tr.RoundTrip(r); err != nil || resp.StatusCode != 200 {
			t.Errorf("%v, %v; want admitted by the token of second 12", resp, err)
		}
	})
}

// A client that leaves takes nothing back.
func TestARequestUnderWayIsDecidedAlthoughNobodyWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		tr := c.server.Transport(ann)
		tr.Delay = func(*http.Request) (time.Duration, time.Duration) { return time.Second, time.Second }
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			r, _ := http.NewRequestWithContext(ctx, "POST", "http://emulator/beak/newsletter/subscribe", nil)
			began := time.Now()
			if _, err := tr.RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 100*time.Millisecond {
				t.Errorf("%v after %s, want the deadline after 100ms", err, time.Since(began))
			}
			cancel()
		}
		time.Sleep(time.Second)
		if got := c.ask("newsletter"); got.status != 429 {
			t.Errorf("got %d, want 429: two were counted", got.status)
		}
	})
}

func TestASlowAnswerEndsWithItsClient(t *testing.T) {
	bubble(t, func(t *testing.T) {
		config := SpaceDuck()
		config.Faults.SlowEvery, config.Faults.Slow = 1, time.Hour
		tr := serving(t, config).server.Transport(ann)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", "http://emulator/beak/metrics", nil)
		began := time.Now()
		if _, err := tr.RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s, want the deadline after 1s", err, time.Since(began))
		}
	})
}

func TestATransportSendsNothingOfAnEndedContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serving(t, SpaceDuck())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		body := &closing{Reader: bytes.NewReader(nil)}
		r, _ := http.NewRequestWithContext(ctx, "POST", "http://emulator/beak/newsletter/subscribe", body)
		if _, err := c.server.Transport(ann).RoundTrip(r); !errors.Is(err, context.Canceled) || !body.closed {
			t.Errorf("%v, body closed %v; want canceled and closed", err, body.closed)
		}
		if got, _ := c.burst("newsletter", 2); got != 2 {
			t.Errorf("%d admitted, want both", got)
		}
	})
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// http.Client adds its own rules: a transport must obey them.
func TestATransportServesAnHTTPClient(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := http.Client{Transport: serving(t, SpaceDuck()).server.Transport(ann), Timeout: time.Second}
		resp, err := client.Post("http://emulator/prod/beak/signup", "application/json", strings.NewReader(`{"email":"a@example.com","password":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 201 || resp.Status != "201 Created" || resp.ContentLength != int64(len(body)) {
			t.Errorf("%s, %d of %d bytes; want 201 Created and all", resp.Status, len(body), resp.ContentLength)
		}
	})
}
