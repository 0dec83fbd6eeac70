package analyze

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// An asker sends requests to a limiter over a network that delays them, and
// writes down what a sender sees.
type asker struct {
	limiter limiter.Limiter
	rng     *rand.Rand
	mean    time.Duration // of the delay each way, after 50 µs
	heavy   float64       // share of delays that are a hundred times as long
	drift   float64       // the limiter's clock runs at 1 + drift
	tick    time.Duration // and shows multiples of this
	queue   []ask
	all     []history.Observation
}

// An ask is a request on its way.
type ask struct {
	sent, decided time.Duration
	lost          bool
}

func askerOf(t testing.TB, model string, l limiter.Limit, seed uint64) *asker {
	t.Helper()
	m, err := limiter.ModelNamed(model)
	if err != nil {
		t.Fatal(err)
	}
	state, err := m.New(l)
	if err != nil {
		t.Fatal(err)
	}
	return &asker{limiter: state, rng: rand.New(rand.NewPCG(seed, 7)), mean: 300 * time.Microsecond}
}

func (a *asker) delay() time.Duration {
	d := a.rng.ExpFloat64() * float64(a.mean)
	if a.rng.Float64() < a.heavy {
		d *= 100
	}
	return 50*time.Microsecond + time.Duration(d)
}

// at sends a request at a moment.
func (a *asker) at(sent time.Duration) {
	a.queue = append(a.queue, ask{sent: sent, decided: sent + a.delay()})
}

// burst sends requests 20 µs apart.
func (a *asker) burst(at time.Duration, n int) {
	for i := range n {
		a.at(at + time.Duration(i)*20*time.Microsecond)
	}
}

// sorted puts requests in the order of their decisions.
func sorted(queue []ask) {
	slices.SortStableFunc(queue, func(x, y ask) int { return cmp.Compare(x.decided, y.decided) })
}

// answers lets the limiter decide everything, in the order of arrival.
func (a *asker) answers() []history.Observation {
	sorted(a.queue)
	for _, q := range a.queue {
		shown := time.Duration(float64(q.decided) * (1 + a.drift))
		if a.tick > 0 {
			shown -= shown % a.tick
		}
		var d limiter.Decision
		d, a.limiter = a.limiter.Take(shown)
		o := history.Observation{Seq: uint64(len(a.all)), Intended: q.sent, Sent: q.sent, Answered: q.decided + a.delay(), Status: 200}
		if !d.OK {
			o.Status = 429
		}
		if q.lost {
			o.Answered, o.Status = history.Never, 0
		}
		o.Done = max(o.Sent, min(o.Answered, o.Sent+30*time.Second))
		a.all = append(a.all, o)
	}
	a.queue = nil
	return a.all
}

// recordOf is a whole record of one group with one lane.
func recordOf(l limiter.Limit, all []history.Observation) *history.History {
	return history.Of(history.Header{
		Groups: []history.Group{{
			Name: "g", Counter: "g", Exclusive: true, Fresh: true,
			Promise: limiter.Promise{
				Limits: []limiter.Limit{l}, Admitted: []limiter.Statuses{{From: 200, To: 299}},
				Reject: limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterNone},
			},
		}},
		Lanes:  []history.Lane{{}},
		Phases: []history.Phase{{Pace: "burst"}},
	}, all, &history.End{Complete: true, Offered: len(all)})
}

// ideal sends what tests a documented bucket at its critical moments: one
// request, a rest, one more than the burst and another, and for each of some
// tokens one request that ends before it is due and one that starts after it.
func ideal(a *asker, documented limiter.Limit, tokens int) {
	token := documented.Interval()
	a.at(0)
	begin := 2*token + 20*time.Millisecond
	a.burst(begin, int(documented.Burst)+2)
	lead := 4*a.mean + 2*documented.Clock() // a probe that is early by less proves nothing
	for k := 1; k <= tokens; k++ {
		due := begin + time.Duration(k)*documented.Window/time.Duration(documented.Limit)
		a.at(due - lead)
		a.at(due + lead)
		a.at(due + lead + 2*time.Millisecond)
	}
}

// verdicts judges a record, and returns the findings of its group by check.
func verdicts(t testing.TB, h *history.History) map[string]Finding {
	t.Helper()
	f, err := Judge(h)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Finding{}
	for _, x := range f.Groups[0].Findings {
		all[x.Check] = x
	}
	return all
}

// spaceDuck is the published table.
var spaceDuck = []limiter.Limit{
	{Limit: 100, Window: time.Minute, Burst: 200},
	{Limit: 10, Window: time.Minute, Burst: 5},
	{Limit: 60, Window: time.Minute, Burst: 120},
	{Limit: 5, Window: time.Minute, Burst: 2},
	{Limit: 500, Window: time.Minute, Burst: 1000},
}

func tokensFor(l limiter.Limit) int { return int(max(3, 24*time.Second/l.Interval())) }

func TestAnIdealPlanMeasuresRateAndBurst(t *testing.T) {
	for _, l := range spaceDuck {
		l.Reading = limiter.TokenBucket
		for seed := range uint64(4) {
			a := askerOf(t, "token-bucket", l, seed)
			ideal(a, l, tokensFor(l))
			all := verdicts(t, recordOf(l, a.answers()))
			for _, check := range []string{"limit.ceiling", "limit.floor", "limit.rate", "limit.burst"} {
				if f := all[check]; f.Outcome != Pass {
					t.Errorf("%s, seed %d: %s: got %s (%s), want pass", l, seed, check, f.Outcome, f.Message)
				}
			}
			if want := fmt.Sprintf("burst %d, exactly", l.Burst); all["limit.burst"].Message != want {
				t.Errorf("%s, seed %d: got %q, want %q", l, seed, all["limit.burst"].Message, want)
			}
		}
	}
}

func TestOneRequestAndOnePercentAreFound(t *testing.T) {
	for _, l := range spaceDuck {
		l.Reading = limiter.TokenBucket
		for _, wrong := range []struct {
			name   string
			change func(*limiter.Limit)
			check  string
		}{
			{"one more", func(l *limiter.Limit) { l.Burst++ }, "limit.burst"},
			{"one fewer", func(l *limiter.Limit) { l.Burst-- }, "limit.burst"},
			{"1 % faster", func(l *limiter.Limit) { l.Window -= l.Window / 101 }, "limit.rate"},
			{"1 % slower", func(l *limiter.Limit) { l.Window += l.Window / 99 }, "limit.rate"},
		} {
			for seed := range uint64(4) {
				enforced := l
				wrong.change(&enforced)
				a := askerOf(t, "token-bucket", enforced, seed)
				ideal(a, l, tokensFor(l))
				all := verdicts(t, recordOf(l, a.answers()))
				if f := all[wrong.check]; f.Outcome != Fail || f.Witness == nil || len(f.Witness.Requests) == 0 {
					t.Errorf("%s, %s, seed %d: %s: got %s (%s), want fail with a witness", l, wrong.name, seed, wrong.check, f.Outcome, f.Message)
				}
			}
		}
	}
}
