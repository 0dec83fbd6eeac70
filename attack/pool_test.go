package attack

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// A request to warm up would spend allowance.
func TestConnectionsAreWarmedWithoutARequest(t *testing.T) {
	var requests, connections atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	opened := make(chan struct{}, 100)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
			opened <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	p := newPool(Options{}, parse(t, s.URL), scenarios.Transport{}, scenarios.Lane{}.Source, 50)
	defer p.close()
	p.warm(t.Context(), 30)
	for range 30 {
		<-opened
	}
	if requests.Load() != 0 || len(p.spares) != 30 {
		t.Errorf("got %d requests and %d spare connections, want 0 and 30", requests.Load(), len(p.spares))
	}
	client := http.Client{Transport: p.transport}
	answer, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if connections.Load() != 30 || len(p.spares) != 29 || requests.Load() != 1 {
		t.Errorf("after a request: %d connections, %d spare, want 30 and 29", connections.Load(), len(p.spares))
	}
	// A spare that the server may have closed is not used.
	for i := range p.spares {
		p.spares[i].since = time.Now().Add(-fresh - 1)
	}
	if c := p.spare(); c != nil || len(p.spares) != 0 {
		t.Errorf("got a spare connection that is %v old", fresh)
	}
}

func parse(t *testing.T, target string) *url.URL {
	t.Helper()
	u, err := aim(Options{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestABurstFindsWarmConnections(t *testing.T) {
	var dialled, before atomic.Int32 // before the first request
	var first sync.Once
	s := serve(t, func(http.ResponseWriter, *http.Request) {
		first.Do(func() { before.Store(dialled.Load()) })
		time.Sleep(50 * time.Millisecond)
	})
	var all []history.Observation
	o := to(s.URL, &all)
	o.Dial = func(netip.Addr) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			defer dialled.Add(1)
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		}
	}
	complete(t, pacing(t, "{burst: 40}"), o)
	if before.Load() != 40 || dialled.Load() != 40 {
		t.Errorf("%d connections were dialled before the first request, and %d in all, want 40", before.Load(), dialled.Load())
	}
}

func TestConnectionsAreClosedWhenTheRunEnds(t *testing.T) {
	var opened, closed atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	gone := make(chan struct{}, 1000)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed.Add(1)
			gone <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	var all []history.Observation
	complete(t, pacing(t, "{burst: 20}"), to(s.URL, &all))
	for closed.Load() < 20 {
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of %d connections were closed", closed.Load(), opened.Load())
		}
	}
}

func TestNoProxyIsAsked(t *testing.T) {
	if p := newPool(Options{}, parse(t, "http://127.0.0.1"), scenarios.Transport{}, scenarios.Lane{}.Source, 1); p.transport.Proxy != nil {
		t.Error("the transport asks for a proxy, which would move the target without a word")
	}
}

func TestABurstOverTLSShakesHandsBeforehand(t *testing.T) {
	var shaken, before atomic.Int32 // before the first request
	var first sync.Once
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		first.Do(func() { before.Store(shaken.Load()) })
		time.Sleep(50 * time.Millisecond)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are meant to fail
	s.StartTLS()
	defer s.Close()
	var all []history.Observation
	o := to(s.URL, &all)
	complete(t, pacing(t, "{burst: 20}"), o)
	for _, got := range all {
		if got.Error != "tls" || got.Status != 0 {
			t.Fatalf("got %+v of a server that nobody vouches for, want the class tls", got)
		}
	}
	all = nil
	o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	o.TLS.VerifyConnection = func(tls.ConnectionState) error { shaken.Add(1); return nil }
	complete(t, pacing(t, "{burst: 20}"), o)
	for _, got := range all {
		if got.Status != 200 {
			t.Fatalf("got %+v, want an answer", got)
		}
	}
	if before.Load() != 20 || shaken.Load() != 20 {
		t.Errorf("%d handshakes before the first request and %d in all, want 20", before.Load(), shaken.Load())
	}
}
