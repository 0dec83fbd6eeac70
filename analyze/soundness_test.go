package analyze_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// shards is into how many tests the histories are split, so that several run
// at once. Each takes as many histories as -rapid.checks says: 100, unless
// "make test-long" asks for more.
const shards = 10

// Whatever the network and the clocks do, a promise that is kept is never
// failed. Here the sender knows what the limiter thinks, and asks at the very
// moments at which a nanosecond decides.
func TestTheTruthNeverFailsAtTheEdge(t *testing.T) {
	for range shards {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				tr := drawTruth(t, false)
				h := edgewise(t, tr)
				mustHold(t, tr, h)
			})
		})
	}
}

// The same for plans as people run them, compiled from the promise or written
// by hand, over networks with long tails, resends and losses.
func TestTheTruthNeverFailsUnderAPlan(t *testing.T) {
	for range shards {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				tr := drawTruth(t, true)
				plan := drawPlan(t, tr)
				w := drawNetwork(t, tr.server)
				seed := rapid.Uint64().Draw(t, "seed")
				mustHold(t, tr, simulate(plan, headerOfPlan(plan), w, rand.New(rand.NewPCG(seed, 0))))
			})
		})
	}
}

// The same where one small bucket serves everybody: its tokens come back while
// requests of other lanes, and attempts that nobody waits for, are on their way.
func TestTheTruthNeverFailsWithASmallBucket(t *testing.T) { neverFails(t, drawSmallBucket) }

// The same for sliding counters, of which length and phase are examined
// together.
func TestTheTruthNeverFailsWithACounter(t *testing.T) { neverFails(t, drawCounter) }

// neverFails draws truths, at the edge and under plans.
func neverFails(t *testing.T, draw func(*rapid.T) truth) {
	for range shards / 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				tr := draw(t)
				if rapid.Bool().Draw(t, "at the edge") {
					mustHold(t, tr, edgewise(t, tr))
					return
				}
				plan := drawPlan(t, tr)
				w := drawNetwork(t, tr.server)
				seed := rapid.Uint64().Draw(t, "seed")
				mustHold(t, tr, simulate(plan, headerOfPlan(plan), w, rand.New(rand.NewPCG(seed, 0))))
			})
		})
	}
}

// drawPlan compiles a plan for a promise, or draws one by hand.
func drawPlan(t *rapid.T, tr truth) scenarios.Plan {
	g := scenarios.Group{Name: "g", Promise: tr.promise, Exclusive: tr.exclusive, Fresh: tr.fresh, DecidedWithin: tr.within}
	g.Identity = rapid.SampledFrom([][]string{nil, {"beak"}, {"beak", "bill"}}).Draw(t, "identities")
	if rapid.Bool().Draw(t, "two addresses") {
		g.Sources = []string{"127.0.0.2", "127.0.0.3"}
	}
	l := tr.promise.Limits[0]
	if rapid.IntRange(0, 2).Draw(t, "by hand") == 0 {
		for range rapid.IntRange(1, 7).Draw(t, "phases") {
			g.Pacing = append(g.Pacing, drawPhase(t, l))
		}
	}
	s := &scenarios.Scenario{Name: "s", Target: "http://127.0.0.1", Groups: []scenarios.Group{g}, Identities: []scenarios.Identity{{Name: "beak"}, {Name: "bill"}}}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true, Patience: rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(t, "patience")})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func drawPhase(t *rapid.T, l limiter.Limit) scenarios.Phase {
	p := scenarios.Phase{Limit: l, Count: rapid.IntRange(1, 60).Draw(t, "count"), For: time.Duration(rapid.Int64Range(1, int64(2*l.Window)).Draw(t, "for"))}
	p.Pace = rapid.SampledFrom([]string{"rest", "refill", "burst", "burst", "hold", "ramp"}).Draw(t, "pace")
	p.Rate = min(l.Rate(), 20) * rapid.SampledFrom([]float64{0.5, 1, 1, 2}).Draw(t, "rate")
	p.To = p.Rate * rapid.SampledFrom([]float64{0.1, 3}).Draw(t, "to")
	p.Label = p.Pace
	return p
}

