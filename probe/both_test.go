package probe

import (
	"os"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

// Two limits that hold at once, as a family and a point of it each.
var twoLimits = []struct {
	name         string
	inner, outer string
	is, behind   point
	clients      int
	hold         int
	alone        bool // the outer one is out of reach
	slow         bool // only with RUNS=1
}{
	{name: "a bucket and a window", inner: "token-bucket", is: point{5, 5e8}, outer: "anchored-window", behind: point{12, 2e10}, clients: 30},
	{name: "a bucket and a window, one client", inner: "token-bucket", is: point{5, 5e8}, outer: "anchored-window", behind: point{12, 2e10}, clients: 1},
	{name: "two logs", inner: "sliding-log", is: point{3, 1e9}, outer: "sliding-log", behind: point{20, 3e10}, clients: 1, hold: 40},
	{name: "two buckets", inner: "token-bucket", is: point{4, 1e8}, outer: "token-bucket", behind: point{30, 1e9}, clients: 1, hold: 40},
	{name: "two buckets, many clients", inner: "token-bucket", is: point{4, 1e8}, outer: "token-bucket", behind: point{30, 1e9}, clients: 30, hold: 40, slow: true},
	{name: "a bucket and a minute", inner: "token-bucket", is: point{5, 2e8}, outer: "anchored-window", behind: point{60, 6e10}, clients: 1, hold: 100, slow: true},
	{name: "a second and a minute by the clock", inner: "fixed-window", is: point{5, 1e9}, outer: "fixed-window", behind: point{60, 6e10}, clients: 30, hold: 100, slow: true},
	{name: "a window and a quota", inner: "anchored-window", is: point{10, 1e9}, outer: "anchored-window", behind: point{5000, 3.6e12}, clients: 30, hold: 100, alone: true},
}

// Where two limits hold at once, neither a wrong family alone nor a wrong pair
// is said to be the only one: the truth is among the pairs, or the outer limit
// was out of reach and the inner one is found. SAY=1 prints every step.
func TestTwoLimitsAtOnce(t *testing.T) {
	for _, two := range twoLimits {
		if two.slow && os.Getenv("RUNS") == "" {
			continue
		}
		t.Run(two.name, func(t *testing.T) {
			t.Parallel()
			ways := []Way{{Name: WayAddress, Fresh: true}}
			for lane := range two.clients - 1 {
				ways[0].Lanes = append(ways[0].Lanes, 1+lane)
			}
			w := newWorld(1, trips(time.Millisecond), func(began, first time.Duration) (limiter.Limiter, time.Duration) {
				return limiter.Conjunction(familyNamed(two.inner).model(two.is), familyNamed(two.outer).model(two.behind)), 0
			})
			r := Identify(w, Options{Budget: 2000, MaxTime: 5 * time.Minute, Hold: two.hold, Seed: 1, Ways: ways[:min(1, two.clients-1)], Say: func(line string) {
				if os.Getenv("SAY") != "" {
					t.Log(line)
				}
			}})
			words := strings.Join(r.Words(), "\n")
			t.Logf("%d requests, %s: %s", r.Requests, r.Took, words)
			held := two.alone && len(r.Both) == 0 && r.Unique() && r.Answers[0].Family == two.inner && familyNamed(two.inner).holds(r.Answers[0], two.is)
			for _, b := range r.Both {
				held = held || b.Inner.Family == two.inner && b.Outer.Family == two.outer && familyNamed(two.inner).holds(b.Inner, two.is) && familyNamed(two.outer).holds(b.Outer, two.behind)
			}
			if !held {
				t.Errorf("%s %v and %s %v are not among the answers:\n%s", two.inner, two.is, two.outer, two.behind, words)
			}
		})
	}
}

func familyNamed(name string) *Family {
	for _, f := range Families {
		if f.Name == name {
			return f
		}
	}
	panic("no family " + name)
}
