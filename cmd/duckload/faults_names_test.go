package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// names are what the tests' own resolver knows: no test asks the machine's.
var names nameServer

type nameServer struct {
	mu    sync.Mutex
	known map[string]func() ([]netip.Addr, dnsmessage.RCode) // by name, with a dot at its end
}

// silent is a code that no message can have: there is no answer.
const silent dnsmessage.RCode = 1 << 12

// resolver asks nobody outside this process.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go s.serve(theirs)
		return ours, nil
	}}
}

// serve answers questions as over TCP, which is how a resolver speaks over
// what is no socket.
func (s *nameServer) serve(c net.Conn) {
	defer c.Close()
	for {
		var length uint16
		if binary.Read(c, binary.BigEndian, &length) != nil {
			return
		}
		packed := make([]byte, length)
		if _, err := io.ReadFull(c, packed); err != nil {
			return
		}
		var question dnsmessage.Message
		if question.Unpack(packed) != nil || len(question.Questions) != 1 {
			return
		}
		answer := s.answer(question)
		if answer == nil {
			io.Copy(io.Discard, c)
			return
		}
		if binary.Write(c, binary.BigEndian, uint16(len(answer))) != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func (s *nameServer) answer(m dnsmessage.Message) []byte {
	q := m.Questions[0]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RCode: dnsmessage.RCodeNameError}, Questions: m.Questions}
	s.mu.Lock()
	answer := s.known[strings.ToLower(q.Name.String())]
	s.mu.Unlock()
	var addresses []netip.Addr
	if answer != nil {
		addresses, reply.RCode = answer()
	}
	if reply.RCode == silent {
		return nil
	}
	for _, a := range addresses {
		if q.Type == dnsmessage.TypeA {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
				Body:   &dnsmessage.AResource{A: a.As4()},
			})
		}
	}
	packed, _ := reply.Pack()
	return packed
}

// named gives a server a name, and returns its base URL.
func named(answer func(s *faulty) ([]netip.Addr, dnsmessage.RCode)) func(*faulty) string {
	return func(s *faulty) string {
		name := fmt.Sprintf("p%s.faults.test", s.port())
		names.mu.Lock()
		if names.known == nil {
			names.known = map[string]func() ([]netip.Addr, dnsmessage.RCode){}
		}
		names.known[name+"."] = func() ([]netip.Addr, dnsmessage.RCode) { return answer(s) }
		names.mu.Unlock()
		return "http://" + name + ":" + s.port()
	}
}

// wellBegun reports whether the run has sent its first requests, and what is to
// happen during a run happens now.
func (s *faulty) wellBegun() bool {
	if s.requestsSoFar() < 8 {
		return false
	}
	s.strikes.Add(1)
	return true
}

var (
	here     = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	deserted = netip.MustParseAddr("127.0.0.9") // nobody listens there
	outside  = netip.MustParseAddr("192.0.2.1")
)

// Whatever becomes of a name.
var faultsOfNames = []fault{
	{
		name: "a name that stands for nothing", exit: []int{exitUnusable}, says: []string{"cannot be reached", "no such host"},
		at: named(func(*faulty) ([]netip.Addr, dnsmessage.RCode) { return nil, dnsmessage.RCodeNameError }),
	},
	{
		name: "a resolver that fails", exit: []int{exitUnusable}, says: []string{"cannot be reached", "server misbehaving"},
		at: named(func(*faulty) ([]netip.Addr, dnsmessage.RCode) { return nil, dnsmessage.RCodeServerFailure }),
	},
	{
		name: "a resolver that is silent", exit: []int{exitUnusable}, says: []string{"cannot be reached", "timeout"}, timeout: impatient,
		at: named(func(*faulty) ([]netip.Addr, dnsmessage.RCode) { return nil, silent }),
	},
	{
		name: "a name that is lost during the run", class: "dns", keys: "reuse: false", says: []string{"dns (", "no such host"},
		at: named(func(s *faulty) ([]netip.Addr, dnsmessage.RCode) {
			if s.wellBegun() {
				return nil, dnsmessage.RCodeNameError
			}
			return here, 0
		}),
	},
	{
		name: "a name that moves to where nobody listens", class: "refused", keys: "reuse: false", says: []string{"refused ("},
		at: named(func(s *faulty) ([]netip.Addr, dnsmessage.RCode) {
			if s.wellBegun() {
				return []netip.Addr{deserted}, 0
			}
			return here, 0
		}),
	},
	{
		name: "a name that moves to a host that is not allowed", class: "", status: honestly, keys: "reuse: false",
		exit: []int{exitRefused}, reason: "refused", says: []string{"192.0.2.1", "not allowed"},
		at: named(func(s *faulty) ([]netip.Addr, dnsmessage.RCode) {
			if s.wellBegun() {
				return []netip.Addr{outside}, 0
			}
			return here, 0
		}),
	},
	{
		name: "a name of two addresses, the first of which is dead", class: "", status: honestly,
		at: named(func(*faulty) ([]netip.Addr, dnsmessage.RCode) { return append([]netip.Addr{deserted}, here...), 0 }),
	},
}
