package attack

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"duckload/history"
)

// rates are the load profiles, each with how many requests it comes to.
var rates = map[string]int{
	"{ramp: 20/s -> 60/s, for: 20s}":                               800,
	"{steps: [20/s, 50/s, 20/s], for: 10s}":                        900,
	"{spike: {from: 10/s, to: 60/s}, for: 30s}":                    800,
	"{soak: 50/s, for: 30s}":                                       1500,
	"{sine: {mean: 30/s, amplitude: 20/s, period: 10s}, for: 20s}": 600,
}

// The loop is open: while the target is ever slower, every request leaves at its
// moment all the same.
func TestLoadProfilesHoldTheirRateWhileTheTargetSlowsDown(t *testing.T) {
	for phases, n := range rates {
		t.Run(phases, func(t *testing.T) {
			plan := pacing(t, phases)
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				slowing := roundTripper(func(r *http.Request) (*http.Response, error) {
					// From nothing to nine seconds, and back for the last few.
					late := min(time.Since(began)/2, 9*time.Second)
					return (&wire{there: late}).RoundTrip(r)
				})
				var all []history.Observation
				end := complete(t, plan, over(slowing, &all))
				if len(all) != n || len(end.Notes) != 0 {
					t.Errorf("got %d requests and the notes %q, want %d and none", len(all), end.Notes, n)
				}
				open := 0
				for _, o := range all {
					if o.Sent != o.Intended {
						t.Fatalf("a request was sent at %v, want its moment %v", o.Sent, o.Intended)
					}
					if o.Sent < all[0].Sent+20*time.Second && o.Done > all[0].Sent+20*time.Second {
						open++
					}
				}
				if open < 20 {
					t.Errorf("%d requests were under way after 20s, want the target to be far behind", open)
				}
			})
		})
	}
}

// A target that hangs cannot make a lane open ever more connections: no more
// requests are under way than its workers, and the others are sent late, not
// left out.
func TestWorkersAreBoundedWhenTheTargetHangs(t *testing.T) {
	plan := pacing(t, "{soak: 200/s, for: 30s}")
	synctest.Test(t, func(t *testing.T) {
		var all []history.Observation
		o := over(&wire{there: time.Minute}, &all)
		o.Timeout = 10 * time.Second
		end := complete(t, plan, o)
		if len(all) != 6000 || !strings.Contains(strings.Join(end.Notes, "\n"), "had to wait") {
			t.Errorf("got %d requests and the notes %q, want 6000, some of which waited", len(all), end.Notes)
		}
		most, open := 0, 0
		type edge struct {
			at   time.Duration
			step int
		}
		var edges []edge
		for _, o := range all {
			edges = append(edges, edge{o.Sent, 1}, edge{o.Done, -1})
		}
		slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), a.step-b.step) })
		for _, e := range edges {
			open += e.step
			most = max(most, open)
		}
		if most != mostWorkers {
			t.Errorf("got %d requests under way at once, want the bound of %d", most, mostWorkers)
		}
	})
}

// Lanes that take turns share a rate, and so the senders that it needs.
func TestWorkersAreEnoughAndNoMore(t *testing.T) {
	for _, tc := range []struct {
		phases string
		lanes  string
		want   int
	}{
		{"{hold: 50/s, for: 1m}", "[a]", 500},
		{"{hold: 50/s, for: 1m}", "[a, b]", 250},
		{"{hold: 50/s, for: 2s}", "[a]", 100},
		{"{ramp: 0/s -> 50/s, for: 1m}", "[a]", 500},
		{"{sine: {mean: 30/s, amplitude: 10/s, period: 10s}, for: 1m}", "[a]", 400},
		{"{burst: 700}", "[a]", 700},
		{"{burst: 700}", "[a, b]", 350},
		{"{burst: 3}", "[a]", 3},
		{"{hold: 5000/s, for: 1m}", "[a]", mostWorkers},
	} {
		plan := planFor(t, `g: {promise: {limit: 100/min, burst: 200}, identity: `+tc.lanes+`, requests: [GET /x], pacing: [`+tc.phases+`]}`)
		if got := rooms(plan)[0].workers; got != tc.want {
			t.Errorf("%s by %s: %d workers, want %d", tc.phases, tc.lanes, got, tc.want)
		}
	}
}
