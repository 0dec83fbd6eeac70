package analyze

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

// A blur is a bucket whose rate and burst are known, and what a sender saw of
// it through everything that may blur its view.
type blur struct {
	truth limiter.Limit
	fresh bool
	all   []history.Observation
}

// drawBlur draws a bucket, a clock within A2 that may change its speed midway,
// and requests that are delayed, overtaken, lost and sent again.
func drawBlur(t *rapid.T) blur {
	b := blur{fresh: rapid.Bool().Draw(t, "fresh")}
	b.truth = limiter.Limit{
		Limit:       rapid.Int64Range(1, 20).Draw(t, "limit"),
		Window:      rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, time.Minute}).Draw(t, "window"),
		Burst:       rapid.Int64Range(1, 8).Draw(t, "burst"),
		Granularity: rapid.SampledFrom([]time.Duration{time.Microsecond, 0, 300 * time.Millisecond}).Draw(t, "granularity"),
		Reading:     limiter.TokenBucket, Scope: limiter.ScopeGlobal,
	}
	state, err := limiter.ModelOf(b.truth).New(b.truth)
	if err != nil {
		t.Fatal(err)
	}
	before := b.truth.FullRest() + time.Second // by its clock, the run begins then
	if !b.fresh {
		for range rapid.IntRange(0, 9).Draw(t, "spent before") {
			_, state = state.Take(before - time.Duration(rapid.Int64Range(0, int64(b.truth.FullRest())).Draw(t, "ago")))
		}
	}
	a := &asker{limiter: state}
	token := b.truth.Interval()
	gaps := []time.Duration{0, 0, 0, 20 * time.Microsecond, token / 7, token, token + time.Millisecond, b.truth.FullRest()}
	spike := rapid.SampledFrom([]time.Duration{time.Millisecond, token, 3 * token}).Draw(t, "spike")
	way := func(name string) time.Duration {
		d := time.Duration(rapid.IntRange(0, 9).Draw(t, name)) * 200 * time.Microsecond
		if rapid.IntRange(0, 9).Draw(t, name+" slow") == 0 {
			d += time.Duration(rapid.Int64Range(0, int64(spike)).Draw(t, name+" spike"))
		}
		return d
	}
	var at time.Duration
	if rapid.IntRange(0, 2).Draw(t, "ideal") > 0 { // else chance rarely exhausts it
		for range b.truth.Burst + 2 {
			a.queue = append(a.queue, ask{sent: at, decided: at + way("there")})
		}
		for at < 8*token {
			at += token
			a.queue = append(a.queue, ask{sent: at - token/20, decided: at - token/20 + way("there")}, ask{sent: at + token/20, decided: at + token/20 + way("there")})
		}
	}
	for range rapid.IntRange(0, 40).Draw(t, "requests") {
		at += rapid.SampledFrom(gaps).Draw(t, "gap")
		again := rapid.IntRange(0, 30).Draw(t, "again") == 0 // the first attempt has no answer, and may be decided much later
		q := ask{sent: at, decided: at + way("there"), lost: again || rapid.IntRange(0, 20).Draw(t, "lost") == 0}
		if again {
			q.decided += spike
			a.queue = append(a.queue, ask{sent: at, decided: at + way("there")})
		}
		a.queue = append(a.queue, q)
	}
	b.all = b.answered(t, a, before, way)
	return b
}

// answered lets the bucket decide in the order of arrival, by its own clock.
func (b blur) answered(t *rapid.T, a *asker, before time.Duration, way func(string) time.Duration) []history.Observation {
	speeds := []float64{-clockDrift, 0, clockDrift}
	first, second := rapid.SampledFrom(speeds).Draw(t, "drift"), rapid.SampledFrom(speeds).Draw(t, "drift later")
	turn := time.Duration(rapid.Int64Range(0, int64(2*b.truth.FullRest())).Draw(t, "turn"))
	tick := rapid.SampledFrom([]time.Duration{1, b.truth.Clock()}).Draw(t, "tick")
	shown := func(d time.Duration) time.Duration {
		at := float64(min(d, turn))*(1+0.999*first) + float64(max(d-turn, 0))*(1+0.999*second)
		return before + time.Duration(at).Truncate(tick)
	}
	sorted(a.queue)
	var all []history.Observation
	for _, q := range a.queue {
		var d limiter.Decision
		d, a.limiter = a.limiter.Take(shown(q.decided))
		o := history.Observation{Sent: q.sent, Answered: q.decided + way("back"), Status: 200}
		if !d.OK {
			o.Status = 429
		}
		if q.lost {
			o.Answered, o.Status = history.Never, 0
		}
		all = append(all, o)
	}
	return all
}

// kase is the case of what was seen, with something else documented.
func (b blur) kase(documented limiter.Limit) *Case {
	promise := tenPerMinute
	promise.Limits = []limiter.Limit{documented}
	c := caseOf(promise, slices.Clone(b.all))
	c.Header.Groups[0].Fresh = b.fresh
	return c
}

