package attack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duckload/history"
	"duckload/scenarios"
)

// secure serves over TLS with a certificate for example.com and 127.0.0.1, and
// returns the certificate in PEM.
func secure(t *testing.T, change func(*httptest.Server), h http.HandlerFunc) (s *httptest.Server, roots []byte) {
	t.Helper()
	s = httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if change != nil {
		change(s)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// travels returns a plan of one lane whose group travels in a certain way.
func travels(t *testing.T, how scenarios.Transport, phases string) scenarios.Plan {
	plan := pacing(t, phases)
	plan.Scenario.Groups[0].Transport = how
	return plan
}

func TestHTTP2IsSpokenWhereItIsAskedFor(t *testing.T) {
	for _, tc := range []struct {
		http int
		want string
	}{{0, "HTTP/1.1"}, {2, "HTTP/2.0"}} {
		var opened, odd atomic.Int32
		s, roots := secure(t, func(s *httptest.Server) {
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
		}, func(_ http.ResponseWriter, r *http.Request) {
			if r.Proto != tc.want {
				odd.Add(1)
			}
		})
		var all []history.Observation
		complete(t, travels(t, scenarios.Transport{HTTP: tc.http, TLS: scenarios.TLS{Roots: roots}}, "{burst: 30}, {hold: 100/s, for: 200ms}"), to(s.URL, &all))
		for _, o := range all {
			if o.Status != 200 || o.Resent || o.Sent < o.Intended {
				t.Errorf("%s: got %+v, want an answer", tc.want, o)
			}
		}
		if len(all) != 50 || odd.Load() != 0 {
			t.Errorf("got %d requests, %d of them not by %s, want 50", len(all), odd.Load(), tc.want)
		}
		if tc.http == 2 && opened.Load() != 1 {
			t.Errorf("got %d connections, want all requests on one", opened.Load())
		}
	}
}

// Without reuse each request has a connection of its own, with HTTP/2 as with
// HTTP/1.1.
func TestARequestMayHaveAConnectionOfItsOwn(t *testing.T) {
	for _, version := range []int{0, 2} {
		var opened atomic.Int32
		var mu sync.Mutex
		on := map[any]bool{} // connections; a port may be that of an earlier one
		type connection struct{}
		s, roots := secure(t, func(s *httptest.Server) {
			s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) }
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
		}, func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			on[r.Context().Value(connection{})] = true
		})
		var all []history.Observation
		complete(t, travels(t, scenarios.Transport{HTTP: version, OneShot: true, TLS: scenarios.TLS{Roots: roots}}, "{burst: 20}, {hold: 50/s, for: 200ms}"), to(s.URL, &all))
		for _, o := range all {
			if o.Status != 200 || o.Resent || o.Sent < o.Intended {
				t.Errorf("HTTP %d: got %+v, want an answer", version, o)
			}
		}
		if len(all) != 30 || len(on) != 30 || opened.Load() != 30 {
			t.Errorf("HTTP %d: got %d requests over %d connections of %d that were opened, want 30 each over its own", version, len(all), len(on), opened.Load())
		}
	}
}

// A server bounds how many requests are under way on a connection: the rest
// wait for a place on it.
func TestMoreRequestsThanHTTP2AllowsAtOnceAreAllSent(t *testing.T) {
	var opened, requests atomic.Int32
	s, roots := secure(t, func(s *httptest.Server) {
		s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 10}
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
	}, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	var all []history.Observation
	complete(t, travels(t, scenarios.Transport{HTTP: 2, TLS: scenarios.TLS{Roots: roots}}, "{burst: 150}, {rest: 100ms}, {burst: 150}"), to(s.URL, &all))
	for _, o := range all {
		if o.Status != 200 || o.Resent {
			t.Errorf("got %+v, want an answer", o)
		}
	}
	if len(all) != 300 || requests.Load() != 300 || opened.Load() != 1 {
		t.Errorf("got %d observations of %d requests on %d connections, want 300 on one", len(all), requests.Load(), opened.Load())
	}
}

