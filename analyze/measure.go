package analyze

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"duckload/limiter"
)

var limitRate = Check{
	ID:       "limit.rate",
	Question: "what is the rate really?",
	Doc: `The rates for which some burst explains every admission and every rejection form an interval, which is what can be said
about the true rate: it is certified, not estimated. The check fails if the documented rate lies outside, passes if the interval holds
it and is no wider than ±0.5 % (or the precision that the scenario asks for, or the tolerance of the promise; for a burst of 1, two steps of the limiter's clock in the time
of one token), and is inconclusive if it is wider.

Each stretch of time with N certain admissions needs a burst of at least N − r·(length); each rejection needs a burst below what may
have been spent at some moment of it, and one more. The rates between two are excluded where even the least burst of the faster one is
too large for the slower one. Rejections that another limit of the promise may explain say nothing. Where others share the key, or part
of the record is lost, rejections say nothing either, and the rate has no lower bound of its own.

Typical causes of failure: a rate rounded down (nginx counts thousandths per second: 10r/m is −0.4 %); a refill in whole tokens or
once a second that loses fractions; a window where a bucket is documented; several replicas.`,
	Applies: func(p limiter.Promise) bool { return len(buckets(p)) > 0 },
	Judge:   judgeEach(buckets, (*Case).rate),
}

var limitBurst = Check{
	ID:       "limit.burst",
	Question: "what is the burst really?",
	Doc: `The bursts for which some rate explains every admission and every rejection form an interval (see limit.rate). A burst is a whole
number unless none fits. The check fails if the documented burst lies outside, passes if it is the only whole number inside, and is
inconclusive if others would explain the run as well.

The lower side does not depend on time: after a full rest, a rejection among the first B requests is a proof. The upper side is
exact if less than one token came back during the burst. Only rejections that nobody else can have caused count (A3).

Typical causes of failure: burst counted on top of the request that fits the rate (nginx's burst=N nodelay admits N+1, throttled's MaxBurst N too) or
including it; a window where a bucket is documented; a bucket that does not begin full.`,
	Applies: func(p limiter.Promise) bool { return len(buckets(p)) > 0 },
	Judge:   judgeEach(buckets, (*Case).burst),
}

// buckets returns the token buckets of a promise that are to be verified.
func buckets(p limiter.Promise) []limiter.Limit {
	return verified(p, func(r limiter.Reading) bool { return r == limiter.TokenBucket })
}

func verified(p limiter.Promise, reading func(limiter.Reading) bool) []limiter.Limit {
	var all []limiter.Limit
	for _, l := range p.Limits {
		if !l.Unverified && reading(l.Reading) {
			all = append(all, l)
		}
	}
	return all
}

// judgeEach judges some limits one by one.
func judgeEach(limits func(limiter.Promise) []limiter.Limit, judge func(*Case, limiter.Limit) Finding) func(*Case) []Finding {
	return func(c *Case) []Finding {
		var findings []Finding
		for _, l := range limits(c.Promise) {
			findings = append(findings, judge(c, l))
		}
		return findings
	}
}

// narrowEnough is half the width, as a share of the rate, that a measured rate
// may have.
const narrowEnough = 0.005

// narrow returns how narrow a measured rate can be asked to be. A bucket of one
// is full with each token and forgets how long it waited: a token is measured
// alone, between steps of the limiter's clock.
func narrow(l limiter.Limit) float64 {
	enough := narrowEnough
	if l.Precision > 0 {
		enough = l.Precision
	}
	if l.Burst > 1 {
		return enough + l.Tolerance
	}
	return max(enough, 2*float64(l.Clock())/float64(l.Interval())) + l.Tolerance
}

// A bucketFit is what a run says about one token bucket of a promise.
type bucketFit struct {
	plane  *plane
	region region
	rates  Interval // per second
	bursts Interval
}

