package fleet

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/scenarios"
)

// A request is one that a plan of static phases sends.
type request struct {
	at           time.Duration
	track, phase int
	lane         int
	seq          uint64
}

// requests spells out what a plan sends in static phases, and names the
// reactive ones that it plays.
func requests(p scenarios.Plan) (all []request, reactive []string) {
	hits := make([]uint64, len(p.Lanes))
	for t, track := range p.Tracks {
		var start time.Duration
		for i, phase := range track.Phases {
			pace, _ := scenarios.PaceOf(phase)
			if pace.Next != nil {
				reactive = append(reactive, fmt.Sprintf("%d.%d %s", t, i, phase.Label))
				continue
			}
			n := 0
			pace.Offsets(phase, func(at time.Duration) bool {
				lane := phase.Lane(n)
				all = append(all, request{start + at, t, i, lane, p.Seq(lane, hits[lane])})
				hits[lane]++
				n++
				return true
			})
			if n != pace.Requests(phase) {
				panic(fmt.Sprintf("%s: %d requests, and %d moments", phase.Label, pace.Requests(phase), n))
			}
			start += pace.Length(phase)
		}
	}
	return all, reactive
}

func sorted(all []request) []request {
	slices.SortFunc(all, func(a, b request) int {
		return cmp.Or(cmp.Compare(a.track, b.track), cmp.Compare(a.at, b.at), cmp.Compare(a.lane, b.lane), cmp.Compare(a.seq, b.seq))
	})
	return all
}

// drawPlan draws a scenario with written groups of every pace, and with some
// that are compiled from their promises, for a number of agents.
func drawPlan(t *rapid.T, agents int) scenarios.Plan {
	phases := []string{
		"{burst: %d}", "{hold: %d/s, for: 3s}", "{ramp: 1/s -> %d/s, for: 2s}", "{rest: %ds}",
		"{sine: {mean: %d/s, amplitude: 1/s, period: 1s}, for: 2s}", "{replay: traffic.csv, time_scale: %d}", "{soak: %d%%, for: 1s}",
		"{probe: edges, for: %ds}", "{obey: retry-after, times: %d}",
	}
	var text strings.Builder
	text.WriteString("version: 1\nname: x\ntarget: http://127.0.0.1:1\nidentities:\n")
	identities := rapid.IntRange(1, 5).Draw(t, "identities")
	var names []string
	for i := range identities {
		names = append(names, fmt.Sprintf("id%d", i))
		fmt.Fprintf(&text, "  id%d: {headers: {X: id%d}}\n", i, i)
	}
	text.WriteString("groups:\n")
	for g := range rapid.IntRange(1, 3).Draw(t, "groups") {
		var pacing []string
		few := len(phases)
		if rapid.Bool().Draw(t, "static") {
			few -= 2
		}
		for range rapid.IntRange(1, 6).Draw(t, "phases") {
			pacing = append(pacing, fmt.Sprintf(rapid.SampledFrom(phases[:few]).Draw(t, "phase"), rapid.IntRange(2, 40).Draw(t, "n")))
		}
		scope := rapid.SampledFrom([]string{"key", "global", "ip"}).Draw(t, "scope")
		sources := "auto"
		if few < len(phases) || scope == "ip" {
			sources = rapid.SampledFrom([]string{"auto", "agents"}).Draw(t, "sources")
		}
		fmt.Fprintf(&text, "  g%d:\n    promise: {limit: 100/min, burst: 20, scope: %s}\n    requests: [GET /g%d]\n    identity: [%s]\n    sources: %s\n    pacing: [%s]\n",
			g, scope, g, strings.Join(names, ", "), sources, strings.Join(pacing, ", "))
	}
	for c := range rapid.IntRange(1, 4).Draw(t, "compiled") {
		fmt.Fprintf(&text, "  compiled%d:\n    promise: {limit: %d/min, burst: 20, scope: %s}\n    requests: [GET /c%d]\n    identity: [%s]\n",
			c, rapid.IntRange(5, 500).Draw(t, "limit"), rapid.SampledFrom([]string{"key", "global", "ip"}).Draw(t, "scope"), c, strings.Join(names, ", "))
	}
	s, err := scenarios.Load("f", []byte(text.String()), scenarios.Env{ReadFile: func(string) ([]byte, error) {
		return []byte("time,path\n2026-01-01T00:00:00Z,/a\n2026-01-01T00:00:00.3Z,/a\n2026-01-01T00:00:00.3Z,/a\n2026-01-01T00:00:02Z,/a\n"), nil
	}, Open: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("time,path\n2026-01-01T00:00:00Z,/a\n2026-01-01T00:00:00.3Z,/a\n2026-01-01T00:00:00.3Z,/a\n2026-01-01T00:00:02Z,/a\n")), nil
	}})
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "r", Seed: 1, Agents: agents})
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	return plan
}

// All parts together are the plan: every request once, at the same moment,
// with the same number; every reactive phase at one agent.
func TestThePartsAreThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "agents")
		plan := drawPlan(t, rapid.SampledFrom([]int{1, n}).Draw(t, "compiled for"))
		parts := Split(plan, n)
		want, wantReactive := requests(plan)
		var got []request
		var gotReactive []string
		for i, p := range parts {
			static, reactive := requests(p)
			for _, lane := range sending(p) {
				if of := plan.Lanes[lane].Agent; of > 0 && of != i+1 {
					t.Fatalf("agent %d sends from a lane of agent %d", i+1, of)
				}
			}
			got, gotReactive = append(got, static...), append(gotReactive, reactive...)
			if a, b := len(p.Stretches()), len(plan.Stretches()); a != b {
				t.Fatalf("a part has %d phases, the plan has %d", a, b)
			}
		}
		slices.Sort(wantReactive)
		slices.Sort(gotReactive)
		if !slices.Equal(gotReactive, wantReactive) {
			t.Fatalf("reactive phases: got %q, want %q", gotReactive, wantReactive)
		}
		// A static phase behind a reactive one begins when that has ended, so
		// the moments of both are counted as if it took no time.
		if got, want := sorted(got), sorted(want); !slices.Equal(got, want) {
			t.Fatalf("%d agents send %d requests, the plan has %d: got %v, want %v", n, len(got), len(want), got, want)
		}
	})
}

// What one agent sends of a large phase is its share, wherever it begins.
func TestSharesAreEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(t, "agents")
		plan := drawPlan(t, n)
		parts := Split(plan, n)
		for i, track := range plan.Tracks {
			if indivisible(plan, track) || agentOf(plan, track) != 0 {
				continue
			}
			for k, phase := range track.Phases {
				pace, _ := scenarios.PaceOf(phase)
				even := pace.Requests(phase) / n
				for _, p := range parts {
					mine, _ := scenarios.PaceOf(p.Tracks[i].Phases[k])
					if got := mine.Requests(p.Tracks[i].Phases[k]); got < even-len(phase.Lanes) || got > even+len(phase.Lanes) {
						t.Fatalf("an agent sends %d of %d requests from %d lanes, with %d agents", got, pace.Requests(phase), len(phase.Lanes), n)
					}
				}
			}
		}
	})
}