// headerOfPlan is what a run writes at the head of its record.
func headerOfPlan(plan scenarios.Plan) history.Header {
	h := history.Header{Run: plan.Run, Scenario: plan.Scenario.Name}
	for i, g := range plan.Scenario.Groups {
		h.Groups = append(h.Groups, history.Group{
			Name: g.Name, Counter: plan.Scenario.Counter(i), Promise: g.Promise,
			Exclusive: g.Exclusive, Fresh: g.Fresh, DecidedWithin: g.DecidedWithin,
		})
	}
	for _, l := range plan.Lanes {
		lane := history.Lane{Group: l.Group, Identity: l.Identity, Trick: l.Trick}
		if l.Source.IsValid() {
			lane.Source = l.Source.String()
		}
		h.Lanes = append(h.Lanes, lane)
	}
	for _, s := range plan.Stretches() {
		p := history.Phase{Group: s.Group, Pace: s.Pace, Label: s.Label}
		if s.Pace == "hold" {
			p.Rate = s.Rate
		}
		h.Phases = append(h.Phases, p)
	}
	return h
}

// A way describes delays: most of them near the middle, some far away, and a
// few that are as long as a timeout.
type way struct {
	middle time.Duration
	spread float64 // of the logarithm
	spikes float64 // share
}

func (w way) delay(r *rand.Rand) time.Duration {
	if r.Float64() < w.spikes {
		return time.Duration(r.Int64N(int64(4 * time.Second)))
	}
	return min(5*time.Second, time.Duration(float64(w.middle)*math.Exp(w.spread*r.NormFloat64())))
}

// drawNetwork draws what lies between a sender and a server.
func drawNetwork(t *rapid.T, s *server) world {
	share := func(name string) float64 { return rapid.SampledFrom([]float64{0, 0, 0.01, 0.1}).Draw(t, name) }
	draw := func(name string) way {
		return way{
			middle: rapid.SampledFrom([]time.Duration{0, 300 * time.Microsecond, 5 * time.Millisecond, 80 * time.Millisecond}).Draw(t, name),
			spread: rapid.SampledFrom([]float64{0.1, 0.7, 1.5}).Draw(t, name+" spread"),
			spikes: rapid.SampledFrom([]float64{0, 0, 0.003, 0.05}).Draw(t, name+" spikes"),
		}
	}
	there, back, late := draw("there"), draw("back"), draw("late")
	return world{
		server: s, respond: s.respond,
		there: there.delay, back: back.delay, late: late.delay,
		lost: share("lost"), dropped: share("dropped"), resent: share("resent"), broken: share("broken"),
	}
}

// mustHold fails the test if a check does.
func mustHold(t *rapid.T, tr truth, h *history.History) {
	f, err := analyze.Judge(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range failed(f) {
		t.Fatalf("%s fails on a promise that is kept: %s\n%s\ndocumented %+v\nenforced %+v\nby %+v\n%s",
			x.Check, x.Message, x.Witness.Sentence, tr.promise.Limits, tr.server.limits, tr.server.scopes, written(h))
	}
}

// written lists a history, a request a line.
func written(h *history.History) string {
	var b strings.Builder
	all, _ := h.Collect()
	for _, o := range all {
		fmt.Fprintf(&b, "lane %d %s %12d %12d %s %v\n", o.Lane, h.Header.Phases[o.Phase].Pace, o.Sent, o.Answered, h.Outcome(o), o.Evidence)
	}
	return b.String()
}

// edgewise draws a history in which the decisions are made first, often at the
// first moment of admission or just before, and what is seen of them is drawn
// around them.
func edgewise(t *rapid.T, tr truth) *history.History {
	header := history.Header{
		Phases: []history.Phase{{Pace: "lone"}, {Pace: "rest"}, {Pace: "burst"}, {Pace: "hold", Rate: tr.promise.Limits[0].Rate()}, {Pace: "edges"}, {Pace: "obey"}, {Pace: "scope"}, {Pace: "refill"}, {Pace: "burst"}},
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: tr.promise, Exclusive: tr.exclusive, Fresh: tr.fresh, DecidedWithin: tr.within}},
		Lanes:  []history.Lane{{}, {Identity: "beak", Source: "127.0.0.2"}, {Identity: "beak", Source: "127.0.0.3"}, {Identity: "bill", Source: "127.0.0.2"}, {Identity: "beak", Source: "127.0.0.2", Trick: scenarios.TrickForwarded}},
	}
	for range rapid.IntRange(0, 1).Draw(t, "second group") {
		second := header.Groups[0]
		second.Name = "h"
		header.Groups = append(header.Groups, second)
		header.Lanes[3].Group = 1
	}
	e := edge{T: t, truth: tr, lanes: rapid.IntRange(1, len(header.Lanes)).Draw(t, "lanes"), header: header}
	for range rapid.IntRange(1, 70).Draw(t, "requests") {
		e.request()
	}
	slices.SortStableFunc(e.all, func(a, b history.Observation) int { return cmp.Compare(a.Done, b.Done) })
	return history.Of(header, e.all, &history.End{At: e.now + time.Minute, Complete: true, Offered: len(e.all)})
}

