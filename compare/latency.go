package compare

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat/distuv"

	"duckload/history"
	"duckload/limiter"
)

// quantiles are compared, each where so many answers are known.
var quantiles = []struct {
	name  string
	part  float64
	least int
}{
	{"p50", 0.50, 30}, {"p95", 0.95, 200}, {"p99", 0.99, 1000},
}

// A sample is the latencies of one group and outcome in one run, in the order
// in which the requests were sent, in milliseconds from sending to the end of
// the answer.
type sample struct {
	values []float64
	n      int // of which values may be an even selection
}

// A slot is what a sample is about.
type slot struct {
	group   string
	outcome limiter.Outcome
}

// mostValues bounds what is drawn from again and again: more are thinned out
// evenly, which keeps their order.
const mostValues = 40_000

// samples reads the latencies of a run.
func samples(h *history.History) (map[slot]sample, error) {
	type sent struct {
		at      time.Duration
		latency float64
	}
	all := map[slot][]sent{}
	for o, err := range h.All() {
		if err != nil {
			return nil, err
		}
		if o.Resent || o.Answered == history.Never {
			continue
		}
		s := slot{h.Header.Groups[h.Header.Lanes[o.Lane].Group].Name, h.Outcome(o)}
		all[s] = append(all[s], sent{o.Sent, float64(o.Done-o.Sent) / 1e6})
	}
	found := map[slot]sample{}
	for s, requests := range all {
		slices.SortFunc(requests, func(a, b sent) int { return cmp.Compare(a.at, b.at) })
		step := 1 + (len(requests)-1)/mostValues
		x := sample{n: len(requests)}
		for i := 0; i < len(requests); i += step {
			x.values = append(x.values, requests[i].latency)
		}
		found[s] = x
	}
	return found, nil
}

// quantile returns the nearest rank.
func (s sample) quantile(part float64) float64 {
	sorted := slices.Sorted(slices.Values(s.values))
	return sorted[min(len(sorted)-1, max(0, int(math.Ceil(part*float64(len(sorted))))-1))]
}

// latencies compares quantiles and the share of errors of each group.
func latencies(pairs []pairing, base, now []Run, o Options) ([]Difference, error) {
	read := func(runs []Run) ([]map[slot]sample, error) {
		all := make([]map[slot]sample, len(runs))
		for i, r := range runs {
			var err error
			if all[i], err = samples(r.History); err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name, err)
			}
		}
		return all, nil
	}
	before, err := read(base)
	if err != nil {
		return nil, err
	}
	after, err := read(now)
	if err != nil {
		return nil, err
	}
	var all []Difference
	each := o.Alpha / float64(max(1, len(pairs)*(2*len(quantiles)+1)))
	for _, p := range pairs {
		for _, outcome := range []limiter.Outcome{limiter.Admitted, limiter.Rejected} {
			s := slot{p.name, outcome}
			all = append(all, compareSlot(s, pick(before, s), pick(after, s), o, each)...)
		}
		all = append(all, errorsOf(p, o, each))
	}
	return all, nil
}

func pick(runs []map[slot]sample, s slot) []sample {
	var all []sample
	for _, r := range runs {
		if x, ok := r[s]; ok {
			all = append(all, x)
		}
	}
	return all
}

func compareSlot(s slot, base, now []sample, o Options, alpha float64) []Difference {
	if len(base) == 0 || len(now) == 0 {
		return nil
	}
	var all []Difference
	var spreads [2][]float64
	if len(base) == 1 && len(now) == 1 {
		spreads = [2][]float64{base[0].spread(), now[0].spread()}
	}
	for i, q := range quantiles {
		d := Difference{Group: s.group, Aspect: Latency, Subject: fmt.Sprintf("%s of %s", q.name, s.outcome)}
		few := 0
		for _, x := range slices.Concat(base, now) {
			if x.n < q.least {
				few = max(few, q.least-x.n)
			}
		}
		if few > 0 {
			if q.name != "p50" {
				continue // the table would be full of what says nothing
			}
			d.Kind, d.Message = Unknown, fmt.Sprintf("%s: fewer than %d answers in one of the runs", d.Subject, q.least)
			d.Before, d.Now = "–", "–"
			all = append(all, d)
			continue
		}
		var c change
		if len(base) == 1 && len(now) == 1 {
			c = single(base[0], now[0], q.part, spreads[0][i], spreads[1][i], alpha)
		} else {
			c = several(base, now, q.part)
		}
		all = append(all, c.judge(d, o))
	}
	return all
}

