package scenarios

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// The default run: every number that is promised for it, in virtual time.
func TestSpaceDuckFitsInItsTime(t *testing.T) {
	for _, trip := range []time.Duration{time.Millisecond, 5 * time.Millisecond, 15 * time.Millisecond} {
		plan := spaceDuck(t, CompileOptions{Run: "r"})
		total, longest := 0, time.Duration(0)
		for i, track := range plan.Tracks {
			d := newDriver(plan, model(t, track.Phases[0].Limit), rand.New(rand.NewPCG(7, uint64(i))), trip)
			d.run(t, track)
			total, longest = total+len(d.seen), max(longest, d.now)
			if slack := d.now - plan.Duration(); d.now > 78*time.Second || slack > 3*time.Second {
				t.Errorf("%s at %v: took %v, the plan said %v", track.Name, trip, d.now, plan.Duration())
			}
		}
		if off := total - plan.Likely(); off < -total/20 || off > total/20 {
			t.Errorf("at %v: %d requests, the plan said about %d", trip, total, plan.Likely())
		}
		if total > 3000 || total > plan.Requests() {
			t.Errorf("at %v: %d requests, want at most 3000 and %d", trip, total, plan.Requests())
		}
		t.Logf("round trip %v: %d requests (bound %d) in %v", trip, total, plan.Requests(), longest.Round(time.Millisecond))
	}
}

// rateBounds is what a run proves about the rate by the closed form of a lone
// anchor: from the first request of the hold to each token. Only the edge
// probes come one after another, so only they bound it from above.
func rateBounds(d *driver, track Track, lane int) (low, high float64) {
	l := track.Phases[0].Limit
	var admitted []Seen
	low, high = 0, 1e9
	for _, s := range d.seen {
		if s.Lane != lane || s.Phase < 2 {
			continue
		}
		if s.Outcome == limiter.Admitted {
			admitted = append(admitted, s)
			// B + r(answered − first sent) ≥ N
			if n := float64(len(admitted)) - float64(l.Burst); n > 0 {
				low = max(low, n/(s.Answered-admitted[0].Sent).Seconds())
			}
			continue
		}
		if track.Phases[s.Phase].Pace != "edges" {
			continue
		}
		// B + r(sent − first answered) < N + 1
		if n := float64(len(admitted)) + 1 - float64(l.Burst); n > 0 {
			high = min(high, n/(s.Sent-admitted[0].Answered).Seconds())
		}
	}
	return low, high
}

func TestEdgesMeasureTheRateWithinHalfAPercent(t *testing.T) {
	for _, trip := range []time.Duration{time.Millisecond, 15 * time.Millisecond} {
		plan := spaceDuck(t, CompileOptions{Run: "r"})
		for i, track := range plan.Tracks {
			l := track.Phases[0].Limit
			d := newDriver(plan, model(t, l), rand.New(rand.NewPCG(3, uint64(i))), trip)
			d.run(t, track)
			low, high := rateBounds(d, track, track.Phases[0].Lanes[0])
			below, above := 1-low/l.Rate(), high/l.Rate()-1
			t.Logf("%s at %v: −%.2f %% … +%.2f %%", track.Name, trip, 100*below, 100*above)
			if below > 0.005 || above > 0.005 || below < 0 || above < 0 {
				t.Errorf("%s at %v: the run confines the rate to −%.2f … +%.2f %%, want 0.5 at most and 0 inside", track.Name, trip, 100*below, 100*above)
			}
		}
	}
}

// Rates that are not the documented ones: the probes must stay near the true
// moments, and the phase must end.
func TestEdgesStayLockedWhenTheRateIsAnother(t *testing.T) {
	for _, off := range []int64{-100, -10, -4, 4, 10, 100} {
		plan := spaceDuck(t, CompileOptions{Run: "r", Groups: []string{"metrics"}})
		track := plan.Tracks[0]
		truth := track.Phases[0].Limit
		truth.Limit, truth.Window = truth.Limit*(1000+off), truth.Window*1000
		d := newDriver(plan, model(t, truth), rand.New(rand.NewPCG(5, 5)), 10*time.Millisecond)
		d.run(t, track)
		low, high := rateBounds(d, track, 0)
		documented := track.Phases[0].Limit.Rate()
		if off > 0 && low <= documented || off < 0 && high >= documented {
			t.Errorf("rate off by %.1f %%: the run allows %.4f…%.4f a second, which still holds the documented %.4f", float64(off)/10, low, high, documented)
		}
	}
}

func TestRejectionsAreObeyedAtBothFractions(t *testing.T) {
	plan := spaceDuck(t, CompileOptions{Run: "r", Groups: []string{"signup"}})
	track := plan.Tracks[0]
	d := newDriver(plan, model(t, track.Phases[0].Limit), rand.New(rand.NewPCG(5, 5)), 10*time.Millisecond)
	var waits []time.Duration
	asked := d.answer
	d.answer = func(s Seen) Seen { return asked(s) }
	d.run(t, track)
	for i, p := range track.Phases {
		if p.Pace != "obey" {
			continue
		}
		var before Seen
		for _, s := range d.seen {
			if s.Phase != i {
				continue
			}
			if s.Outcome == limiter.Admitted {
				if s.Sent < before.Answered+before.RetryAfter {
					t.Errorf("sent at %v, was told to wait until %v", s.Sent, before.Answered+before.RetryAfter)
				}
				waits = append(waits, s.Sent-before.Sent)
			}
			before = s
		}
	}
	if len(waits) != 2 {
		t.Errorf("%d rejections were obeyed, want 2", len(waits))
	}
}