// fit returns what the run says about a token bucket; it is worked out once.
func (c *Case) fit(l limiter.Limit) *bucketFit {
	if f := c.fits[l]; f != nil {
		return f
	}
	f := &bucketFit{plane: planeOf(c, l)}
	f.region = f.plane.search(perNano(l), l.Tolerance == 0)
	f.rates = Interval{f.region.rates.Low * 1e9, f.region.rates.High * 1e9}
	f.bursts = f.region.bursts
	if w := f.region.whole; len(w) > 0 {
		f.bursts = Interval{float64(w[0]), float64(w[len(w)-1])}
	}
	if c.fits == nil {
		c.fits = map[limiter.Limit]*bucketFit{}
	}
	c.fits[l] = f
	return f
}

// refutable reports whether a rejection proves anything: nobody else can have
// caused it, and nothing that may have is missing.
func (c *Case) refutable() bool { return c.Whole && c.Header.Groups[c.Group].Exclusive }

// rate compares the measured rate with the documented one.
func (c *Case) rate(l limiter.Limit) Finding {
	f := c.fit(l)
	if f.region.empty {
		return c.nothingFits(l, f)
	}
	low, high := l.Rate()*(1-l.Tolerance), l.Rate()*(1+l.Tolerance)
	window := l.Window.Seconds()
	if f.rates.Low == 0 && math.IsInf(f.rates.High, 1) {
		return Finding{Outcome: Inconclusive, Message: fmt.Sprintf("any rate explains the run, so %d/%s may be right: %s",
			l.Limit, limiter.Per(l.Window), c.wouldNarrow(0, f.rates.High))}
	}
	said := fmt.Sprintf("%s measured for %d/%s%s", measuredRate(f.rates, l), l.Limit, limiter.Per(l.Window), deviation(f.rates, l))
	switch {
	case high < f.rates.Low:
		return Finding{Outcome: Fail, Message: said, Witness: c.against(l, f, perNano(l)*(1+l.Tolerance))}
	case low > f.rates.High:
		return Finding{Outcome: Fail, Message: said, Witness: c.against(l, f, perNano(l)*(1-l.Tolerance))}
	case (f.rates.High-f.rates.Low)/2 <= narrow(l)*l.Rate():
		return Finding{Outcome: Pass, Message: said}
	}
	return Finding{Outcome: Inconclusive, Message: fmt.Sprintf("%s, which holds %d but is wider than ±%.2g %%: %s",
		said, l.Limit, 100*narrow(l), c.wouldNarrow(f.rates.Low*window, f.rates.High*window))}
}

// burst compares the measured burst with the documented one.
func (c *Case) burst(l limiter.Limit) Finding {
	f := c.fit(l)
	if f.region.empty {
		return c.nothingFits(l, f)
	}
	b := float64(l.Burst)
	said := measuredBurst(f)
	switch {
	case b*(1+l.Tolerance) < f.bursts.Low-slack:
		return Finding{Outcome: Fail, Message: fmt.Sprintf("%s measured for burst %d", said, l.Burst) + hinted(burstHint(f, l)), Witness: c.needsMore(l, f)}
	case b*(1-l.Tolerance) > f.bursts.High, b*(1-l.Tolerance) >= f.region.bursts.High:
		return Finding{Outcome: Fail, Message: fmt.Sprintf("%s measured for burst %d", said, l.Burst) + hinted(burstHint(f, l)), Witness: c.needsLess(l, f)}
	case len(f.region.whole) > 0 && f.bursts.High-f.bursts.Low <= slack+2*l.Tolerance*b, l.Tolerance > 0 && wholeWithin(f.bursts, l):
		return Finding{Outcome: Pass, Message: said}
	}
	return Finding{Outcome: Inconclusive, Message: fmt.Sprintf("%s explains the run, so %d may be right: %s", said, l.Burst, c.wouldNarrow(f.bursts.Low, f.bursts.High))}
}