// A change is that of one quantile, as a factor between bounds.
type change struct {
	before, now float64 // milliseconds
	low, high   float64 // of now/before − 1
	proved      bool    // the test that goes with several runs says so, too
	how         string
}

func (c change) judge(d Difference, o Options) Difference {
	d.Before, d.Now = milliseconds(c.before), milliseconds(c.now)
	d.Low, d.High = finite(c.low), finite(c.high)
	margin := max(o.Margin, float64(o.Least)/1e6/c.before)
	d.Message = fmt.Sprintf("%s was %s and is %s (%s)", d.Subject, d.Before, d.Now, c.words())
	switch {
	case c.low > margin && c.proved:
		d.Kind = Regression
		d.Message += fmt.Sprintf(", more than the margin of %s", percent(margin))
	case c.high < -margin && c.proved:
		d.Kind = Improved
	case c.low >= -margin && c.high <= margin:
		d.Kind = Same
	case c.high > margin && c.now > c.before*(1+margin):
		d.Kind = Possible
		d.Message += ": noise may explain it"
	default:
		d.Kind = Unknown
		d.Message += ": a change within these bounds cannot be told from noise"
		if c.high <= margin {
			d.Kind = Same // not worse
		}
	}
	return d
}

func (c change) words() string {
	return fmt.Sprintf("%s to %s, %s", percent(c.low), percent(c.high), c.how)
}

func percent(x float64) string {
	if math.IsInf(x, 0) {
		return "any"
	}
	return fmt.Sprintf("%+.1f %%", 100*x)
}

func milliseconds(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.3g ms", x)
	case x < 10_000:
		return fmt.Sprintf("%.0f ms", x)
	}
	return fmt.Sprintf("%.1f s", x/1000)
}

func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}

// single compares one run with one other. Latencies that follow one another are
// alike, so blocks of them are drawn again and not single ones (Künsch's block
// bootstrap, blocks as long as they are many); the logarithms of quantiles
// differ by a sum of two such spreads.
func single(base, now sample, part, spreadBase, spreadNow, alpha float64) change {
	c := change{before: base.quantile(part), now: now.quantile(part), proved: true, how: "by blocks of requests"}
	error := math.Hypot(spreadBase, spreadNow)
	freedom := math.Sqrt(float64(min(len(base.values), len(now.values)))) - 1
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: max(freedom, 1)}.Quantile(1 - alpha/2)
	center := math.Log(c.now / c.before)
	c.low, c.high = math.Exp(center-t*error)-1, math.Exp(center+t*error)-1
	return c
}

// draws is how often blocks are drawn again.
const draws = 500

// spread returns the standard error of the logarithm of each quantile.
func (s sample) spread() []float64 {
	n := len(s.values)
	length := int(math.Ceil(math.Sqrt(float64(n))))
	blocks := (n + length - 1) / length
	type value struct {
		ms    float64
		block int
	}
	sorted := make([]value, n)
	size := make([]int, blocks)
	for i, ms := range s.values {
		sorted[i] = value{ms, i / length}
		size[i/length]++
	}
	slices.SortFunc(sorted, func(a, b value) int { return cmp.Compare(a.ms, b.ms) })
	random := rand.New(rand.NewPCG(uint64(n), 0x5eed))
	times := make([]int, blocks)
	sum, squares := make([]float64, len(quantiles)), make([]float64, len(quantiles))
	for range draws {
		clear(times)
		total := 0
		for range blocks {
			b := random.IntN(blocks)
			times[b]++
			total += size[b]
		}
		seen, q := 0, 0
		for _, v := range sorted {
			seen += times[v.block]
			for q < len(quantiles) && float64(seen) >= quantiles[q].part*float64(total) {
				x := math.Log(max(v.ms, 1e-6))
				sum[q] += x
				squares[q] += x * x
				q++
			}
			if q == len(quantiles) {
				break
			}
		}
	}
	errors := make([]float64, len(quantiles))
	for q := range errors {
		mean := sum[q] / draws
		errors[q] = math.Sqrt(max(0, squares[q]/draws-mean*mean))
	}
	return errors
}

