package attack

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"time"

	"duckload/scenarios"
)

// Preflight makes one connection from each source address of a plan, and
// closes it. It sends no request: one would spend allowance. The error is a
// [Denied], an [Unreachable], or a [NoSource] for each address that is missing.
func Preflight(ctx context.Context, plan scenarios.Plan, o Options) error {
	target, err := aim(o)
	if err != nil {
		return Unreachable{Target: o.Target, Err: err}
	}
	if o.Transport != nil {
		return nil
	}
	if err := permitted(ctx, plan, o, target); err != nil {
		return err
	}
	var missing []error
	type door struct {
		source netip.Addr
		group  int // -1: as any group without wishes would dial
	}
	tried := map[door]bool{}
	for _, l := range plan.Lanes {
		by := plan.Scenario.Groups[l.Group].Transport
		d := door{l.Source, -1}
		if by.HTTP != 0 || by.Resolve.IsValid() || by.TLS.Roots != nil || by.TLS.Cert != nil || by.TLS.Anyone {
			d.group = l.Group
		}
		if tried[d] {
			continue
		}
		tried[d] = true
		err := knock(ctx, o, target, by, l.Source)
		if none := (NoSource{}); errors.As(err, &none) {
			missing = append(missing, none)
		} else if err != nil {
			return err
		}
	}
	return errors.Join(missing...)
}

// unhurried is the least that a look at the target may take, however soon its
// requests are given up: a machine that is busy for a moment is there.
const unhurried = 2 * time.Second

func knock(ctx context.Context, o Options, target *url.URL, by scenarios.Transport, source netip.Addr) error {
	if by.Timeout > 0 {
		by.Timeout = max(by.Timeout, unhurried)
	}
	c, err := dialer(o, target, by, source)(ctx, "tcp", addressOf(target))
	if err == nil {
		return c.Close()
	}
	if guarded := refusal(err); guarded != nil {
		return guarded
	}
	return Unreachable{Target: target.Redacted(), Err: err}
}