// Scope is asked between two rejections, and every other lane is asked.
func TestScopeIsAskedBetweenTwoRejections(t *testing.T) {
	for name, key := range map[string]func(Lane) string{
		"per address": func(l Lane) string { return l.Source.String() },
		"one for all": func(Lane) string { return "" },
	} {
		plan := spaceDuck(t, CompileOptions{Run: "r", Groups: []string{"pageview"}})
		track := plan.Tracks[0]
		d := newDriver(plan, model(t, track.Phases[0].Limit), rand.New(rand.NewPCG(5, 5)), 5*time.Millisecond)
		d.key = key
		d.run(t, track)
		var before, after, admitted, asked int
		for _, s := range d.seen {
			switch {
			case track.Phases[s.Phase].Pace != "scope":
			case s.Lane == 1:
				asked++
				if s.Outcome == limiter.Admitted {
					admitted++
				}
			case s.Outcome == limiter.Rejected && asked == 0:
				before++
			case s.Outcome == limiter.Rejected:
				after++
			}
		}
		if before == 0 || after == 0 || asked < 3 {
			t.Errorf("%s: %d rejections, %d questions, %d rejections; want 1, 3, 1 at least", name, before, asked, after)
		}
		if separate := admitted > 1; separate != (name == "per address") {
			t.Errorf("%s: %d of %d admitted", name, admitted, asked)
		}
	}
}

// A disguise that the server does not understand is asked once, and the others
// are asked all the same.
func TestADisguiseIsGivenUpAtTheFirstAnswerThatSaysNothing(t *testing.T) {
	for _, unknown := range []string{"", TrickForwarded, TrickPath} {
		plan := spaceDuck(t, CompileOptions{Run: "r", Groups: []string{"signup"}, Loopback: true})
		track := plan.Tracks[0]
		d := newDriver(plan, model(t, track.Phases[0].Limit), rand.New(rand.NewPCG(5, 5)), 5*time.Millisecond)
		d.key = func(l Lane) string { return l.Source.String() }
		d.answer = func(s Seen) Seen {
			if plan.Lanes[s.Lane].Trick == unknown && unknown != "" {
				s.Outcome = limiter.Unknown
			}
			return s
		}
		d.run(t, track)
		asked := map[string]int{}
		for _, s := range d.seen {
			if track.Phases[s.Phase].Pace == "scope" {
				asked[plan.Lanes[s.Lane].Trick]++
			}
		}
		for _, trick := range []string{TrickForwarded, TrickPath} {
			if once := asked[trick] == 1; asked[trick] == 0 || once != (trick == unknown) {
				t.Errorf("%q is not understood: %q was asked %d times; want once if it is not understood, else more often", unknown, trick, asked[trick])
			}
		}
	}
}

// Whatever a server does, every phase ends and keeps to its bound. The driver
// checks the moments and the bounds.
func TestReactivePhasesAlwaysEnd(t *testing.T) {
	reject := func(s Seen) Seen { s.Outcome, s.RetryAfter = limiter.Rejected, time.Second; return s }
	for name, answer := range map[string]func(*rand.Rand) func(Seen) Seen{
		"every answer is lost": func(*rand.Rand) func(Seen) Seen {
			return func(s Seen) Seen {
				s.Outcome, s.Answered, s.RetryAfter = limiter.Unknown, never, -1
				return s
			}
		},
		"everything is rejected": func(*rand.Rand) func(Seen) Seen { return reject },
		"everything is rejected for a year": func(*rand.Rand) func(Seen) Seen {
			return func(s Seen) Seen { s = reject(s); s.RetryAfter = maxDuration; return s }
		},
		"rejections do not say when": func(*rand.Rand) func(Seen) Seen {
			return func(s Seen) Seen { s.RetryAfter = -1; return s }
		},
		"told to wait for nothing": func(*rand.Rand) func(Seen) Seen { return func(s Seen) Seen { s.RetryAfter = 0; return s } },
		"nothing is rejected": func(*rand.Rand) func(Seen) Seen {
			return func(s Seen) Seen { s.Outcome, s.RetryAfter = limiter.Admitted, -1; return s }
		},
		"every second answer is lost": func(*rand.Rand) func(Seen) Seen {
			n := 0
			return func(s Seen) Seen {
				if n++; n%2 == 0 {
					s.Outcome, s.Answered = limiter.Unknown, never
				}
				return s
			}
		},
		"answers are dice": func(r *rand.Rand) func(Seen) Seen {
			return func(s Seen) Seen { s.Outcome = limiter.Outcome(r.IntN(3)); return s }
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				for _, l := range examples {
					r := rand.New(rand.NewPCG(seed, 1))
					plan, track := planOf(t, l, seed%2 == 0)
					d := newDriver(plan, model(t, l), r, 10*time.Millisecond)
					d.answer = answer(r)
					d.run(t, track)
				}
			}
		})
	}
}

