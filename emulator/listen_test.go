package emulator

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// onLoopback serves over a real socket until the test ends.
func onLoopback(t *testing.T, c Config) (s *Server, base string) {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return s, "http://" + l.Addr().String()
}

// sending returns a client that sends from a loopback address, or stands for
// it where the machine has no such address.
func sending(t *testing.T, s *Server, source string) *http.Client {
	t.Helper()
	dial := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}).DialContext
	probe, err := net.Listen("tcp", net.JoinHostPort(source, "0"))
	if err != nil {
		dial = s.DialAs(source)
	} else {
		probe.Close()
	}
	tr := &http.Transport{DialContext: dial}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

func get(t *testing.T, c *http.Client, url string) *http.Response {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp
}

// never is a configuration in which nothing comes back while a test runs.
func never() Config { return SpaceDuck().Scaled(1000 * time.Hour) }

func TestSourcesAreToldApartOverSockets(t *testing.T) {
	s, base := onLoopback(t, never())
	for _, source := range []string{"127.0.0.2", "127.0.0.3"} {
		c := sending(t, s, source)
		for i := range 6 {
			want := http.StatusMethodNotAllowed // it counts all the same
			if i == 5 {
				want = http.StatusTooManyRequests
			}
			resp := get(t, c, base+"/beak/signup")
			if resp.StatusCode != want || resp.Header.Get(SourceHeader) != source {
				t.Errorf("%s, request %d: %d seen from %s, want %d", source, i+1, resp.StatusCode, resp.Header.Get(SourceHeader), want)
			}
			if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
				t.Errorf("Date: %v", err)
			}
		}
	}
}

func TestAConnectionMayStandForASource(t *testing.T) {
	s, base := onLoopback(t, never())
	for _, source := range []string{"192.0.2.8", "192.0.2.9"} {
		tr := &http.Transport{DialContext: s.DialAs(source)}
		c := &http.Client{Transport: tr}
		if got := get(t, c, base+"/beak/metrics").Header.Get(SourceHeader); got != source {
			t.Errorf("seen from %s, want %s", got, source)
		}
		tr.CloseIdleConnections()
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if got := get(t, c, base+"/beak/metrics").Header.Get(SourceHeader); got != "127.0.0.1" {
		t.Errorf("without a claim seen from %s, want 127.0.0.1", got)
	}
}

func TestAClosedConnectionIsAnErrorOverSocketsToo(t *testing.T) {
	c := never()
	c.Faults.CloseEvery = 1
	s, base := onLoopback(t, c)
	_, err := sending(t, s, "127.0.0.1").Post(base+"/beak/signup", "application/json", strings.NewReader("{}"))
	if !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
}

func TestAllowanceComesBackOverSockets(t *testing.T) {
	s, base := onLoopback(t, SpaceDuck().Scaled(time.Second))
	c := sending(t, s, "127.0.0.1")
	var refused *http.Response
	for range 1000 { // two at first, then one every 200 ms
		if refused = get(t, c, base+"/beak/support/contact"); refused.StatusCode == 429 {
			break
		}
	}
	if refused.StatusCode != 429 || refused.Header.Get("Retry-After") != "1" {
		t.Fatalf("%d, Retry-After %q; want 429 and 1", refused.StatusCode, refused.Header.Get("Retry-After"))
	}
	time.Sleep(time.Second)
	if got := get(t, c, base+"/beak/support/contact").StatusCode; got == 429 {
		t.Error("429 after obeying Retry-After")
	}
}

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "192.0.2.1:80", "example.com:80", "[::]:0", "nonsense"} {
		if l, err := Listen(t.Context(), addr); err == nil {
			l.Close()
			t.Errorf("%s: listening, want an error", addr)
		} else if !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: error %q, want the address in it", addr, err)
		}
	}
}

// A name is not believed: what counts is where it leads, before the port is open.
func TestANameIsListenedOnWhereItLeads(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", ":0"} { // as if localhost led there
		if l, err := listen(t.Context(), addr); err == nil {
			l.Close()
			t.Errorf("%s: listening, want an error", addr)
		} else if !strings.Contains(err.Error(), "not on loopback") {
			t.Errorf("%s: error %q, want what is wrong", addr, err)
		}
	}
	l, err := Listen(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if at := l.Addr().(*net.TCPAddr); !at.IP.IsLoopback() {
		t.Errorf("localhost is %s, want loopback", at)
	}
}

func TestServingEndsWithItsContext(t *testing.T) {
	s, err := New(SpaceDuck())
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Serve(ctx, l); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("still listening")
	}
}

// A request may be decided after its client has closed the connection.
func TestAClaimOutlivesItsConnection(t *testing.T) {
	s, base := onLoopback(t, never())
	c, err := s.DialAs("192.0.2.8")(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got := s.source(&http.Request{RemoteAddr: c.LocalAddr().String()}); got != "192.0.2.8" {
		t.Errorf("seen from %s after the end, want 192.0.2.8", got)
	}
}
