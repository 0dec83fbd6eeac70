package attack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"duckload/history"
	"duckload/scenarios"
)

// elsewhere is a server on an address of this machine that is not loopback, so
// that packets to it, if there were any, would arrive and leave it at that. It
// counts connections: nothing but a test of what is refused may use it.
func elsewhere(t *testing.T) (at netip.AddrPort, contacts *atomic.Int32) {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().Is4() || prefix.Addr().IsLoopback() {
			continue
		}
		l, err := net.Listen("tcp", netip.AddrPortFrom(prefix.Addr(), 0).String())
		if err != nil {
			continue
		}
		contacts = new(atomic.Int32)
		s := &httptest.Server{Listener: l, Config: &http.Server{ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				contacts.Add(1)
			}
		}}}
		s.Start()
		t.Cleanup(s.Close)
		return netip.MustParseAddrPort(l.Addr().String()), contacts
	}
	t.Skip("this machine has no address but loopback")
	return at, nil
}

// resolving answers every question for an address by what meaning returns, for
// as long as the test runs. The resolver is Go's own, and the network is ours.
func resolving(t *testing.T, meaning func(name string) netip.Addr) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; conn.Close() })
	go func() {
		buffer := make([]byte, 1<<12)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: meaning(q.Name.String()).As4()}}}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
}

// spellings are ways to write an address that some program or other takes for
// it.
func spellings(a netip.Addr) []string {
	b := a.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return []string{
		a.String(), a.String() + ".", fmt.Sprint(n), fmt.Sprintf("0x%x", n), fmt.Sprintf("0%o", n),
		fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]), fmt.Sprintf("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]), fmt.Sprintf("%d.%d", b[0], n&0xffffff), fmt.Sprintf("%d.%d.%d", b[0], b[1], n&0xffff),
		fmt.Sprintf("[::ffff:%s]", a), fmt.Sprintf("[::ffff:%x:%x]", n>>16, n&0xffff), fmt.Sprintf("[0:0:0:0:0:ffff:%s]", a),
		strings.Map(func(c rune) rune { // digits of another script, which IDN folds into ours
			if '0' <= c && c <= '9' {
				return c - '0' + '０'
			}
			return c
		}, a.String()),
		strings.ReplaceAll(a.String(), ".", "。"),
		"127.0.0.1@" + a.String(), "127.0.0.1:80@" + a.String(), "127.0.0.1%40" + a.String(), a.String() + "#@127.0.0.1", a.String() + "/@127.0.0.1",
		"localhost." + a.String() + ".nip.example", "LOCALHOST", "loc\u0430lhost",
	}
}

func TestNoOtherHostIsContactedHoweverItIsSpelt(t *testing.T) {
	at, contacts := elsewhere(t)
	resolving(t, func(string) netip.Addr { return at.Addr() }) // every name leads there
	both(t, func(t *testing.T, transport string) {
		plan := by(t, transport, "{burst: 3}")
		for _, host := range spellings(at.Addr()) {
			target := fmt.Sprintf("http://%s:%d", host, at.Port())
			var all []history.Observation
			end, err := Run(t.Context(), plan, to(target, &all))
			for _, o := range all {
				if o.Status != 0 {
					t.Errorf("%s: got an answer: %+v", target, o)
				}
			}
			if contacts.Load() > 0 {
				t.Fatalf("%s was contacted: %+v, %v", target, end, err)
			}
			if err == nil && end.Complete && len(all) == 3 && host == "LOCALHOST" {
				continue // which really is this machine, where nobody listens on that port
			}
			if _, parse := aim(Options{Target: target}); err == nil && parse == nil {
				for _, o := range all {
					if o.Error != "dns" {
						t.Errorf("%s: got %+v and %q, want it denied", target, end, o.Error)
					}
				}
			}
			_ = Preflight(t.Context(), plan, to(target, &all))
		}
	})
	if contacts.Load() > 0 {
		t.Errorf("got %d connections, want none", contacts.Load())
	}
}

// A name means this machine when it is asked for first, and another one from
// then on: each connection is looked at, whoever resolved the name.
func TestANameThatIsBoundAgainLeadsNowhere(t *testing.T) {
	at, contacts := elsewhere(t)
	both(t, func(t *testing.T, transport string) {
		s := serve(t, func(http.ResponseWriter, *http.Request) {})
		s.Config.SetKeepAlivesEnabled(false) // a connection for each request
		var asked atomic.Int32
		resolving(t, func(string) netip.Addr {
			if asked.Add(1) > 2 { // the look before the run, and the first connection
				return at.Addr()
			}
			return netip.MustParseAddr("127.0.0.1")
		})
		plan := by(t, transport, "{hold: 50/s, for: 1h}")
		_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
		var all []history.Observation
		end, err := Run(t.Context(), plan, to("http://rebound.example:"+port, &all))
		var denied Denied
		if !errors.As(err, &denied) || end.Complete || end.Reason != "refused" || !strings.HasPrefix(denied.Address, at.Addr().String()) {
			t.Errorf("got %+v, %v after %d questions, want a run that ends refused", end, err, asked.Load())
		}
	})
	if contacts.Load() > 0 {
		t.Errorf("got %d connections, want none", contacts.Load())
	}
}

func TestRedirectsLeadNowhere(t *testing.T) {
	at, contacts := elsewhere(t)
	both(t, func(t *testing.T, transport string) {
		for _, status := range []int{301, 302, 303, 307, 308} {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "http://"+at.String()+"/")
				w.Header().Set("Refresh", "0; url=http://"+at.String()+"/")
				w.Header().Set("Alt-Svc", fmt.Sprintf(`h2="%s"; ma=60`, at))
				w.WriteHeader(status)
			})
			var all []history.Observation
			o := to(s.URL, &all)
			o.AllowHosts = []string{at.Addr().String()} // not even then: the scenario did not ask for it
			if _, err := Run(t.Context(), by(t, transport, "{burst: 3}"), o); err != nil || len(all) != 3 || all[0].Status != status {
				t.Errorf("%d: got %v and %s, want three answers", status, err, list(all))
			}
		}
	})
	if contacts.Load() > 0 {
		t.Errorf("got %d connections, want none", contacts.Load())
	}
}

// A server counts what arrives: never one request more than the budget, however
// many lanes want to send at once, over however many connections.
func TestNoRequestBeyondTheBudgetArrives(t *testing.T) {
	for _, c := range []struct {
		lanes, budget int
		reuse         bool
	}{{1, 1, true}, {2, 7, false}, {40, 41, true}, {40, 137, true}, {100, 99, true}} {
		both(t, func(t *testing.T, transport string) {
			var arrived atomic.Int32
			s := serve(t, func(w http.ResponseWriter, r *http.Request) { arrived.Add(1) })
			groups := ""
			for i := range c.lanes {
				groups += fmt.Sprintf("g%d: {promise: {limit: 1000/s, burst: 1000}, requests: [GET /%d], transport: %s, reuse: %t, pacing: [{burst: 10}, {hold: 100/s, for: 1s}]}\n", i, i, transport, c.reuse)
			}
			var all []history.Observation
			o := to(s.URL, &all)
			o.Budget = scenarios.Budget{Requests: c.budget}
			end, err := Run(t.Context(), planFor(t, groups), o)
			if n := int(arrived.Load()); err != nil || end.Complete || end.Reason != "budget" || n != c.budget || len(all) != n {
				t.Errorf("%d lanes: got %+v, %v, %d on record and %d at the server, want %d", c.lanes, end, err, len(all), n, c.budget)
			}
		})
	}
}
