package compare

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

// A service answers some requests; its latencies wander, as real ones do: each
// depends on the one before, and some are far slower.
type service struct {
	requests int
	middle   time.Duration
	spread   float64 // of the logarithm
	memory   float64 // 0: each latency for itself
	slow     float64 // share of those that take ten times as long
	tail     float64 // factor on what is slower than the 90th percentile
	errors   float64
}

func (s service) run(t *testing.T, seed uint64) Run {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 99))
	promise := limiter.Promise{
		Limits:   []limiter.Limit{{Limit: 1_000_000, Window: time.Second, Burst: 1_000_000, Reading: limiter.TokenBucket}},
		Admitted: []limiter.Statuses{{From: 200, To: 299}}, Reject: limiter.Rejection{Status: []int{429}},
	}
	header := history.Header{
		Version: history.Version, Scenario: "s", Target: "http://127.0.0.1", Started: time.Unix(1.7e9, 0), Planned: s.requests,
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: promise, Exclusive: true, Fresh: true}},
		Lanes:  []history.Lane{{Group: 0, Identity: "a"}}, Phases: []history.Phase{{Group: 0, Pace: "hold"}},
	}
	var all []history.Observation
	state := random.NormFloat64()
	for i := range s.requests {
		state = s.memory*state + math.Sqrt(1-s.memory*s.memory)*random.NormFloat64()
		took := float64(s.middle) * math.Exp(s.spread*state)
		if state > 1.2816 && s.tail > 0 {
			took *= s.tail
		}
		if random.Float64() < s.slow {
			took *= 10
		}
		sent := time.Duration(i) * 10 * time.Millisecond
		o := history.Observation{Seq: uint64(i), Intended: sent, Sent: sent, Answered: sent + time.Duration(took), Done: sent + time.Duration(took), Status: 200}
		if random.Float64() < s.errors {
			o.Status = 500
		}
		all = append(all, o)
	}
	h := history.Of(header, all, &history.End{At: time.Duration(s.requests) * 10 * time.Millisecond, Complete: true, Offered: s.requests})
	g := analyze.Group{Name: "g", Promise: promise, Sent: len(all)}
	for _, o := range all {
		if h.Outcome(o) == limiter.Unknown {
			g.Unknown++
		}
	}
	return Run{Name: "run", History: h, Findings: analyze.Findings{Run: analyze.Run{Complete: true, Requests: len(all)}, Groups: []analyze.Group{g}}}
}

func kindOf(t *testing.T, c Comparison, subject string) Difference {
	t.Helper()
	for _, d := range c.Differences {
		if d.Subject == subject {
			return d
		}
	}
	t.Fatalf("nothing is said about %q: %+v", subject, c.Differences)
	return Difference{}
}

