package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"duckload/analyze"
	"duckload/attack"
	"duckload/emulator"
	"duckload/fleet"
	"duckload/history"
	"duckload/scenarios"
)

// A farAgent is a machine whose clock is not ours: it begins late or early by
// up to 120 ms, its clock drifts, and its ways are jittered.
type farAgent struct {
	name  string
	parts []history.Part
	start time.Duration // when it begins, by the coordinator's clock
	drift float64
	trip  time.Duration
}

// local is a moment of the coordinator's clock by the agent's.
func (a farAgent) local(t time.Duration) time.Duration {
	return time.Duration(float64(t-a.start) * (1 + a.drift))
}

// probes asks for the time before, during and after a run.
func (a farAgent) probes(r *rand.Rand, length time.Duration) []byte {
	var file bytes.Buffer
	for from := -10 * time.Second; from < length+5*time.Second; from += 5 * time.Second {
		for range 5 {
			asked := from + time.Duration(r.Int64N(int64(time.Millisecond)))
			there := asked + time.Duration(r.ExpFloat64()*float64(2*time.Millisecond))
			back := there + time.Duration(r.ExpFloat64()*float64(3*time.Millisecond))
			_ = history.AppendProbe(&file, history.Probe{Sent: a.local(asked), Theirs: there, Received: a.local(back)})
		}
	}
	return file.Bytes()
}

// fleetInVirtualTime sends a plan from several agents to one emulator, writes
// a record for each, merges them, and judges the whole.
func fleetInVirtualTime(t *testing.T, plan scenarios.Plan, config emulator.Config, n int, seed uint64) analyze.Findings {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	dirs := recordedInVirtualTime(t, plan, config, n, r)
	r.Shuffle(len(dirs), func(i, k int) { dirs[i], dirs[k] = dirs[k], dirs[i] })
	findings, h := judged(t, dirs)
	for _, a := range h.Header.Agents {
		t.Logf("%s: ±%s", a.Name, a.Bound)
	}
	return findings
}

