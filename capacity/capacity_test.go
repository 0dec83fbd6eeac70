package capacity

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"duckload/limiter"
)

// A queue is a service of some workers that take requests in order.
type queue struct {
	free    ends // when each worker is free
	service func() time.Duration
}

type ends []time.Duration

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, k int) bool { return e[i] < e[k] }
func (e ends) Swap(i, k int)      { e[i], e[k] = e[k], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(time.Duration)) }
func (e *ends) Pop() any          { panic("workers stay") }

func (q *queue) take(at time.Duration) time.Duration {
	q.free[0] = max(q.free[0], at) + q.service()
	done := q.free[0]
	heap.Fix(&q.free, 0)
	return done
}

// search runs a search against a service in virtual time.
func search(t *testing.T, s Search, answer func(at time.Duration) Answer) (Result, time.Duration) {
	t.Helper()
	var all []Answer
	now := time.Duration(0)
	for range 2 * mostTrials {
		trial, more := s.Next(all)
		if !more {
			return s.Result(all), now
		}
		now += trial.Rest
		last := now
		for i := range trial.N {
			at := now + trial.At(i)
			a := answer(at)
			a.Intended = at
			all = append(all, a)
			last = max(last, min(a.Answered, at+time.Minute))
		}
		now = max(last, now+trial.For())
	}
	t.Fatal("the search has no end")
	return Result{}, 0
}

// The capacity of a queue with given service times is found within 5 % in at
// least 95 of 100 runs.
func TestTheCapacityOfAQueueIsFound(t *testing.T) {
	right, worst := 0, 0.0
	for i := range uint64(100) {
		random := rand.New(rand.NewPCG(i, 5))
		workers := []int{1, 4, 12}[i%3]
		mean := []float64{5e6, 15e6, 40e6}[i/3%3]
		spread := []float64{0, 0.3, 1}[i/9%3] // of the service times; 1: exponential
		capacity := float64(workers) * 1e9 / mean
		q := &queue{free: make(ends, workers), service: func() time.Duration {
			return time.Duration(mean * (1 - spread + spread*random.ExpFloat64()))
		}}
		s := Search{From: capacity / []float64{50, 7, 0.4}[i%3], To: 1e5, Each: 10 * time.Second, Precision: 0.03,
			Objectives: limiter.Objectives{Latency: []limiter.LatencyObjective{{Percentile: 99, Most: 2 * time.Second}}}}
		r, took := search(t, s, func(at time.Duration) Answer {
			return Answer{Answered: q.take(at) + time.Duration(random.IntN(2e6)), Outcome: limiter.Admitted}
		})
		off := r.Low/capacity - 1
		if math.Abs(off) <= 0.05 && r.High != nil && r.Confirmed {
			right++
		} else {
			t.Logf("run %d: %d workers, %.0f ms, spread %.1f: capacity %.1f, found %.1f (%+.1f %%) in %d trials, %s: %s", i, workers, mean/1e6, spread, capacity, r.Low, 100*off, len(r.Trials), took.Round(time.Second), r.Sentence)
		}
		worst = max(worst, math.Abs(off))
	}
	t.Logf("%d of 100 within 5 %%, the worst off by %.1f %%", right, 100*worst)
	if right < 95 {
		t.Errorf("found within 5 %% in %d of 100 runs, want at least 95", right)
	}
}

func TestALimiterIsNotACapacity(t *testing.T) {
	model, err := limiter.ModelNamed("token-bucket")
	if err != nil {
		t.Fatal(err)
	}
	state, err := model.New(limiter.Limit{Limit: 6000, Window: time.Minute, Burst: 50, Reading: limiter.TokenBucket})
	if err != nil {
		t.Fatal(err)
	}
	s := Search{From: 10, To: 1e4, Each: 5 * time.Second, Precision: 0.03}
	r, _ := search(t, s, func(at time.Duration) Answer {
		d, after := state.Take(at)
		state = after
		a := Answer{Answered: at + 5*time.Millisecond, Outcome: limiter.Admitted}
		if !d.OK {
			a.Outcome = limiter.Rejected
		}
		return a
	})
	if !r.Limited || r.Low != 80 || *r.High != 160 {
		t.Errorf("a limit of 100/s: got %+v, want that it is one, between 80 and 160", r)
	}
}