func comparison(t *testing.T, base, now []Run) Comparison {
	t.Helper()
	c, err := Runs(base, now, Usual)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Two runs of the same service are never a regression: in 200 pairs, with
// latencies that follow one another, heavy tails, and few requests or many.
func TestTheSameServiceIsNoRegression(t *testing.T) {
	for i := range uint64(200) {
		s := service{
			requests: []int{60, 300, 1500, 6000}[i%4], middle: 40 * time.Millisecond,
			spread: []float64{0.1, 0.3, 0.8}[i%3], memory: []float64{0, 0.5, 0.9}[i/3%3], slow: []float64{0, 0.01, 0.06}[i/9%3], errors: []float64{0, 0.02}[i%2],
		}
		c := comparison(t, []Run{s.run(t, 2*i)}, []Run{s.run(t, 2*i+1)})
		if c.Kind == Regression {
			t.Errorf("pair %d, %+v: %s", i, s, c.Sentence)
		}
	}
}

func TestAShiftedTailIsFound(t *testing.T) {
	found := 0
	for i := range uint64(20) {
		s := service{requests: 6000, middle: 40 * time.Millisecond, spread: 0.15, memory: 0.3}
		worse := s
		worse.tail = 1.1
		c := comparison(t, []Run{s.run(t, 2*i)}, []Run{worse.run(t, 2*i+1)})
		d := kindOf(t, c, "p95 of admitted")
		if d.Kind == Regression {
			found++
		}
		if k := kindOf(t, c, "p50 of admitted").Kind; k != Same {
			t.Errorf("pair %d: p50 is %s, want same", i, k)
		}
		back := comparison(t, []Run{worse.run(t, 2*i)}, []Run{s.run(t, 2*i+1)})
		if back.Kind == Regression {
			t.Errorf("pair %d: faster is a regression: %s", i, back.Sentence)
		}
	}
	if found != 20 {
		t.Errorf("p95 that is 10 %% slower: found in %d of 20 pairs", found)
	}
}

// With several runs on each side, what differs between them is noise.
func TestRunsAreTheSamples(t *testing.T) {
	s := service{requests: 800, middle: 40 * time.Millisecond, spread: 0.2}
	runs := func(from uint64, factors ...float64) (all []Run) {
		for i, f := range factors {
			x := s
			x.middle = time.Duration(float64(s.middle) * f)
			all = append(all, x.run(t, from+uint64(i)))
		}
		return all
	}
	noisy := []float64{1, 1.15, 0.95, 1.1, 1.2, 0.9}
	c := comparison(t, runs(1, noisy...), runs(50, 1.2, 1.0, 0.9, 1.15, 1.1, 0.95))
	if c.Kind == Regression {
		t.Errorf("machines that are busier at times are a regression: %s", c.Sentence)
	}
	c = comparison(t, runs(1, 1, 1.01, 0.99, 1, 1.02, 1), runs(50, 1.1, 1.12, 1.1, 1.13, 1.09, 1.1))
	if d := kindOf(t, c, "p95 of admitted"); d.Kind != Regression {
		t.Errorf("six runs that are 10 %% slower: %s: %s", d.Kind, d.Message)
	}
	c = comparison(t, runs(1, 1, 1.01), runs(50, 1.3, 1.31))
	if d := kindOf(t, c, "p95 of admitted"); d.Kind != Possible {
		t.Errorf("two runs that are slower are too few for a proof: got %s: %s", d.Kind, d.Message)
	}
}

func TestErrorsAreCompared(t *testing.T) {
	s := service{requests: 2000, middle: 40 * time.Millisecond, spread: 0.2}
	worse := s
	worse.errors = 0.06
	c := comparison(t, []Run{s.run(t, 1)}, []Run{worse.run(t, 2)})
	if d := kindOf(t, c, "errors"); d.Kind != Regression || d.Before != "0 %" {
		t.Errorf("6 %% of errors: got %s: %s", d.Kind, d.Message)
	}
}

// On a fast road a twentieth is less than the noise of a machine.
func TestAMillisecondIsNothing(t *testing.T) {
	s := service{requests: 3000, middle: 500 * time.Microsecond, spread: 0.2}
	slower := s
	slower.middle = 700 * time.Microsecond
	if c := comparison(t, []Run{s.run(t, 1)}, []Run{slower.run(t, 2)}); c.Kind == Regression {
		t.Errorf("0.2 ms more is a regression: %s", c.Sentence)
	}
}

func TestABaselineMustBeWhole(t *testing.T) {
	s := service{requests: 100, middle: time.Millisecond, spread: 0.1}
	for name, change := range map[string]func(*Run){
		"incomplete: interrupted": func(r *Run) { r.Findings.Run.Complete, r.Findings.Run.Reason = false, "interrupted" },
		"not whole: a frame":      func(r *Run) { r.History.Missing = []string{"a frame is lost"} },
		"holds no request":        func(r *Run) { r.Findings.Run.Requests = 0 },
	} {
		base := s.run(t, 1)
		change(&base)
		if _, err := Runs([]Run{base}, []Run{s.run(t, 2)}, Usual); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want that it is %s", err, name)
		}
	}
	if _, err := Runs(nil, nil, Usual); err == nil {
		t.Error("nothing is compared with nothing")
	}
}

