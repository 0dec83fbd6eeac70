package analyze_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// A truth is a documented promise and a server that keeps it.
type truth struct {
	promise   limiter.Promise
	server    *server
	exclusive bool
	fresh     bool
	within    time.Duration // how long after its sending a request may be decided; 0: any time
}

// drawTruth draws a promise and how it is kept, with every assumption of the
// verdicts at its limit now and then. If alike, the limits of one promise have
// one scope and are all to be verified, so that one plan can test them.
func drawTruth(t *rapid.T, alike bool) truth {
	tr := truth{
		promise: limiter.Promise{
			Reject: limiter.Rejection{
				Status:     []int{429},
				RetryAfter: rapid.SampledFrom([]limiter.RetryAfterRule{limiter.RetryAfterRequired, limiter.RetryAfterExact, limiter.RetryAfterOptional}).Draw(t, "retry_after"),
			},
			Admitted: []limiter.Statuses{{From: 200, To: 299}},
		},
		exclusive: rapid.IntRange(0, 7).Draw(t, "exclusive") > 0,
		fresh:     rapid.Bool().Draw(t, "fresh"),
		within:    rapid.SampledFrom([]time.Duration{0, 0, 5 * time.Second}).Draw(t, "within"),
	}
	s := &server{states: map[string]limiter.Limiter{}, seed: rapid.Uint64().Draw(t, "hidden seed")}
	tr.server = s
	granularity := rapid.SampledFrom([]time.Duration{0, 0, 1, time.Millisecond, 100 * time.Millisecond}).Draw(t, "granularity")
	n := rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(t, "limits")
	scope := drawScope(t)
	for range n {
		if !alike {
			scope = drawScope(t)
		}
		tr.drawLimit(t, granularity, scope, alike)
	}
	tr.drawClock(t)
	if !tr.exclusive {
		s.others = rand.New(rand.NewPCG(s.seed, 2))
	}
	if !tr.fresh {
		s.hidden = rapid.SampledFrom([]int{0, 3, 120}).Draw(t, "hidden")
	}
	s.say = sayWhole
	if rapid.IntRange(0, 3).Draw(t, "date") == 0 {
		s.say = sayDate
	}
	if n == 1 {
		s.tell = rapid.SampledFrom(tellers(tr.promise.Limits[0])).Draw(t, "headers")
	}
	return tr
}

// drawSmallBucket draws a bucket that holds less than comes back in a window,
// kept for everybody at once: each of its tokens soon hides what another took,
// and every lane meets it.
func drawSmallBucket(t *rapid.T) truth {
	m, err := limiter.ModelNamed(rapid.SampledFrom([]string{"token-bucket", "token-bucket", "stepped-bucket"}).Draw(t, "model"))
	if err != nil {
		t.Fatal(err)
	}
	l := limiter.Limit{Limit: rapid.Int64Range(2, 60).Draw(t, "limit"), Reading: m.Reading}
	l.Burst = rapid.Int64Range(1, min(6, l.Limit-1)).Draw(t, "burst")
	return drawForEverybody(t, m, l)
}

// drawCounter draws a sliding counter of either rule, for everybody at once:
// its length is measured by what fades, which depends on the phase.
func drawCounter(t *rapid.T) truth {
	m := lenientCounter
	if rapid.Bool().Draw(t, "strict") {
		var err error
		if m, err = limiter.ModelNamed("sliding-counter"); err != nil {
			t.Fatal(err)
		}
	}
	return drawForEverybody(t, m, limiter.Limit{Limit: rapid.Int64Range(1, 30).Draw(t, "limit"), Reading: m.Reading})
}

// drawForEverybody draws the rest of a promise of one limit, which a server
// keeps by a model.
func drawForEverybody(t *rapid.T, m limiter.Model, l limiter.Limit) truth {
	tr := truth{
		promise:   limiter.Promise{Reject: limiter.Rejection{Status: []int{429}, RetryAfter: limiter.RetryAfterRequired}, Admitted: []limiter.Statuses{{From: 200, To: 299}}},
		exclusive: rapid.IntRange(0, 7).Draw(t, "exclusive") > 0,
		fresh:     rapid.Bool().Draw(t, "fresh"),
		within:    rapid.SampledFrom([]time.Duration{0, 0, 5 * time.Second}).Draw(t, "within"),
	}
	l.Window = rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, 7 * time.Second, time.Minute}).Draw(t, "window")
	l.Scope = rapid.SampledFrom([]limiter.Scope{limiter.ScopeGlobal, limiter.ScopeGlobal, limiter.ScopeGlobal, limiter.ScopeUnknown}).Draw(t, "scope")
	l.Granularity = rapid.SampledFrom([]time.Duration{0, 0, 1, time.Millisecond, 100 * time.Millisecond}).Draw(t, "granularity")
	l.Tolerance = rapid.SampledFrom([]float64{0, 0, 0, 0.05, 0.3}).Draw(t, "tolerance")
	l.RejectsConsume = m.Name != lenientCounter.Name && rapid.IntRange(0, 4).Draw(t, "rejects consume") == 0
	enforced := enforcedWithin(t, l)
	if rapid.IntRange(0, 6).Draw(t, "open") == 0 {
		l.Reading = limiter.Open
	}
	tr.promise.Limits = []limiter.Limit{l}
	tr.server = &server{
		limits: []limiter.Limit{enforced}, models: []limiter.Model{m}, scopes: []limiter.Scope{limiter.ScopeGlobal},
		states: map[string]limiter.Limiter{}, seed: rapid.Uint64().Draw(t, "hidden seed"), say: sayWhole,
	}
	tr.drawClock(t)
	if !tr.exclusive {
		tr.server.others = rand.New(rand.NewPCG(tr.server.seed, 2))
	}
	if !tr.fresh {
		tr.server.hidden = rapid.SampledFrom([]int{0, 3, 120}).Draw(t, "hidden")
	}
	return tr
}