// recordedInVirtualTime sends a plan from several agents to one emulator, and
// returns the folders with what each has recorded.
func recordedInVirtualTime(t *testing.T, plan scenarios.Plan, config emulator.Config, n int, r *rand.Rand) (dirs []string) {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("agent-%d", i))
	}
	parts := fleet.Parts(plan, headerOf(plan, "http://127.0.0.1", time.Unix(0, 0)), names)
	synctest.Test(t, func(t *testing.T) {
		admit(&config, plan)
		server, err := emulator.New(config)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i, part := range fleet.Split(plan, n) {
			a := farAgent{
				name: names[i], parts: parts, start: time.Duration(r.Int64N(int64(240*time.Millisecond))) - 120*time.Millisecond,
				drift: (r.Float64() - 0.5) * 1e-4, trip: time.Duration(r.Int64N(int64(5 * time.Millisecond))),
			}
			at := filepath.Join(dir, a.name)
			dirs = append(dirs, at)
			probes := a.probes(r, plan.Duration()+30*time.Second)
			all.Go(func() {
				time.Sleep(time.Second + a.start)
				a.record(t, at, part, server)
				if err := os.WriteFile(filepath.Join(at, history.ClockFile), probes, 0o644); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	return dirs
}

// record sends a part and writes down what the agent's clock shows of it.
func (a farAgent) record(t *testing.T, dir string, part scenarios.Plan, server *emulator.Server) {
	header := headerOf(part, "http://127.0.0.1", time.Unix(0, 0))
	header.Agents, header.Parts = []history.Agent{{Name: a.name}}, a.parts
	for _, p := range a.parts {
		header.Roster = append(header.Roster, p.Agent)
	}
	w, err := history.Create(dir, header)
	if err != nil {
		t.Error(err)
		return
	}
	slow := func(moment *time.Duration) {
		if *moment != history.Never {
			*moment = time.Duration(float64(*moment) * (1 + a.drift))
		}
	}
	recorded := 0
	end, err := attack.Run(t.Context(), part, attack.Options{
		Target: "http://127.0.0.1",
		Transport: func(l scenarios.Lane) http.RoundTripper {
			transport := server.Transport(l.Source.String())
			transport.Delay = func(*http.Request) (there, back time.Duration) {
				return 300*time.Microsecond + a.trip, 500*time.Microsecond + a.trip/2
			}
			return transport
		},
		Record: func(o history.Observation) error {
			for _, moment := range []*time.Duration{&o.Intended, &o.Sent, &o.Answered, &o.Done} {
				slow(moment)
			}
			if recorded++; recorded%100 == 0 { // the frames of a run that takes its time
				return errors.Join(w.Append(o), w.Flush())
			}
			return w.Append(o)
		},
	})
	slow(&end.At)
	if err != nil || !end.Complete {
		t.Errorf("%s: %+v %v", a.name, end, err)
	}
	if err := w.Close(end); err != nil {
		t.Error(err)
	}
}

// dealtOut is the Space Duck table with phases by hand, and what is not stated
// taken for everybody: its requests are dealt out among agents.
const dealtOut = `
version: 1
name: table
target: http://127.0.0.1
defaults:
  on_reject: {status: 429, retry_after: required, json: {error.code: E4004}}
groups:
  metrics:
    promise: {limit: 100/min, burst: 200, scope: global}
    requests: [GET /beak/metrics]
    pacing: [{burst: 100% + 6}, {rest: 15s}, {burst: 10%}, {hold: 80%, for: 20s}]
  status:
    promise: {limit: 60/min, burst: 120, scope: global}
    requests: [GET /beak/system/status]
    pacing: [{hold: 100%, for: 20s}, {burst: 100% + 6}, {hold: 120%, for: 20s}]
  pageview:
    promise: {limit: 500/min, burst: 1000, scope: global}
    requests: [{POST: /beak/pageview, json: {page: /}, headers: {Authorization: Bearer demo}}]
    pacing: [{burst: 100% + 20}, {rest: 2s}, {hold: 80%, for: 20s}]
`

// perKey promises what one key may do, wherever it asks from.
const perKey = `
version: 1
name: keys
target: http://127.0.0.1
defaults:
  on_reject: {status: 429, retry_after: required, json: {error.code: E4004}}
identities:
  ann: {headers: {Authorization: Bearer ann}}
  bob: {headers: {Authorization: Bearer bob}}
groups:
  newsletter:
    promise: {limit: 5/min, burst: 2, scope: key}
    identity: [ann, bob]
    requests: [{POST: /beak/newsletter/subscribe, json: {email: "${unique.email}"}}]
  signup:
    promise: {limit: 10/min, burst: 5, scope: key}
    identity: [ann, bob]
    requests: [{POST: /beak/signup, json: {email: "${unique.email}", password: "${unique.password}"}}]
`

// fromEach is sent from an address of each agent: on a counter for each
// address, and on one for everybody.
const fromEach = `
version: 1
name: from-each
target: http://127.0.0.1
defaults:
  on_reject: {status: 429, retry_after: required, json: {error.code: E4004}}
  sources: agents
groups:
  signup:
    promise: {limit: 10/min, burst: 5, scope: ip}
    requests: [{POST: /beak/signup, json: {email: "${unique.email}", password: "${unique.password}"}}]
  support:
    promise: {limit: 5/min, burst: 2, scope: ip}
    requests: [{POST: /beak/support/contact, json: {email: a@example.com, message: hello}, headers: {Authorization: Bearer demo}}]
    pacing: [{burst: 100% + 2}, {rest: 20s}, {burst: 3}]
  status:
    promise: {limit: 60/min, burst: 120, scope: global}
    requests: [GET /beak/system/status]
    pacing: [{burst: 100% + 6}, {rest: 5s}, {burst: 10%}, {hold: 80%, for: 20s}]
`

// Whatever the number of agents and their clocks, each verdict is that of one
// machine, or inconclusive. Only where one machine leaves a question open may a
// fleet answer it, and never against a promise that is kept.
func TestAFleetFindsWhatOneMachineFinds(t *testing.T) {
	written := func(text string) func(*testing.T) *scenarios.Scenario {
		return func(t *testing.T) *scenarios.Scenario {
			s, err := scenarios.Load("table.yaml", []byte(text), scenarios.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	table := func(t *testing.T) *scenarios.Scenario {
		s, err := scenarios.BuiltIn("space-duck", scenarios.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	byHand, keys, each := written(dealtOut), written(perKey), written(fromEach)
	for _, k := range []struct {
		plan    string
		of      func(*testing.T) *scenarios.Scenario
		defects []string
		agents  []int
	}{
		{"the table", table, nil, []int{2, 3, 8}},
		{"the table", table, []string{"rate+1%"}, []int{3}},
		{"the table", table, []string{"scope-key"}, []int{3}},
		{"the table", table, []string{"scope-global"}, []int{3}},
		{"keys", keys, []string{"scope-key"}, []int{2, 3}},
		{"keys", keys, []string{"scope-key", "scope-ip"}, []int{3}},
		{"keys", keys, []string{"scope-key", "scope-global"}, []int{3}},
		{"from each", each, nil, []int{2, 3}},
		{"from each", each, []string{"burst+1"}, []int{3}},
		{"by hand", byHand, nil, []int{2, 3, 5, 8}},
		{"by hand", byHand, []string{"burst+1"}, []int{2, 8}},
		{"by hand", byHand, []string{"burst-1"}, []int{2, 8}},
		{"by hand", byHand, []string{"never-enforced"}, []int{3, 8}},
	} {
		config := emulator.SpaceDuck()
		for _, name := range k.defects {
			d, err := emulator.DefectNamed(name)
			if err != nil {
				t.Fatal(err)
			}
			config = d.Apply(config)
		}
		plan := func(t *testing.T, agents int) scenarios.Plan {
			plan, err := scenarios.Compile(k.of(t), scenarios.CompileOptions{Run: "01TEST", Loopback: true, Agents: agents})
			if err != nil {
				t.Fatal(err)
			}
			return plan
		}
		defect := strings.Join(k.defects, " ")
		t.Run(k.plan+" "+defect, func(t *testing.T) {
			alone := inVirtualTime(t, plan(t, 1), config)
			for _, n := range k.agents {
				together := fleetInVirtualTime(t, plan(t, n), config, n, 1)
				open, all := 0, 0
				for i, g := range alone.Groups {
					for x, want := range g.Findings {
						got := together.Groups[i].Findings[x]
						all++
						switch {
						case got.Check != want.Check:
							t.Fatalf("%d agents: %s: %s in place of %s", n, g.Name, got.Check, want.Check)
						case got.Outcome == want.Outcome, want.Outcome == analyze.Inconclusive && (got.Outcome == analyze.Pass || k.defects != nil):
						case got.Outcome == analyze.Fail && got.Check == "retry_after.sufficient" && strings.HasPrefix(defect, "scope-"):
							// Who waits as told is rejected, because others use what he waits for.
						case got.Outcome == analyze.Inconclusive && got.Check == "scope":
							t.Errorf("%d agents: %s: scope is open (%s), one machine: %s (%s)", n, g.Name, got.Message, want.Outcome, want.Message)
						case got.Outcome == analyze.Inconclusive:
							open++
							t.Logf("%d agents: %s: %s: %s", n, g.Name, got.Check, got.Message)
						default:
							t.Errorf("%d agents: %s: %s: %s (%s), one machine: %s (%s)", n, g.Name, got.Check, got.Outcome, got.Message, want.Outcome, want.Message)
						}
					}
				}
				t.Logf("%d agents: %s; of %d verdicts %d are open that one machine's are not", n, together.Outcome, all, open)
			}
		})
	}
}