// Certified intervals that do not touch prove a change; those that meet do not.
func TestMeasuredLimitsAreCompared(t *testing.T) {
	at := func(low, high float64, family ...string) []analyze.Group {
		return []analyze.Group{{Name: "g", Measured: &analyze.Measured{Burst: &analyze.Interval{Low: low, High: high}, Consistent: family}}}
	}
	for _, c := range []struct {
		base, now []analyze.Group
		want      Kind
	}{
		{at(200, 200), at(199, 199), Regression},
		{at(200, 200), at(201, 201), Regression},
		{at(200, 200), at(199, 201), Same},
		{at(200, 200), at(150, math.Inf(1)), Unknown},
		{append(at(190, 200), at(198, 210)...), at(191, 197), Regression}, // both runs agree on 198 to 200
		{append(at(190, 195), at(198, 210)...), at(196, 197), Same},       // it had changed before
	} {
		for _, d := range (pairing{name: "g", base: c.base, now: c.now}).limits() {
			if d.Subject == "burst" && d.Kind != c.want {
				t.Errorf("%s, %s: got %s, want %s", d.Before, d.Now, d.Kind, c.want)
			}
		}
	}
	p := pairing{name: "g", base: at(1, 1, "token-bucket"), now: at(1, 1, "fixed-window", "sliding-log")}
	if d := p.limits()[1]; d.Subject != "family" || d.Kind != Regression {
		t.Errorf("a bucket that became a window: got %+v", d)
	}
	p.now[0].Promise.Limits = []limiter.Limit{{Limit: 1, Window: time.Second}}
	if d := p.limits()[0]; d.Subject != "promise" || d.Kind != Changed {
		t.Errorf("another promise: got %+v", d)
	}
	if d := p.limits()[2]; d.Kind != Changed {
		t.Errorf("another family under another promise: got %+v", d)
	}
}

// Not knowing is no proof of a change.
func TestAScopeThatIsNotKnownDidNotChange(t *testing.T) {
	at := func(scope string) []analyze.Group {
		return []analyze.Group{{Name: "g", Measured: &analyze.Measured{Scope: scope}}}
	}
	for _, c := range []struct {
		base, now string
		want      int
	}{{"ip", "unknown", 0}, {"unknown", "ip", 0}, {"ip", "key", 1}} {
		n := 0
		for _, d := range (pairing{name: "g", base: at(c.base), now: at(c.now)}).limits() {
			if d.Kind == Regression {
				n++
			}
		}
		if n != c.want {
			t.Errorf("%s, then %s: got %d regressions, want %d", c.base, c.now, n, c.want)
		}
	}
}

func TestVerdictsAreCompared(t *testing.T) {
	group := func(v analyze.Verdict) analyze.Group {
		return analyze.Group{Name: "g", Findings: []analyze.Finding{{Check: "limit.burst", Outcome: v, Message: "m"}}}
	}
	for _, c := range []struct {
		before, now analyze.Verdict
		want        Kind
	}{
		{analyze.Pass, analyze.Pass, Same}, {analyze.Pass, analyze.Fail, Regression}, {analyze.Inconclusive, analyze.Fail, Regression},
		{analyze.Pass, analyze.Inconclusive, Possible}, {analyze.Fail, analyze.Pass, Improved}, {analyze.Fail, analyze.Inconclusive, Unknown},
		{analyze.Fail, analyze.Fail, Same}, {analyze.Inconclusive, analyze.Pass, Same},
	} {
		p := pairing{name: "g", base: []analyze.Group{group(c.before)}, now: []analyze.Group{group(analyze.Pass), group(c.now)}}
		if got := p.checks()[0]; got.Kind != c.want {
			t.Errorf("%s, then %s: got %s, want %s", c.before, c.now, got.Kind, c.want)
		}
	}
}
