package attack

import (
	"context"
	"errors"
	"net/netip"
	"net/url"

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
	if err := permitted(ctx, o, target); err != nil {
		return err
	}
	var missing []error
	tried := map[netip.Addr]bool{}
	for _, l := range plan.Lanes {
		if tried[l.Source] {
			continue
		}
		tried[l.Source] = true
		err := knock(ctx, o, target, l.Source)
		if none := (NoSource{}); errors.As(err, &none) {
			missing = append(missing, none)
		} else if err != nil {
			return err
		}
	}
	return errors.Join(missing...)
}

func knock(ctx context.Context, o Options, target *url.URL, source netip.Addr) error {
	c, err := dialer(o, target, source)(ctx, "tcp", addressOf(target))
	if err == nil {
		return c.Close()
	}
	if guarded := refusal(err); guarded != nil {
		return guarded
	}
	return Unreachable{Target: target.Redacted(), Err: err}
}
