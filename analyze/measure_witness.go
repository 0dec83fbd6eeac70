package analyze

import (
	"fmt"
	"math"

	"duckload/english"
	"duckload/limiter"
)

// needing is the stretch of time that needs the largest bucket at a rate.
func needing(f *bucketFit, s slice) []Row {
	return f.plane.admitted[s.on].within(s.peak.from, s.peak.to, func(r *Row) bool { return isAdmitted(*r) })
}

// ratePer says a rate in the units of a limit.
func ratePer(rate float64, l limiter.Limit) string {
	return fmt.Sprintf("%.5g/%s", rate*float64(l.Window), limiter.Per(l.Window))
}

// refill is what comes back at a slice's rate in the stretch that needs the
// largest bucket.
func (s slice) refill() float64 {
	return s.rate * (1 + clockDrift) * float64(s.peak.to-s.peak.from)
}

// stretched proves that a bucket must be large: the requests that were
// certainly admitted in a stretch of time are more than a bucket that holds so
// much allows there.
func (c *Case) stretched(f *bucketFit, s slice, l limiter.Limit, holds float64) *Witness {
	inside := needing(f, s)
	w := &Witness{
		From: s.peak.from, To: s.peak.to, Counted: len(inside), Allowed: holds + s.refill(),
		Requests: c.Evidence(inside[:min(len(inside), MaxEvidence)]), More: max(0, len(inside)-MaxEvidence),
	}
	w.Sentence = fmt.Sprintf("between %s and %s, %s admitted; at %s that takes a bucket of at least %s",
		secs(w.From), secs(w.To), english.Count(len(inside), "request was"), ratePer(s.rate, l), atMost(s.least))
	return w
}

// refused proves that a bucket must be small: a rejection although no more can
// have been spent than leaves one request of the documented burst.
func (c *Case) refused(f *bucketFit, s slice, l limiter.Limit) *Witness {
	row := *s.tight
	w := &Witness{
		From: row.Sent, To: row.Answered, Counted: max(0, int(math.Ceil(s.most-1-2*slack))), Allowed: float64(l.Burst) - 1,
		Requests: c.Evidence([]Row{row}),
	}
	w.Sentence = fmt.Sprintf("the request sent at %s (%s) was rejected; at %s at most %s can have been spent then, so the bucket holds less than %s",
		secs(row.Sent), laneName(c.Header.Lanes[row.Lane]), ratePer(s.rate, l), atMost(s.most-1), atMost(s.most))
	return w
}

// both joins two proofs that contradict each other.
func both(a, b *Witness) *Witness {
	a.Sentence += "; " + b.Sentence
	a.From, a.To = min(a.From, b.From), max(a.To, b.To)
	room := min(len(b.Requests), MaxEvidence-1)
	if len(a.Requests) > MaxEvidence-room {
		a.More += len(a.Requests) - (MaxEvidence - room)
		a.Requests = a.Requests[:MaxEvidence-room]
	}
	a.Requests = append(a.Requests, b.Requests[:room]...)
	from, to := a.From, a.To
	a.spanned()
	a.From, a.To = from, to
	return a
}

// against proves that a rate does not explain the run with any whole burst: a
// bucket that explains the rejection allows less than was admitted.
func (c *Case) against(l limiter.Limit, f *bucketFit, rate float64) *Witness {
	s := f.plane.at(rate)
	if s.tight == nil {
		return c.stretched(f, s, l, float64(l.Burst)*(1+l.Tolerance))
	}
	holds := s.most
	if s.explains() {
		holds = math.Ceil(s.most) - 1
	}
	w := both(c.stretched(f, s, l, holds), c.refused(f, s, l))
	if s.explains() {
		w.Sentence += "; no whole number lies between"
	}
	return w
}

// needsMore proves that the burst is above the documented one: even at the
// fastest rate that explains the run.
func (c *Case) needsMore(l limiter.Limit, f *bucketFit) *Witness {
	return c.stretched(f, f.plane.at(f.region.rates.High), l, float64(l.Burst)*(1+l.Tolerance))
}

// needsLess proves that it is below: even at the slowest.
func (c *Case) needsLess(l limiter.Limit, f *bucketFit) *Witness {
	return c.refused(f, f.plane.at(f.region.rates.Low), l)
}

// nothingFits is the finding when no token bucket at all explains the run.
func (c *Case) nothingFits(l limiter.Limit, f *bucketFit) Finding {
	w := c.against(l, f, perNano(l))
	miss := f.region.low.least - f.region.low.most
	message := "no token bucket explains this run"
	if !math.IsInf(f.region.low.rate, 0) {
		message += fmt.Sprintf(": the closest, at %s, misses by %s", ratePer(f.region.low.rate, l), requests(miss))
	}
	return Finding{Outcome: Fail, Message: message, Witness: w}
}

// requests says a part of a number of requests.
func requests(n float64) string {
	if n < 1 {
		return "less than one request"
	}
	return fmt.Sprintf("%.1f requests", n)
}