func TestErrorsAndObjectivesEndASearch(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(rate float64) (latency time.Duration, failed float64)
		why    string
	}{
		{"slow", func(rate float64) (time.Duration, float64) { return time.Duration(rate * 1e6), 0 }, "p99"},
		{"failing", func(rate float64) (time.Duration, float64) {
			return time.Millisecond, map[bool]float64{rate > 300: 0.2}[true]
		}, "errors"},
	} {
		random := rand.New(rand.NewPCG(4, 5))
		s := Search{From: 10, To: 1e4, Each: 5 * time.Second, Precision: 0.03,
			Objectives: limiter.Objectives{Latency: []limiter.LatencyObjective{{Percentile: 99, Most: 300 * time.Millisecond}}}}
		var last time.Duration
		rate := 0.0
		r, _ := search(t, s, func(at time.Duration) Answer {
			if gap := at - last; gap > 0 && gap < 200*time.Millisecond {
				rate = 1 / gap.Seconds()
			}
			last = at
			latency, failed := c.answer(rate)
			a := Answer{Answered: at + latency, Outcome: limiter.Admitted}
			if random.Float64() < failed {
				a.Outcome = limiter.Unknown
			}
			return a
		})
		if r.Why != c.why || r.Low < 280 || r.Low > 301 || !r.Confirmed {
			t.Errorf("%s: got %s, want about 300/s because of %s", c.name, r.Sentence, c.why)
		}
	}
}

func TestSearchesEnd(t *testing.T) {
	fine := func(at time.Duration) Answer {
		return Answer{Answered: at + time.Millisecond, Outcome: limiter.Admitted}
	}
	dead := func(at time.Duration) Answer { return Answer{Answered: math.MaxInt64 / 2, Outcome: limiter.Unknown} }
	s := Search{From: 100, To: 1000, Each: time.Second, Precision: 0.03}
	if r, _ := search(t, s, fine); r.Low != 1000 || r.High != nil || !r.Confirmed {
		t.Errorf("a service without end: %s", r.Sentence)
	}
	if r, _ := search(t, s, dead); r.Low != 0 || r.Why != "errors" {
		t.Errorf("a dead service: %s", r.Sentence)
	}
	s.Most = 1000
	if r, _ := search(t, s, fine); r.Low != 400 || r.Ended == "" {
		t.Errorf("few requests: %s", r.Sentence)
	}
	if r := s.Result(nil); r.Low != 0 || r.Ended == "" {
		t.Errorf("nothing seen: %s", r.Sentence)
	}
}

func TestAKneeIsFound(t *testing.T) {
	var trials []Measured
	for _, x := range []struct{ rate, ms float64 }{{10, 20}, {80, 30}, {20, 21}, {40, 22}, {160, 90}, {120, 55}} {
		trials = append(trials, Measured{Rate: x.rate, P95: time.Duration(x.ms * 1e6)})
	}
	low, high := knee(trials)
	if got := fmt.Sprint(*low, *high); got != "80 120" {
		t.Errorf("got %s, want 80 120", got)
	}
	if low, high := knee(trials[:1]); low != nil || high != nil {
		t.Error("one trial has a knee")
	}
}

// What the machine that sends could not send says nothing of the service: the
// search ends, says why, and the capacity is no lower for it.
func TestWhatCouldNotBeSentLowersNoCapacity(t *testing.T) {
	const ports = 150 // requests a second that this machine can send
	var second time.Duration
	sent := 0
	fine := func(at time.Duration) Answer {
		if at.Truncate(time.Second) != second {
			second, sent = at.Truncate(time.Second), 0
		}
		if sent++; sent > ports {
			return Answer{Answered: math.MaxInt64, Outcome: limiter.Unknown, Ours: true}
		}
		return Answer{Answered: at + 5*time.Millisecond, Outcome: limiter.Admitted}
	}
	got, _ := search(t, Search{From: 10, To: 1000, Each: 3 * time.Second, Precision: 0.03, Most: 1_000_000}, fine)
	if got.High != nil || got.Low != 80 || got.Why != "" {
		t.Errorf("got %+v, want 80/s good, and nothing said of faster ones", got)
	}
	if want := "faster was not tried to its end: at 160/s this machine could not send "; !strings.Contains(got.Sentence, want) {
		t.Errorf("got %q, want %q in it", got.Sentence, want)
	}
	if last := got.Trials[len(got.Trials)-1]; last.Verdict != Unsent || last.Unknown != 0 {
		t.Errorf("got %+v for the last trial, want it unsent, and no error of the service", last)
	}
}