func TestTheTruthIsInThePlaneWhateverIsDocumented(t *testing.T) {
	narrow := 0
	rapid.Check(t, func(t *rapid.T) {
		b := drawBlur(t)
		documented := b.truth
		documented.Burst = rapid.Int64Range(1, 20).Draw(t, "documented burst")
		documented.Window = time.Duration(float64(documented.Window) * rapid.SampledFrom([]float64{1, 1, 1.01, 0.5, 3, 0.001}).Draw(t, "documented window"))
		f := b.kase(documented).fit(documented)
		if f.region.empty {
			t.Fatalf("nothing fits %s: closest %+v", b.truth, f.region.low)
		}
		rate, burst := b.truth.Rate(), float64(b.truth.Burst)
		if rate < f.rates.Low || rate > f.rates.High {
			t.Errorf("got rates %v for %v", f.rates, rate)
		}
		if burst < f.bursts.Low || burst > f.bursts.High {
			t.Errorf("got bursts %v for %v", f.bursts, burst)
		}
		if s := f.plane.at(rate / 1e9); s.least > burst+slack || s.most <= burst {
			t.Errorf("at %v: got bursts %v to %v for %v", rate, s.least, s.most, burst)
		}
		if w := len(f.region.whole); w > 0 && (f.region.whole[0] > b.truth.Burst || f.region.whole[w-1] < b.truth.Burst) {
			t.Errorf("got whole bursts %v for %v", f.region.whole, burst)
		}
		if f.rates.High < 2*f.rates.Low && len(f.region.whole) == 1 {
			narrow++
		}
	})
	if narrow == 0 {
		t.Error("no run measured anything; a plane that excludes nothing would pass")
	}
	t.Log(narrow, "runs measured a burst exactly and a rate within a factor of two")
}

// What happens after everything is answered cannot make the run before say
// less.
func TestALongerRunLeavesLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBlur(t)
		slices.SortStableFunc(b.all, func(x, y history.Observation) int { return cmp.Compare(x.Sent, y.Sent) })
		cut, end := rapid.IntRange(0, len(b.all)).Draw(t, "cut"), time.Duration(0)
		for i, o := range b.all {
			if i >= cut && o.Sent > end+2*b.truth.Clock() {
				break
			}
			cut = max(cut, i+1)
			if o.Answered != history.Never {
				end = max(end, o.Answered)
			}
		}
		part := b
		part.all = b.all[:cut]
		long, short := b.kase(b.truth).fit(b.truth).plane, part.kase(b.truth).fit(b.truth).plane
		for _, times := range []float64{0.01, 0.5, 0.99, 1, 1.01, 2, 100} {
			rate := perNano(b.truth) * times
			l, s := long.at(rate), short.at(rate)
			if l.least < s.least-slack || l.most > s.most+slack {
				t.Errorf("at %v times the rate: got %v to %v after more requests, want no more than %v to %v", times, l.least, l.most, s.least, s.most)
			}
		}
	})
}

// A wish is a request as brute force sees it: it is decided at some of the
// moments, which are whole numbers of half seconds.
type wish struct {
	from, to int
	outcome  limiter.Outcome
}

// possible tries every order and every half second: is there a placement of
// the decisions that a bucket explains? Its level falls by one for each
// admission and rises by rate for each half second.
func possible(wishes []wish, done uint, at int, level, rate, burst float64) bool {
	if done == 1<<len(wishes)-1 {
		return true
	}
	for i, w := range wishes {
		if done>>i&1 == 1 {
			continue
		}
		next := done | 1<<i
		if w.outcome == limiter.Unknown && possible(wishes, next, at, level, rate, burst) {
			return true // it never arrived
		}
		for d := max(at, w.from); d <= w.to; d++ {
			now := min(burst, level+rate*float64(d-at))
			switch {
			case now >= 1-1e-9 && w.outcome != limiter.Rejected:
				if possible(wishes, next, d, now-1, rate, burst) {
					return true
				}
			case now < 1-1e-9 && w.outcome != limiter.Admitted:
				if possible(wishes, next, d, now, rate, burst) {
					return true
				}
			}
		}
	}
	return false
}

func TestWhatThePlaneExcludesNoPlacementExplains(t *testing.T) {
	const half = 500 * time.Millisecond
	excluded, missed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "requests")
		fresh := rapid.Bool().Draw(t, "fresh")
		var wishes []wish
		var b blur
		b.truth = limiter.Limit{Limit: 1, Window: time.Second, Burst: 2, Reading: limiter.TokenBucket, Scope: limiter.ScopeGlobal, Granularity: 1}
		b.fresh = fresh
		for range n {
			w := wish{from: rapid.IntRange(0, 8).Draw(t, "from"), outcome: limiter.Outcome(rapid.SampledFrom([]int{0, 1, 1, 1, 2, 2, 2}).Draw(t, "outcome"))}
			w.to = w.from + rapid.IntRange(0, 3).Draw(t, "length")
			wishes = append(wishes, w)
			o := history.Observation{Sent: time.Duration(w.from) * half, Answered: time.Duration(w.to) * half, Status: []int{500, 200, 429}[w.outcome]}
			b.all = append(b.all, o)
		}
		plane := b.kase(b.truth).fit(b.truth).plane
		for _, rate := range []float64{0.05, 0.25, 1. / 3, 0.5, 0.7, 1, 2} { // each half second
			s := plane.at(rate * 2 / 1e9)
			for _, burst := range []float64{1, 1.5, 2, 2.5, 3, 4, 6} {
				explains := possible(wishes, 0, 0, burst, rate, burst)
				for level := 0.0; !fresh && !explains && level < burst; level += 0.5 {
					explains = possible(wishes, 0, 0, level, rate, burst)
				}
				out := s.least > burst+slack || s.most <= burst
				if out && explains {
					t.Fatalf("rate %v, burst %v: excluded (%v to %v), but a placement explains %+v", rate, burst, s.least, s.most, wishes)
				}
				if out {
					excluded++
				} else if !explains {
					missed++
				}
			}
		}
	})
	if excluded == 0 {
		t.Error("nothing was excluded")
	}
	t.Logf("%d excluded; %d more that no placement on the grid explains", excluded, missed)
}