// examples are limits of every reading, quick and slow.
var examples = []limiter.Limit{
	{Limit: 100, Window: time.Minute, Burst: 200, Reading: limiter.TokenBucket},
	{Limit: 5, Window: time.Minute, Burst: 2, Reading: limiter.TokenBucket},
	{Limit: 1, Window: time.Second, Burst: 1, Reading: limiter.TokenBucket},
	{Limit: 200, Window: time.Second, Burst: 20, Reading: limiter.TokenBucket},
	{Limit: 10, Window: time.Second, Burst: 5, Reading: limiter.TokenBucket, RejectsConsume: true},
	{Limit: 10, Window: 2 * time.Second, Burst: 20, Reading: limiter.SteppedBucket},
	{Limit: 10, Window: 2 * time.Second, Reading: limiter.FixedWindow},
	{Limit: 100, Window: time.Minute, Reading: limiter.SlidingLog},
	{Limit: 1, Window: time.Minute, Reading: limiter.SlidingLog},
	{Limit: 20, Window: 10 * time.Second, Reading: limiter.SlidingCounter},
	{Limit: 20, Window: 10 * time.Second, Reading: limiter.FixedWindow, RejectsConsume: true},
}

func planOf(t *testing.T, l limiter.Limit, fresh bool) (Plan, Track) {
	t.Helper()
	s := &Scenario{Name: "x", Target: "http://127.0.0.1", Groups: []Group{{
		Name: "g", Exclusive: true, Fresh: fresh, Requests: []Request{{Method: "GET", Path: literal("/"), Weight: 1}},
		Promise: limiter.Promise{Limits: []limiter.Limit{l}, Reject: limiter.Rejection{Status: []int{429}}},
	}}}
	plan, err := Compile(s, CompileOptions{Run: "r", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan, plan.Tracks[0]
}

// Any bucket, any round trip: nothing is rejected in the hold, the burst finds
// the capacity, and after each probe behind a token there is an admission.
func TestAnyBucketIsTestedAtItsEdges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := limiter.Limit{
			Limit:   rapid.Int64Range(1, 600).Draw(r, "limit"),
			Window:  rapid.SampledFrom([]time.Duration{10 * time.Second, time.Minute, time.Hour}).Draw(r, "window"),
			Burst:   rapid.Int64Range(1, 300).Draw(r, "burst"),
			Reading: limiter.TokenBucket,
		}
		trip := time.Duration(rapid.IntRange(1, 60).Draw(r, "trip ms")) * time.Millisecond
		plan, track := planOf(t, l, rapid.Bool().Draw(r, "fresh"))
		d := newDriver(plan, model(t, l), rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 0)), trip)
		d.run(t, track)
		counts := map[string][3]int{}
		for _, s := range d.seen {
			p := track.Phases[s.Phase]
			c := counts[p.Pace]
			c[s.Outcome]++
			counts[p.Pace] = c
		}
		if c := counts["burst"]; c[limiter.Rejected] == 0 && l.Interval() > 20*trip {
			r.Fatalf("%s at %v: burst %v, want some rejected", l, trip, c)
		}
		if c := counts["edges"]; c[limiter.Admitted] == 0 || l.Interval() > 20*trip && c[limiter.Rejected] == 0 {
			r.Fatalf("%s at %v: edges %v, want both sides", l, trip, c)
		}
		if c := counts["hold"]; c[limiter.Rejected] > 0 && l.Burst > 1 && l.Interval() > 20*trip {
			r.Fatalf("%s at %v: %d rejected in the hold", l, trip, c[limiter.Rejected])
		}
	})
}

// Windows: after the plan, both what came back and when is known.
func TestWindowsAreProbedWhereTheyEnd(t *testing.T) {
	for _, name := range []string{"fixed-window", "anchored-window", "sliding-log"} {
		m, err := limiter.ModelNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		l := limiter.Limit{Limit: 20, Window: 10 * time.Second, Reading: m.Reading}
		plan, track := planOf(t, l, true)
		fresh := func() limiter.Limiter {
			made, err := m.New(l)
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		d := newDriver(plan, fresh, rand.New(rand.NewPCG(5, 5)), 10*time.Millisecond)
		d.run(t, track)
		tightest := time.Hour
		var refused time.Duration
		for _, s := range d.seen {
			if track.Phases[s.Phase].Pace != "window" {
				continue
			}
			if s.Outcome == limiter.Rejected {
				refused = s.Sent
			} else if refused > 0 {
				tightest, refused = min(tightest, s.Answered-refused), 0
			}
		}
		if most := l.Window / 50; tightest > most {
			t.Errorf("%s: the moment of return is known to %v, want %v", name, tightest, most)
		}
	}
}
