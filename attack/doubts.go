package attack

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"duckload/limiter"
)

// sourceHeader is in which a target, such as duckload's emulator, says which
// address it saw.
const sourceHeader = "X-Duckload-Source"

// recognise compares the address that the target saw with the lane's own.
func (l *lane) recognise(e limiter.Fields) {
	own := l.plan.Lanes[l.index].Source
	if !own.IsValid() {
		return
	}
	for _, f := range e {
		if f.Name != sourceHeader {
			continue
		}
		saw, err := netip.ParseAddr(f.Value)
		if err == nil && saw.Unmap() == own.Unmap() {
			continue
		}
		text := f.Value
		l.stranger.CompareAndSwap(nil, &text)
	}
}

// doubts are what a reader must know about how the requests travelled.
func (r *run) doubts() []string {
	var all []string
	note := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	for _, l := range r.lanes {
		if saw := l.stranger.Load(); saw != nil {
			note("the target saw %.60q where %s sent (limits by address would count somebody else)", *saw, r.plan.Lanes[l.index].Source)
		}
		if since := time.Duration(l.order.since.Load()); since != math.MaxInt64 {
			of := r.plan.Lanes[l.index]
			note("group %s, %s: the target sent more answers on a connection than there were requests (it, or a proxy before it, answers some twice). "+
				"HTTP/1.1 cannot tell whose each one is, so that from %s on none counts", l.group.Name, cmp.Or(of.Identity, "nobody in particular"), since.Round(time.Millisecond))
		}
		if l.group.Transport.TLS.Anyone {
			note("group %s accepted any certificate: what answered may not have been the target", l.group.Name)
		}
	}
	return all
}