// wholeWithin reports whether all whole numbers that explain the run, and there
// is one, are within the tolerance of the promise.
func wholeWithin(bursts Interval, l limiter.Limit) bool {
	first, last := math.Ceil(bursts.Low-slack), math.Ceil(bursts.High-slack)-1
	b := float64(l.Burst)
	return first <= last && first >= b*(1-l.Tolerance)-slack && last <= b*(1+l.Tolerance)+slack
}

// measuredRate says an interval of rates in the units of the promise.
func measuredRate(rates Interval, l limiter.Limit) string {
	w := l.Window.Seconds()
	per := limiter.Per(l.Window)
	switch low, high := rates.Low*w, rates.High*w; {
	case math.IsInf(high, 1):
		return fmt.Sprintf("at least %.4g/%s", low, per)
	case low == 0:
		return fmt.Sprintf("at most %.4g/%s", high, per)
	default:
		digits := max(0, 2-int(math.Floor(math.Log10(max(high-low, high*1e-6)))))
		return fmt.Sprintf("%.*f to %.*f/%s", min(digits, 6), low, min(digits, 6), high, per)
	}
}

// deviation says how far a measured rate is from the documented one, if that is
// a matter of parts of a hundred: " (−0.47 % to −0.36 %)".
func deviation(rates Interval, l limiter.Limit) string {
	low, high := 100*(rates.Low/l.Rate()-1), 100*(rates.High/l.Rate()-1)
	if low < -50 || high > 100 {
		return ""
	}
	percent := func(x float64) string {
		return strings.Replace(fmt.Sprintf("%+.2f %%", x), "-", "−", 1)
	}
	return fmt.Sprintf(" (%s to %s)", percent(low), percent(high))
}

// measuredBurst says the interval of bursts.
func measuredBurst(f *bucketFit) string {
	switch low, high := f.bursts.Low, f.bursts.High; {
	case len(f.region.whole) == 1:
		return fmt.Sprintf("burst %d, exactly", f.region.whole[0])
	case math.IsInf(high, 1):
		return fmt.Sprintf("any burst from %s on", atMost(low))
	case len(f.region.whole) > 1:
		return fmt.Sprintf("any burst from %d to %d", f.region.whole[0], slices.Max(f.region.whole))
	default:
		return fmt.Sprintf("any burst from %.2f to %.2f", low, high)
	}
}

// wouldNarrow says what would decide a check that an interval leaves open.
func (c *Case) wouldNarrow(low, high float64) string {
	switch {
	case !c.Header.Groups[c.Group].Exclusive:
		return "others share the keys (exclusive: false), so rejections prove nothing"
	case !c.Whole:
		return unwhole
	case math.IsInf(high, 1) || low == 0:
		return "too little was rejected; send a burst of 100% + 2 and probe the edges (leave pacing out)"
	}
	return "probe the edges for longer, or after a shorter round trip"
}

// perNano is the documented rate in requests per nanosecond.
func perNano(l limiter.Limit) float64 { return float64(l.Limit) / float64(l.Window) }

// burstHint names the usual cause of a burst that is one off.
func burstHint(f *bucketFit, l limiter.Limit) string {
	switch f.bursts {
	case Interval{float64(l.Burst + 1), float64(l.Burst + 1)}:
		return fmt.Sprintf("some limiters count the burst on top of the request that fits the rate (nginx's burst=%d nodelay and throttled's MaxBurst %d admit %d)", l.Burst, l.Burst, l.Burst+1)
	case Interval{float64(l.Burst - 1), float64(l.Burst - 1)}:
		return "some limiters count the request that fits the rate as one of the burst"
	}
	if k := math.Round(f.bursts.Low / float64(l.Burst)); k >= 2 && f.bursts.Low == f.bursts.High && f.bursts.Low == k*float64(l.Burst) {
		return fmt.Sprintf("%.0f times the documented burst: %.0f replicas may each count for themselves", k, k)
	}
	return ""
}
