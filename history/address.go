package history

import (
	"net/netip"
	"net/url"
)

// AddressOf returns the address by which the target of a run of several agents
// sees a lane; empty: nobody knows. A private one says nothing about a target
// elsewhere, which sees that of a gateway: perhaps one for several agents.
func (h *Header) AddressOf(l Lane) string {
	text := l.Source
	if text == "" {
		for _, a := range h.Agents {
			if a.Name == l.Agent {
				text = a.Address
			}
		}
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.IsUnspecified() {
		return ""
	}
	switch here := hostOf(h.Target); {
	case address.IsLoopback():
		if !here.IsLoopback() {
			return ""
		}
	case behindGateway(address):
		if !here.IsValid() || !behindGateway(here) {
			return ""
		}
	}
	return address.Unmap().String()
}

// behindGateway reports whether an address means something in its own network
// alone: private, link-local, or shared by a provider's customers (RFC 6598).
func behindGateway(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a.Unmap())
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// hostOf returns the address of a target that names one; invalid otherwise.
func hostOf(target string) netip.Addr {
	u, err := url.Parse(target)
	if err != nil {
		return netip.Addr{}
	}
	if u.Hostname() == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	address, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return netip.Addr{}
	}
	return address
}
