package attack

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"duckload/scenarios"
)

// aim reads the target of a run.
func aim(o Options) (*url.URL, error) {
	target, err := url.Parse(o.Target)
	switch {
	case err != nil:
		return nil, fmt.Errorf("target: %w", err)
	case target.Scheme != "http" && target.Scheme != "https", target.Hostname() == "":
		return nil, fmt.Errorf("target %q is not a base URL (write http://host:port or https://host)", target.Redacted())
	case target.User != nil:
		return nil, fmt.Errorf("target %q names a user; credentials belong into the headers of an identity", target.Redacted())
	case target.RawQuery != "", target.Fragment != "":
		return nil, fmt.Errorf("target %q is more than a base URL; a query belongs into the requests", target.Redacted())
	}
	return target, nil
}

// lookedUp is how long a name may take to be looked up beforehand. It is looked
// up again, and what it means is checked, for every connection.
const lookedUp = 3 * time.Second

// permitted asks what the target's name means now, so that a run against a
// host that is not allowed ends before it begins. A name that means nothing is
// allowed here: there is nothing to contact.
func permitted(ctx context.Context, plan scenarios.Plan, o Options, target *url.URL) error {
	if o.Transport != nil {
		return nil
	}
	named := len(plan.Lanes) == 0 // a lane goes where the name leads
	for _, l := range plan.Lanes {
		to := plan.Scenario.Groups[l.Group].Transport.Resolve
		if !to.IsValid() {
			named = true
		} else if !permits(o.AllowHosts, to) {
			return Denied{Host: to.String()}
		}
	}
	host := target.Hostname()
	if !named || allows(o.AllowHosts, host) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookedUp)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		if !permits(o.AllowHosts, a) {
			return Denied{Host: host, Address: a.Unmap().String()}
		}
	}
	return nil
}

// guard refuses connections to hosts that are not allowed. It is asked after
// names were resolved, for each address that is tried and before anything is
// sent to it: a name that suddenly means something else gains nothing by it.
func guard(host string, allowed []string) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		if allows(allowed, host) {
			return nil
		}
		if at, err := netip.ParseAddrPort(address); err == nil && permits(allowed, at.Addr()) {
			return nil
		}
		return Denied{Host: host, Address: address}
	}
}

// permits reports whether an address may be contacted under any name.
func permits(allowed []string, a netip.Addr) bool {
	return a.Unmap().IsLoopback() || allows(allowed, a.String())
}

// allows reports whether a list of hosts contains one, whatever the spelling.
// Ports play no part.
func allows(allowed []string, host string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool { return plainHost(a) == plainHost(host) })
}

func plainHost(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return host
}
