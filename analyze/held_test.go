package analyze_test

import (
	"cmp"
	"container/heap"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
	"duckload/scenarios"
)

// immediate are the models that answer at once and forget a request then.
var immediate = slices.DeleteFunc(slices.Clone(limiter.Models), func(m limiter.Model) bool {
	return m.Reading == limiter.LeakyQueue || m.Reading == limiter.Concurrency
})

// A counter house holds a queue or a limit of requests at once, and knows when
// each request is done.
type house struct {
	promise limiter.Promise
	within  time.Duration // decided_within; 0: nothing is said
	key     func(history.Lane) string
	drift   float64
	tick    time.Duration
}

func drawHouse(t *rapid.T) house {
	h := house{promise: limiter.Promise{
		Reject:   limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterRequired},
		Admitted: []limiter.Statuses{{From: 200, To: 299}},
	}}
	scope := rapid.SampledFrom([]limiter.Scope{limiter.ScopeGlobal, limiter.ScopeIP, limiter.ScopeKey, limiter.ScopeUnknown}).Draw(t, "scope")
	h.key = map[limiter.Scope]func(history.Lane) string{
		limiter.ScopeGlobal:  func(history.Lane) string { return "" },
		limiter.ScopeIP:      func(l history.Lane) string { return l.Source },
		limiter.ScopeKey:     func(l history.Lane) string { return l.Identity },
		limiter.ScopeUnknown: func(l history.Lane) string { return l.Source + l.Identity },
	}[scope]
	queue := limiter.Limit{
		Limit: rapid.Int64Range(1, 20).Draw(t, "limit"), Window: rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second}).Draw(t, "window"),
		Burst: rapid.Int64Range(1, 12).Draw(t, "burst"), Reading: limiter.LeakyQueue, Scope: scope,
	}
	places := limiter.Limit{Limit: rapid.Int64Range(1, 8).Draw(t, "places"), Reading: limiter.Concurrency, Scope: scope,
		ServiceTime: rapid.SampledFrom([]time.Duration{0, time.Millisecond, 50 * time.Millisecond, 2 * time.Second}).Draw(t, "service time")}
	bucket := queue
	bucket.Reading = limiter.TokenBucket
	h.promise.Limits = rapid.SampledFrom([][]limiter.Limit{{queue}, {queue}, {places}, {places}, {places, bucket}, {queue, places}}).Draw(t, "limits")
	h.within = rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Millisecond, time.Second}).Draw(t, "decided within")
	h.drift = rapid.SampledFrom([]float64{-0.0005, 0, 0.0005}).Draw(t, "drift") * 0.999
	h.tick = rapid.SampledFrom([]time.Duration{0, 4 * time.Millisecond, 10 * time.Millisecond}).Draw(t, "tick")
	return h
}