type edge struct {
	*rapid.T
	truth
	header history.Header
	lanes  int
	phase  int
	now    time.Duration
	all    []history.Observation
}

// request makes one more decision, no earlier than the last.
func (e *edge) request() {
	lane := rapid.IntRange(0, e.lanes-1).Draw(e.T, "lane")
	who := e.header.Lanes[lane]
	e.now = e.moment(who)
	if e.phase < len(e.header.Phases)-1 && rapid.IntRange(0, 5).Draw(e.T, "next phase") == 0 {
		e.phase++
	}
	o := history.Observation{Lane: lane, Phase: e.phase, Seq: uint64(len(e.all)), Sent: max(0, e.now-e.way("there"))}
	fate := rapid.IntRange(0, 29).Draw(e.T, "fate")
	if fate == 3 { // it never came, or somebody else took it
		e.unanswered(o, false)
		return
	}
	d := e.server.take(who.Identity, who.Source, e.now)
	switch fate {
	case 0: // the answer was lost
		e.unanswered(o, false)
		return
	case 1: // the transport sent it again, which was too late, or never came
		e.unanswered(o, true)
		return
	}
	o.Answered = e.now + e.way("back")
	o.Status, o.Evidence = e.server.respond(d, e.now)
	if fate == 2 {
		o.Status, o.Evidence = 500, nil
	}
	o.Intended, o.Done = o.Sent, o.Answered
	e.all = append(e.all, o)
}

func (e *edge) unanswered(o history.Observation, resent bool) {
	if e.within > 0 {
		o.Sent = max(o.Sent, e.now-e.within)
	}
	o.Intended, o.Answered, o.Resent, o.Error = o.Sent, history.Never, resent, "timeout"
	o.Done = o.Sent + rapid.SampledFrom([]time.Duration{0, time.Millisecond, timeout}).Draw(e.T, "given up")
	e.all = append(e.all, o)
}

// moment draws when the next request is decided.
func (e *edge) moment(who history.Lane) time.Duration {
	l := rapid.SampledFrom(e.server.limits).Draw(e.T, "by limit")
	clock := e.server.clock
	switch rapid.IntRange(0, 9).Draw(e.T, "moment") {
	case 0, 1, 2: // at once
		return e.now
	case 3:
		return e.now + time.Duration(rapid.Int64Range(0, int64(20*time.Millisecond)).Draw(e.T, "soon"))
	case 4: // a whole number of intervals later
		return e.now + time.Duration(rapid.Int64Range(1, 3).Draw(e.T, "intervals"))*l.Interval()
	case 5: // around the next border between aligned windows
		shows := clock.at(e.now)
		return e.around(clock.until(e.now, shows-shows%l.Window+l.Window))
	case 6: // a window later
		return e.around(clock.until(e.now, clock.at(e.now)+l.Window))
	case 7: // as told
		return max(e.now, e.told())
	}
	d, _, _ := e.server.look(who.Identity, who.Source, e.now)
	if d.OK {
		return e.now
	}
	return e.around(clock.until(e.now, clock.at(e.now)+d.Wait))
}

// around draws a moment, or one just before it.
func (e *edge) around(at time.Duration) time.Duration {
	return max(e.now, at-rapid.SampledFrom([]time.Duration{0, 0, 1, 1, time.Millisecond}).Draw(e.T, "before"))
}

// told returns the first moment at which a client that obeys the last
// Retry-After may be sure to be admitted.
func (e *edge) told() time.Duration {
	if len(e.all) == 0 {
		return e.now
	}
	o := e.all[len(e.all)-1]
	var seconds time.Duration
	for _, v := range o.Evidence.Values("Retry-After") {
		if _, err := fmt.Sscanf(v, "%d", &seconds); err != nil {
			return e.now
		}
	}
	step := e.promise.Limits[0].Clock()
	return o.Answered + seconds*time.Second + seconds*time.Second/2000 + step
}

// way draws a delay: none, a short one, or a very long one.
func (e *edge) way(name string) time.Duration {
	switch rapid.IntRange(0, 7).Draw(e.T, name) {
	case 0, 1, 2, 3:
		return 0
	case 4:
		return 1
	case 5, 6:
		return time.Duration(rapid.Int64Range(0, int64(30*time.Millisecond)).Draw(e.T, name+" for"))
	}
	return time.Duration(rapid.Int64Range(0, int64(10*time.Second)).Draw(e.T, name+" for long"))
}
