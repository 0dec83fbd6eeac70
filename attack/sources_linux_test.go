package attack

import (
	"net"
	"net/http"
	"net/netip"
	"testing"

	"duckload/history"
)

// Elsewhere these addresses must be added first.
func TestEachLaneSendsFromItsOwnAddress(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		w.Header().Set("X-Duckload-Source", host)
	})
	plan := planFor(t, `g: {promise: {limit: 100/s, burst: 200, scope: ip}, sources: [127.0.0.2, 127.0.0.3], requests: [GET /x], pacing: [{burst: 20}]}`)
	if len(plan.Lanes) != 2 {
		t.Fatalf("got %d lanes, want one for each source", len(plan.Lanes))
	}
	var all []history.Observation
	complete(t, plan, to(s.URL, &all))
	seen := map[netip.Addr]int{}
	for _, o := range all {
		got := o.Evidence.Values("X-Duckload-Source")
		if source := plan.Lanes[o.Lane].Source; got[0] != source.String() {
			t.Errorf("a request of the lane from %s came from %v", source, got)
		} else {
			seen[source]++
		}
	}
	if len(seen) != 2 {
		t.Errorf("got %v, want requests from both sources", seen)
	}
}
