package attack

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"duckload/history"
	"duckload/scenarios"
)

func TestOnlyLoopbackAndListedHostsAreContacted(t *testing.T) {
	for _, tc := range []struct {
		host, address string
		allowed       []string
		want          bool
	}{
		{"127.0.0.1", "127.0.0.1:80", nil, true},
		{"127.9.9.9", "127.9.9.9:80", nil, true},
		{"::1", "[::1]:80", nil, true},
		{"::ffff:127.0.0.1", "[::ffff:127.0.0.1]:80", nil, true},
		{"0x7f.1", "127.0.0.1:80", nil, true}, // what counts is where it leads
		{"localhost", "127.0.0.1:80", nil, true},
		{"localhost", "192.0.2.1:80", nil, false}, // whatever the name promises
		{"127.0.0.1.example.com", "192.0.2.1:80", nil, false},
		{"0.0.0.0", "0.0.0.0:80", nil, false},
		{"api.example.com", "192.0.2.1:443", nil, false},
		{"api.example.com", "192.0.2.1:443", []string{"example.com"}, false},
		{"api.example.com", "192.0.2.1:443", []string{"xapi.example.com", "api.example.co"}, false},
		{"api.example.com", "192.0.2.1:443", []string{"api.example.com"}, true},
		{"API.Example.com.", "192.0.2.1:443", []string{"api.example.COM:443"}, true},
		{"api.example.com", "127.0.0.1:443", nil, true},
		{"192.0.2.1", "192.0.2.1:80", []string{"192.0.2.2"}, false},
		{"::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80", []string{"192.0.2.1"}, true},
		{"api.example.com", "192.0.2.1:80", []string{"192.0.2.1"}, true},
		{"2001:db8::1", "[2001:db8::1]:80", []string{"2001:DB8:0::1"}, true},
		{"fe80::1%eth0", "[fe80::1%eth0]:80", nil, false},
		{"", "", []string{"x"}, false},
	} {
		err := guard(tc.host, tc.allowed)("tcp", tc.address, nil)
		var denied Denied
		if got := err == nil; got != tc.want || !got && !errors.As(err, &denied) {
			t.Errorf("%s at %s, allowed %v: got %v, want allowed %v", tc.host, tc.address, tc.allowed, err, tc.want)
		}
	}
}

func TestARunAgainstAHostThatIsNotAllowedSendsNothing(t *testing.T) {
	plan := pacing(t, "{burst: 20}")
	for _, target := range []string{"http://192.0.2.1:9", "http://[2001:db8::1]", "https://0.0.0.0"} {
		var all []history.Observation
		end, err := Run(t.Context(), plan, to(target, &all))
		var denied Denied
		if !errors.As(err, &denied) || end.Complete || len(all) != 0 {
			t.Errorf("%s: got %+v, %v and %d observations, want it denied", target, end, err, len(all))
		}
		if err := Preflight(t.Context(), plan, to(target, &all)); !errors.As(err, &denied) {
			t.Errorf("%s: preflight: got %v, want it denied", target, err)
		}
	}
}

// The name meant this machine when the run began, and another one later.
func TestANameThatChangesItsMeaningEndsTheRun(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	var all []history.Observation
	o := to(s.URL, &all)
	var dials atomic.Int32
	o.Dial = func(netip.Addr) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) > 1 {
				return nil, &net.OpError{Op: "dial", Err: guard("localhost", nil)(network, "192.0.2.1:80", nil)}
			}
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		}
	}
	s.Config.SetKeepAlivesEnabled(false) // a connection for each
	end, err := Run(t.Context(), pacing(t, "{hold: 20/s, for: 1h}"), o)
	var denied Denied
	if !errors.As(err, &denied) || end.Complete || end.Reason != "refused" || len(all) != 1 {
		t.Errorf("got %+v, %v and %d observations, want a run that ends after 1", end, err, len(all))
	}
}

func TestATargetIsABaseURL(t *testing.T) {
	for _, target := range []string{
		"", "127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://:80", "http://127.0.0.1@192.0.2.1", "http://u:secret@127.0.0.1",
		"http://127.0.0.1/?q", "http://127.0.0.1/?q=1", "http://127.0.0.1/#f", "http://127.0.0.1:x", "http://\x00", "unix:///tmp/s", "//127.0.0.1",
	} {
		var all []history.Observation
		if _, err := Run(t.Context(), pacing(t, "{burst: 1}"), to(target, &all)); err == nil || len(all) != 0 {
			t.Errorf("%q: got %v and %d requests, want an error and none", target, err, len(all))
		}
	}
}

// A dial function that stands for a source has no guard of its own.
func TestADialFunctionOfOthersStaysOnThisMachine(t *testing.T) {
	o := Options{AllowHosts: []string{"192.0.2.1"}, Dial: func(netip.Addr) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dialled") }
	}}
	for address, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "localhost:80": true, "192.0.2.1:80": false, "127.0.0.1": false, "x.localhost:1": false} {
		_, err := plainDialer(o, netip.Addr{}, dialTimeout)(t.Context(), "tcp", address)
		if got := err.Error() == "dialled"; got != want {
			t.Errorf("%s: got %v, want it dialled: %v", address, err, want)
		}
	}
}

func TestPreflightConnectsAndSendsNoRequest(t *testing.T) {
	var requests atomic.Int32
	s := serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	plan := pacing(t, "{burst: 1}")
	if err := Preflight(t.Context(), plan, Options{Target: s.URL}); err != nil || requests.Load() != 0 {
		t.Errorf("got %v and %d requests, want neither", err, requests.Load())
	}
	s.Close()
	var unreachable Unreachable
	if err := Preflight(t.Context(), plan, Options{Target: s.URL}); !errors.As(err, &unreachable) {
		t.Errorf("got %v of a port that is closed, want it unreachable", err)
	}
	plain := raw(t, func(int, net.Conn) {})
	if err := Preflight(t.Context(), plan, Options{Target: "https" + plain[len("http"):]}); !errors.As(err, &unreachable) {
		t.Errorf("got %v of a port without TLS, want it unreachable", err)
	}
}

func TestSourcesThatAreMissingAreAllNamed(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	plan := pacing(t, "{burst: 1}")
	lane := plan.Lanes[0]
	plan.Lanes = nil
	for _, source := range []string{"", "192.0.2.7", "192.0.2.8", "192.0.2.7"} {
		l := lane
		if source != "" {
			l.Source = netip.MustParseAddr(source)
		}
		plan.Lanes = append(plan.Lanes, l)
	}
	err := Preflight(t.Context(), plan, Options{Target: s.URL})
	joined, ok := err.(interface{ Unwrap() []error })
	var missing NoSource
	if !ok || len(joined.Unwrap()) != 2 || !errors.As(err, &missing) || missing.Source.String() != "192.0.2.7" {
		t.Errorf("got %v, want both sources that this machine lacks", err)
	}
	plan.Lanes = []scenarios.Lane{plan.Lanes[1]}
	var all []history.Observation
	end, err := Run(t.Context(), plan, to(s.URL, &all))
	if !errors.As(err, &missing) || end.Complete || len(all) != 0 {
		t.Errorf("got %+v and %v, want a run that ends without a request", end, err)
	}
}
