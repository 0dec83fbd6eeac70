package analyze

import (
	"math"

	"duckload/history"
	"duckload/limiter"
)

// Latencies collects how long answers took, per outcome: admitted and rejected
// are never mixed, because rejections are fast and flatter the percentiles.
type latencies struct {
	service [3]sample // by outcome: Done − Sent
}

// Observe takes the next observation. Attempts that the transport sent again
// are not answers, and are left out.
func (l *latencies) Observe(o *history.Observation, outcome limiter.Outcome) {
	if o.Resent {
		return
	}
	l.service[outcome].add(o.Done - o.Sent)
}

// summaries returns the latency of each outcome.
func (l *latencies) summaries() [3]Latency {
	var all [3]Latency
	for i := range l.service {
		all[i] = l.service[i].summary()
	}
	return all
}

// summary is the latency that a sample shows.
func (s *sample) summary() Latency {
	if s.n == 0 {
		return Latency{}
	}
	r := s.sorted()
	return Latency{
		N: s.n, Mean: s.mean(),
		P50: r.percentile(50), P90: r.percentile(90), P95: r.percentile(95), P99: r.percentile(99), Max: s.max,
		Spectrum: r.spectrum(),
	}
}

// perTenfold is how many points of a spectrum lie where 100 − percentile
// shrinks to a tenth.
const perTenfold = 20

// spectrum returns the distribution at percentiles that crowd towards 100, as
// far as there are values to tell them apart, and ends with 100 itself. Ten
// million values give about 140 points.
func (r ranks) spectrum() []Quantile {
	n := r.len()
	var all []Quantile
	before := 0
	for i := 0; ; i++ {
		p := 100 * (1 - math.Pow(10, -float64(i)/perTenfold))
		if i == 0 {
			p = 100 / float64(n) // the least value
		}
		at := rank(n, p)
		if at >= n || float64(n)*(100-p)/100 < 1 {
			break
		}
		if at == before {
			continue
		}
		before = at
		all = append(all, Quantile{Percentile: p, Value: r.at(at - 1)})
	}
	return append(all, Quantile{Percentile: 100, Value: r.at(n - 1)})
}