func drawScope(t *rapid.T) limiter.Scope {
	return rapid.SampledFrom([]limiter.Scope{limiter.ScopeGlobal, limiter.ScopeUnknown, limiter.ScopeIP, limiter.ScopeKey}).Draw(t, "scope")
}

func (tr *truth) drawLimit(t *rapid.T, granularity time.Duration, scope limiter.Scope, alike bool) {
	real := rapid.SampledFrom(append(slices.Clone(immediate), lenientCounter)).Draw(t, "model")
	l := limiter.Limit{
		Limit:   rapid.Int64Range(1, 50).Draw(t, "limit"),
		Window:  rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, time.Minute}).Draw(t, "window"),
		Scope:   scope,
		Reading: real.Reading, Granularity: granularity,
		Tolerance:      rapid.SampledFrom([]float64{0, 0, 0, 0.05, 0.3}).Draw(t, "tolerance"),
		RejectsConsume: rapid.IntRange(0, 4).Draw(t, "rejects consume") == 0,
		Unverified:     !alike && rapid.IntRange(0, 9).Draw(t, "unverified") == 0,
	}
	bucket := real.Reading == limiter.TokenBucket || real.Reading == limiter.SteppedBucket
	if bucket {
		l.Burst = rapid.Int64Range(1, 50).Draw(t, "burst")
	}
	if real.Name == lenientCounter.Name {
		l.RejectsConsume = false // it does not know how
	}
	enforced := enforcedWithin(t, l)
	if rapid.IntRange(0, 4).Draw(t, "open") == 0 {
		// Nothing but the number is documented, or the burst without its reading.
		l.Reading = limiter.Open
		if bucket && rapid.Bool().Draw(t, "burst left out") {
			l.Burst = 0
			enforced.Burst = enforced.Limit
		} else if !bucket && rapid.IntRange(0, 2).Draw(t, "burst named") == 0 {
			l.Burst = rapid.Int64Range(1, 50).Draw(t, "burst")
		}
	}
	tr.promise.Limits = append(tr.promise.Limits, l)
	tr.server.limits = append(tr.server.limits, enforced)
	tr.server.models = append(tr.server.models, real)
	if scope == limiter.ScopeUnknown {
		scope = rapid.SampledFrom([]limiter.Scope{limiter.ScopeUnknown, limiter.ScopeIP, limiter.ScopeKey, limiter.ScopeGlobal}).Draw(t, "true scope")
	}
	tr.server.scopes = append(tr.server.scopes, scope)
}

// enforcedWithin draws what is enforced where a promise is a best effort: the
// limit and the burst are off by as much as is allowed, or less.
func enforcedWithin(t *rapid.T, l limiter.Limit) limiter.Limit {
	if l.Tolerance == 0 {
		return l
	}
	off := func(n int64, name string) int64 {
		least, most := int64(math.Ceil(float64(n)*(1-l.Tolerance))), int64(math.Floor(float64(n)*(1+l.Tolerance)))
		if least > most {
			return n
		}
		return rapid.SampledFrom([]int64{least, n, most}).Draw(t, name)
	}
	l.Limit = max(1, off(l.Limit, "enforced limit"))
	if l.Burst > 0 {
		l.Burst = max(1, off(l.Burst, "enforced burst"))
	}
	return l
}

// drawClock draws a clock at the bounds of assumption A2.
func (tr *truth) drawClock(t *rapid.T) {
	step := time.Duration(math.MaxInt64)
	var longest time.Duration
	for _, l := range tr.promise.Limits {
		step, longest = min(step, l.Clock()), max(longest, l.Window)
	}
	c := serverClock{origin: time.Duration(rapid.Int64Range(0, int64(3*longest)).Draw(t, "origin"))}
	if !tr.fresh {
		c.origin += 3 * longest
	}
	switch rapid.IntRange(0, 3).Draw(t, "drift") {
	case 1:
		c.slow = true
	case 2:
		c.fast = true
	case 3:
		c.turns = 13 * time.Second
	}
	switch rapid.IntRange(0, 3).Draw(t, "steps") {
	case 1:
		c.tick = step
	case 2:
		c.jump, c.jumps = step, 317*time.Millisecond
	case 3:
		c.tick, c.jump, c.jumps = step/2, step/2, 1700*time.Millisecond
	}
	tr.server.clock = c
}