// several takes runs as samples: each has one value, and what differs between
// runs of one side is noise. The bounds are those of the medians, by order
// statistics where there are enough runs for them, else of all runs; and
// Mann and Whitney's test must agree.
func several(base, now []sample, part float64) change {
	values := func(all []sample) []float64 {
		var found []float64
		for _, s := range all {
			found = append(found, s.quantile(part))
		}
		return found
	}
	a := benchmath.NewSample(values(base), &benchmath.DefaultThresholds)
	b := benchmath.NewSample(values(now), &benchmath.DefaultThresholds)
	was, is := bounded(a), bounded(b)
	test := benchmath.AssumeNothing.Compare(a, b)
	return change{
		before: was.Center, now: is.Center, low: is.Lo/was.Hi - 1, high: is.Hi/was.Lo - 1,
		proved: test.P < test.Alpha, how: fmt.Sprintf("over %d and %d runs, p=%.3f", len(base), len(now), test.P),
	}
}

func bounded(s *benchmath.Sample) benchmath.Summary {
	x := benchmath.AssumeNothing.Summary(s, 0.95)
	if math.IsInf(x.Lo, 0) || math.IsInf(x.Hi, 0) {
		x.Lo, x.Hi = slices.Min(s.Values), slices.Max(s.Values)
	}
	return x
}

// errorsOf compares the share of requests whose outcome is unknown: the lower
// and upper ends of Wilson's intervals, after Newcombe.
func errorsOf(p pairing, o Options, alpha float64) Difference {
	count := func(groups []groupCounts) (bad, all int) {
		for _, g := range groups {
			bad, all = bad+g.unknown, all+g.sent
		}
		return bad, all
	}
	was, all := count(countsOf(p, false))
	is, allNow := count(countsOf(p, true))
	d := Difference{Group: p.name, Aspect: Errors, Subject: "errors", Kind: Same, Before: ratio(was, all), Now: ratio(is, allNow)}
	if all == 0 || allNow == 0 {
		d.Kind, d.Message = Unknown, "errors: nothing was sent in one of the runs"
		return d
	}
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	a, aLow, aHigh := wilson(was, all, z)
	b, bLow, bHigh := wilson(is, allNow, z)
	low := b - a - math.Hypot(b-bLow, aHigh-a)
	high := b - a + math.Hypot(bHigh-b, a-aLow)
	d.Low, d.High = &low, &high
	d.Message = fmt.Sprintf("%s of requests had no usable answer, now %s", d.Before, d.Now)
	switch {
	case low > o.ErrorMargin:
		d.Kind = Regression
	case high < -o.ErrorMargin:
		d.Kind = Improved
	case high > o.ErrorMargin && b > a+o.ErrorMargin:
		d.Kind = Possible
	}
	return d
}

type groupCounts struct{ unknown, sent int }

func countsOf(p pairing, now bool) []groupCounts {
	groups := p.base
	if now {
		groups = p.now
	}
	var all []groupCounts
	for _, g := range groups {
		all = append(all, groupCounts{g.Unknown, g.Sent})
	}
	return all
}

func ratio(bad, all int) string {
	if all == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3g %%", 100*float64(bad)/float64(all))
}

// wilson returns a share and its interval.
func wilson(bad, all int, z float64) (share, low, high float64) {
	n := float64(all)
	share = float64(bad) / n
	center := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return share, max(0, center-half), min(1, center+half)
}