func (h house) fresh(t *rapid.T) limiter.Limiter {
	var all []limiter.Limiter
	for _, l := range h.promise.Limits {
		one, err := limiter.ModelOf(l).New(l)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return limiter.Conjunction(all...)
}

// serviceTime is how long each admitted request takes at the least.
func (h house) serviceTime() (longest time.Duration) {
	for _, l := range h.promise.Limits {
		longest = max(longest, l.ServiceTime)
	}
	return longest
}

// visits draws what clients see of a house that keeps its promise.
func (h house) visits(t *rapid.T) *history.History {
	header := history.Header{
		Phases: []history.Phase{{Pace: "burst"}, {Pace: "hold", Rate: 1}},
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: h.promise, Exclusive: true, Fresh: rapid.Bool().Draw(t, "fresh"), DecidedWithin: h.within}},
		Lanes:  []history.Lane{{Identity: "beak", Source: "127.0.0.2"}, {Identity: "beak", Source: "127.0.0.3"}, {Identity: "bill", Source: "127.0.0.2"}},
	}
	lanes := rapid.IntRange(1, 3).Draw(t, "lanes")
	states := map[string]limiter.Limiter{}
	var all []history.Observation
	var over decisions // of requests that are done
	now := time.Duration(0)
	for i := range rapid.IntRange(1, 80).Draw(t, "requests") {
		now += h.gap(t)
		for len(over) > 0 && over[0].at <= now {
			key := h.key(header.Lanes[heap.Pop(&over).(decision).lane])
			states[key] = limiter.Release(states[key])
		}
		lane := rapid.IntRange(0, lanes-1).Draw(t, "lane")
		key := h.key(header.Lanes[lane])
		if states[key] == nil {
			states[key] = h.fresh(t)
		}
		at := time.Duration(float64(now) * (1 + h.drift))
		if h.tick > 0 {
			at -= at % h.tick
		}
		there := h.way(t, "there")
		if h.within > 0 {
			there = min(there, h.within)
		}
		o := history.Observation{Lane: lane, Phase: i % 2, Seq: uint64(i), Sent: max(0, now-there)}
		o.Intended = o.Sent
		var d limiter.Decision
		d, states[key] = states[key].Take(at)
		done := now
		o.Status = 429
		o.Evidence = told(strconv.Itoa(int(min(d.Wait, time.Minute)/time.Second) + 1))
		if d.OK {
			o.Status, o.Evidence = 200, nil
			done += time.Duration(float64(d.Delay)/(1+h.drift)) + h.serviceTime() + h.way(t, "service")
		}
		o.Answered = done + h.way(t, "back")
		o.Done = o.Answered + h.way(t, "body")
		if d.OK {
			// A place is given back when the request is done, or a step of the
			// clock after its answer was read at the latest.
			free := rapid.SampledFrom([]time.Duration{done, o.Answered, o.Done, o.Done + 10*time.Millisecond}).Draw(t, "free")
			if rapid.IntRange(0, 15).Draw(t, "lost") == 0 {
				o.Status, o.Answered, o.Done, o.Error = 0, history.Never, o.Sent+timeout, "timeout"
				free += time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "held for long"))
			}
			heap.Push(&over, decision{at: free, lane: lane, n: i})
		}
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b history.Observation) int { return cmp.Compare(a.Done, b.Done) })
	return history.Of(header, all, &history.End{At: now + time.Hour, Complete: true, Offered: len(all)})
}

// gap draws the time to the next request.
func (h house) gap(t *rapid.T) time.Duration {
	switch rapid.IntRange(0, 5).Draw(t, "gap") {
	case 0, 1, 2:
		return 0
	case 3:
		return h.serviceTime()
	case 4:
		return h.promise.Limits[0].Interval()
	}
	return time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "long gap"))
}

// way draws a delay.
func (h house) way(t *rapid.T, name string) time.Duration {
	switch rapid.IntRange(0, 9).Draw(t, name) {
	case 0, 1, 2, 3, 4:
		return 0
	case 5, 6, 7, 8:
		return time.Duration(rapid.Int64Range(0, int64(30*time.Millisecond)).Draw(t, name+" for"))
	}
	return time.Duration(rapid.Int64Range(0, int64(5*time.Second)).Draw(t, name+" for long"))
}

// Whatever the network, the clocks and the service do, a queue and a limit of
// requests at once that are kept are never failed.
func TestQueuesAndPlacesThatAreKeptNeverFail(t *testing.T) {
	for range shards / 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				h := drawHouse(t)
				record := h.visits(t)
				f, err := analyze.Judge(record)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range failed(f) {
					t.Fatalf("%s fails on a promise that is kept: %s\n%s\n%+v", x.Check, x.Message, written(record), h.promise.Limits)
				}
			})
		})
	}
}