func TestAnHTTP2ConnectionThatEndedHasASuccessor(t *testing.T) {
	var requests, opened atomic.Int32
	s, roots := secure(t, func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
	}, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 3 {
			w.Header().Set("Connection", "close") // HTTP/2 says so with GOAWAY
		}
	})
	var all []history.Observation
	complete(t, travels(t, scenarios.Transport{HTTP: 2, TLS: scenarios.TLS{Roots: roots}}, "{burst: 3}, {rest: 300ms}, {burst: 1}, {hold: 50/s, for: 100ms}"), to(s.URL, &all))
	for _, o := range all {
		if o.Status != 200 || o.Resent {
			t.Errorf("got %+v, want an answer", o)
		}
	}
	if len(all) != 9 || opened.Load() != 2 {
		t.Errorf("got %d requests on %d connections, want 9 on two", len(all), opened.Load())
	}
}

func TestATargetWithoutHTTP2IsNoTargetForIt(t *testing.T) {
	s, roots := secure(t, func(s *httptest.Server) { s.EnableHTTP2 = false }, func(http.ResponseWriter, *http.Request) {})
	plan := travels(t, scenarios.Transport{HTTP: 2, TLS: scenarios.TLS{Roots: roots}}, "{burst: 1}")
	var all []history.Observation
	err := Preflight(t.Context(), plan, to(s.URL, &all))
	var unreachable Unreachable
	if !errors.As(err, &unreachable) {
		t.Errorf("got %v, want the target found unusable before anything is sent", err)
	}
}

func TestOnlyACertificateThatIsTrustedIsAccepted(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		s, roots := secure(t, nil, func(http.ResponseWriter, *http.Request) {})
		for _, tc := range []struct {
			tls  scenarios.TLS
			want string
		}{
			{scenarios.TLS{}, "tls"},
			{scenarios.TLS{Roots: roots}, ""},
			{scenarios.TLS{Anyone: true}, ""},
		} {
			var all []history.Observation
			complete(t, travels(t, scenarios.Transport{Fast: transport == "fast", TLS: tc.tls}, "{burst: 1}"), to(s.URL, &all))
			if all[0].Error != tc.want {
				t.Errorf("got %+v, want the failure %q", all[0], tc.want)
			}
		}
	})
}

func TestACertificateOfOurOwnIsShown(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	both(t, func(t *testing.T, transport string) {
		var serial atomic.Int64
		s, roots := secure(t, func(s *httptest.Server) {
			s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		}, func(_ http.ResponseWriter, r *http.Request) {
			serial.Store(r.TLS.PeerCertificates[0].SerialNumber.Int64())
		})
		var all []history.Observation
		complete(t, travels(t, scenarios.Transport{Fast: transport == "fast", TLS: scenarios.TLS{
			Roots: roots,
			Cert:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
			Key:   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		}}, "{burst: 1}"), to(s.URL, &all))
		if all[0].Status != 200 || serial.Load() != 7 {
			t.Errorf("got %+v with certificate %d, want an answer and number 7", all[0], serial.Load())
		}
	})
}

func TestATargetLeadsWhereTheScenarioSays(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		hosts := make(chan string, 1)
		s, roots := secure(t, nil, func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host + " " + r.TLS.ServerName })
		_, port, err := net.SplitHostPort(s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		how := scenarios.Transport{Fast: transport == "fast", Resolve: netip.MustParseAddr("127.0.0.1"), TLS: scenarios.TLS{Roots: roots}}
		var all []history.Observation
		complete(t, travels(t, how, "{burst: 1}"), to("https://example.com:"+port, &all))
		if got, want := <-hosts, "example.com:"+port+" example.com"; got != want {
			t.Errorf("got the host and the name %q, want %q", got, want)
		}
		how.Host = "other.example"
		complete(t, travels(t, how, "{burst: 1}"), to("https://example.com:"+port, &all))
		if got, want := <-hosts, "other.example example.com"; got != want {
			t.Errorf("got the host and the name %q, want %q", got, want)
		}
		how.Resolve = netip.MustParseAddr("192.0.2.1")
		o := to("https://example.com:"+port, &all)
		o.AllowHosts = []string{"example.com"}
		_, err = Run(t.Context(), travels(t, how, "{burst: 1}"), o)
		var denied Denied
		if !errors.As(err, &denied) || denied.Host != "192.0.2.1" || len(all) != 2 {
			t.Errorf("got %v and %d requests, want the address denied", err, len(all))
		}
	})
}

func TestSourcesMayBeIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	both(t, func(t *testing.T, transport string) {
		from := make(chan string, 1)
		s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			from <- host
		})}
		go s.Serve(l)
		defer s.Close()
		plan := travels(t, scenarios.Transport{Fast: transport == "fast"}, "{burst: 1}")
		plan.Lanes[0].Source = netip.IPv6Loopback()
		var all []history.Observation
		complete(t, plan, to("http://"+l.Addr().String(), &all))
		if got := <-from; got != "::1" {
			t.Errorf("got a request from %s, want ::1", got)
		}
		if l, err = net.Listen("tcp", "[::1]:0"); err != nil {
			t.Fatal(err)
		}
	})
	l.Close()
}

// A target that echoes the address it saw may have seen another one: behind a
// proxy, all senders are one.
func TestASourceThatTheTargetDidNotSeeIsNoted(t *testing.T) {
	for _, tc := range []struct{ seen, want string }{
		{"127.0.0.2", ""},
		{"::ffff:127.0.0.2", ""},
		{"10.1.1.1", "the target saw \"10.1.1.1\" where 127.0.0.2 sent (limits by address would count somebody else)"},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Duckload-Source", tc.seen) })
		plan := pacing(t, "{burst: 3}")
		plan.Lanes[0].Source = netip.MustParseAddr("127.0.0.2")
		var all []history.Observation
		o := to(s.URL, &all)
		o.Dial = func(netip.Addr) func(context.Context, string, string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext
		}
		end := complete(t, plan, o)
		if got := strings.Join(end.Notes, "; "); got != tc.want {
			t.Errorf("saw %s: got the notes %q, want %q", tc.seen, got, tc.want)
		}
	}
}

// The rate is held while the target is slow: requests go out at their moments
// whatever is still without an answer. There are as many senders as requests: on
// a machine that is busy, many more answers are late than the target's.
func TestASlowTargetDoesNotSlowTheRate(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		s := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(300 * time.Millisecond) })
		var all []history.Observation
		end := complete(t, travels(t, scenarios.Transport{Fast: transport == "fast", Connections: 40}, "{hold: 50/s, for: 400ms}, {ramp: 20/s -> 60/s, for: 500ms}"), to(s.URL, &all))
		if end.Offered != len(all) || len(end.Notes) != 0 {
			t.Errorf("got %d observations of %d and notes %q, want all and none", len(all), end.Offered, end.Notes)
		}
		under := 0
		for _, o := range all {
			if o.Sent < all[0].Done {
				under++
			}
		}
		if under < 2 {
			t.Errorf("got %d requests sent before the first answer, want many", under)
		}
	})
}

// With too few connections for a slow target the rate cannot be held. Nothing
// is lost then, and the shortfall is told.
func TestSaturationIsToldAndLosesNothing(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		s := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) })
		var all []history.Observation
		end := complete(t, travels(t, scenarios.Transport{Fast: transport == "fast", Connections: 2}, "{hold: 400/s, for: 250ms}"), to(s.URL, &all))
		if end.Offered != 100 || len(all) != 100 {
			t.Errorf("got %d observations of %d, want 100 of 100", len(all), end.Offered)
		}
		if notes := strings.Join(end.Notes, "; "); !strings.Contains(notes, "had to wait") {
			t.Errorf("got the notes %q, want one of requests that had to wait", notes)
		}
	})
}