// heldPlan compiles the plan of one limit, asked from two addresses.
func heldPlan(t *testing.T, l limiter.Limit, within time.Duration) scenarios.Plan {
	t.Helper()
	l.Scope = limiter.ScopeIP
	g := scenarios.Group{Name: "g", Exclusive: true, Fresh: true, DecidedWithin: within, Sources: []string{"127.0.0.2", "127.0.0.3"}}
	g.Promise = limiter.Promise{Limits: []limiter.Limit{l}, Reject: limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterRequired}, Admitted: []limiter.Statuses{{From: 200, To: 299}}}
	s := &scenarios.Scenario{Name: "s", Target: "http://127.0.0.1", Groups: []scenarios.Group{g}}
	plan, err := scenarios.Compile(s, scenarios.CompileOptions{Run: "01TEST", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// heldRun sends a plan to a limiter over a quiet network.
func heldRun(t *testing.T, plan scenarios.Plan, real limiter.Limit, service time.Duration, perIP bool, seed uint64) analyze.Group {
	t.Helper()
	short := func(r *rand.Rand) time.Duration {
		return 200*time.Microsecond + time.Duration(r.ExpFloat64()*float64(300*time.Microsecond))
	}
	w := world{
		limiter: func() limiter.Limiter {
			one, err := limiter.ModelOf(real).New(real)
			if err != nil {
				t.Fatal(err)
			}
			return one
		},
		key: func(l scenarios.Lane) string {
			if perIP {
				return l.Source.String()
			}
			return ""
		},
		respond: func(d limiter.Decision, _ time.Duration) (int, limiter.Fields) {
			if d.OK {
				return 200, nil
			}
			return 429, told(strconv.Itoa(int((min(d.Wait, time.Second) + time.Second - 1) / time.Second)))
		},
		there: short, back: short, late: short,
		service: func(r *rand.Rand) time.Duration { return service + short(r) },
	}
	f := judged(t, simulate(plan, headerOfPlan(plan), w, rand.New(rand.NewPCG(seed, 5))))
	return f.Groups[0]
}

var (
	tenQueue  = limiter.Limit{Limit: 10, Window: time.Second, Burst: 8, Reading: limiter.LeakyQueue}
	slowQueue = limiter.Limit{Limit: 30, Window: time.Minute, Burst: 4, Reading: limiter.LeakyQueue}
	five      = limiter.Limit{Limit: 5, Reading: limiter.Concurrency, ServiceTime: 100 * time.Millisecond}
)

func TestCompiledPlansOfQueuesAndPlacesPass(t *testing.T) {
	for _, l := range []limiter.Limit{tenQueue, slowQueue, five} {
		plan := heldPlan(t, l, 20*time.Millisecond)
		for seed := range uint64(3) {
			g := heldRun(t, plan, l, l.ServiceTime, true, seed)
			if g.Outcome != analyze.Pass {
				t.Errorf("%s: %s, want pass:\n%s", l, g.Outcome, sayAll(g))
			}
			m := g.Measured
			if seed > 0 {
				continue
			}
			t.Logf("%s takes %s and %d requests: %+v", l, plan.Duration(), plan.Requests(), m)
			switch {
			case m == nil || m.Family != string(l.Reading):
				t.Errorf("%s: measured %+v, want its family", l, m)
			case l.Reading == limiter.Concurrency && (m.AtOnce == nil || *m.AtOnce != analyze.Interval{Low: 5, High: 5}):
				t.Errorf("%s: measured %v at once, want 5 exactly", l, m.AtOnce)
			case l.Reading == limiter.LeakyQueue && (m.Burst == nil || m.Burst.Low != float64(l.Burst) || m.Burst.High != float64(l.Burst)):
				t.Errorf("%s: measured a queue of %v, want %d exactly", l, m.Burst, l.Burst)
			case l.Reading == limiter.LeakyQueue && (m.RatePerSecond == nil || m.RatePerSecond.Low > l.Rate() || m.RatePerSecond.High < l.Rate() || m.RatePerSecond.High-m.RatePerSecond.Low > 0.1*l.Rate()):
				t.Errorf("%s: measured %v a second, want a tenth around %v", l, m.RatePerSecond, l.Rate())
			}
		}
	}
}

// What is off by the stated resolution is found, each by its check.
func TestCompiledPlansOfQueuesAndPlacesFindWhatIsWrong(t *testing.T) {
	with := func(l limiter.Limit, change func(*limiter.Limit)) limiter.Limit { change(&l); return l }
	for _, wrong := range []struct {
		name     string
		promised limiter.Limit
		real     limiter.Limit
		perIP    bool
		check    string
	}{
		{"a longer queue", tenQueue, with(tenQueue, func(l *limiter.Limit) { l.Burst++ }), true, "limit.ceiling"},
		{"a shorter queue", tenQueue, with(tenQueue, func(l *limiter.Limit) { l.Burst-- }), true, "limit.floor"},
		{"2 % faster", tenQueue, with(tenQueue, func(l *limiter.Limit) { l.Window -= l.Window / 50 }), true, "limit.ceiling"},
		{"5 % slower", tenQueue, with(tenQueue, func(l *limiter.Limit) { l.Window += l.Window / 20 }), true, "limit.floor"},
		{"nothing is held back", tenQueue, with(tenQueue, func(l *limiter.Limit) { l.Reading = limiter.TokenBucket }), true, "limit.ceiling"},
		{"one queue for everybody", tenQueue, tenQueue, false, "scope"},
		{"one more at once", five, with(five, func(l *limiter.Limit) { l.Limit++ }), true, "limit.ceiling"},
		{"one fewer at once", five, with(five, func(l *limiter.Limit) { l.Limit-- }), true, "limit.floor"},
		{"five at once for everybody", five, five, false, "scope"},
		{"a bucket of five", five, limiter.Limit{Limit: 1, Window: time.Second, Burst: 5, Reading: limiter.TokenBucket}, true, "limit.floor"},
	} {
		plan := heldPlan(t, wrong.promised, 20*time.Millisecond)
		for seed := range uint64(3) {
			g := heldRun(t, plan, wrong.real, wrong.promised.ServiceTime, wrong.perIP, seed)
			at := slices.IndexFunc(g.Findings, func(f analyze.Finding) bool { return f.Check == wrong.check })
			if at < 0 || g.Findings[at].Outcome != analyze.Fail {
				t.Errorf("%s, seed %d: %s does not fail:\n%s", wrong.name, seed, wrong.check, sayAll(g))
			} else if seed == 0 {
				t.Logf("%s: %s: %s", wrong.name, wrong.check, g.Findings[at].Message)
			}
		}
	}
}

// Without what only the scenario can know, a ceiling is not passed and not
// failed.
func TestWhatCannotBeKnownStaysOpen(t *testing.T) {
	unknown := five
	unknown.ServiceTime = 0
	plan := heldPlan(t, unknown, 0)
	real := five
	real.Limit = 6
	if got := outcomeOf(heldRun(t, plan, real, 100*time.Millisecond, true, 1), "limit.ceiling"); got != analyze.Inconclusive {
		t.Errorf("six at once without service_time: %s, want inconclusive", got)
	}
	longer := tenQueue
	longer.Burst++
	if got := outcomeOf(heldRun(t, heldPlan(t, tenQueue, 0), longer, 0, true, 1), "limit.ceiling"); got != analyze.Pass {
		t.Errorf("a longer queue without decided_within: %s, want pass", got)
	}
}

func outcomeOf(g analyze.Group, check string) analyze.Verdict {
	for _, f := range g.Findings {
		if f.Check == check {
			return f.Outcome
		}
	}
	return ""
}

func sayAll(g analyze.Group) (text string) {
	for _, f := range g.Findings {
		text += f.Check + " " + string(f.Outcome) + ": " + f.Message + "\n"
	}
	return text
}

func told(seconds string) limiter.Fields {
	return limiter.Fields{{Name: "Retry-After", Value: seconds}}
}
