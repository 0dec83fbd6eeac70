// Package capacity searches for the highest rate at which a service keeps its
// objectives: which rate to try next, and what the trials together say. It is
// arithmetic on what was seen; it sends nothing.
//
// Trials are open loop: requests leave at their moments however slow the answers
// are, so that a queue shows as latency, and latency is counted from the moment
// at which a request was due. The search doubles the rate until a trial is bad,
// halves the bracket until it is narrow, repeats what is near the edge, because
// real services are noisy, and confirms the rate that it found by a longer
// trial, in the manner of RFC 2544 and of MLRsearch (draft-ietf-bmwg-mlrsearch).
package capacity

import (
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// A Search says where and how finely to look.
type Search struct {
	From       float64            `json:"from_per_s"` // requests per second of the first trial, above 0
	To         float64            `json:"to_per_s"`   // never faster; at least From
	Each       time.Duration      `json:"each_ns"`    // a trial lasts so long, or until it has 300 requests
	Precision  float64            `json:"precision"`  // the bracket is narrow enough if it is within this part; 0.03 is 3 %
	Objectives limiter.Objectives `json:"objectives"` // what a good trial keeps; errors: at most 1 % where nothing is said
	Most       int                `json:"most"`       // requests in all; 0: no bound
}

// The bounds of a search.
const (
	leastRequests = 300 // of a trial, so that its tail is worth looking at
	longestTrial  = time.Minute
	confirmation  = 3 // times as long as a trial
	mostTrials    = 40
	lowest        = 64 // a search that only fails ends at From/lowest

	// limited is the share of rejections from which on it is a limiter that
	// ends the search, and not the service.
	limited = 0.005
)

// A Verdict says how a trial ended.
type Verdict string

// The verdicts of trials.
const (
	Good      Verdict = "good"
	Slow      Verdict = "slow"      // a latency objective is broken
	Failing   Verdict = "failing"   // too many errors
	Saturated Verdict = "saturated" // answers did not keep up with requests
	Limited   Verdict = "limited"   // a limiter rejected some
	Unsent    Verdict = "unsent"    // the machine that sends could not send them all: it says nothing of the service
)

// An Answer is one request of a search and what became of it.
type Answer struct {
	Intended time.Duration
	Answered time.Duration // far away if no answer came
	Outcome  limiter.Outcome
	Ours     bool // the machine that sends had no socket, port or memory left for it: the service was not asked
}

// A Trial is what to send next: N requests at an even Rate after a Rest.
type Trial struct {
	Rate     float64 // requests per second
	N        int
	Confirms bool
	Rest     time.Duration // before it
}

// For returns how long a trial lasts.
func (t Trial) For() time.Duration {
	return time.Duration(float64(t.N) / t.Rate * float64(time.Second))
}

// At returns when request i is due after the start of its trial.
func (t Trial) At(i int) time.Duration {
	return time.Duration(float64(i) / t.Rate * float64(time.Second))
}

// A Measured is a trial that has ended.
type Measured struct {
	Rate     float64 `json:"rate_per_s"` // offered
	Achieved float64 `json:"achieved_per_s"`
	Requests int     `json:"requests"`
	Confirms bool    `json:"confirms"`
	Verdict  Verdict `json:"verdict"`
	Broken   string  `json:"broken"` // which objective: "p99"; empty: none

	Admitted, Rejected, Unknown int `json:"-"`
	Unsent                      int `json:"-"` // by the machine that sends

	// Latencies of admitted requests from the moment at which they were due.
	P50, P95, P99 time.Duration `json:"-"`

	least     time.Duration // the quickest answer
	longest   time.Duration
	capacity  float64 // what a saturated service got through, per second
	certainly bool    // so bad that it need not be repeated
	objective float64 // the worst latency, as a part of its objective
}

// measure judges a trial by the answers to it, in order of Intended. quickest is
// the quickest answer of all trials so far.
func (s Search) measure(t Trial, answers []Answer, quickest time.Duration) Measured {
	m := Measured{Rate: t.Rate, Requests: t.N, Confirms: t.Confirms, Verdict: Good, least: quickest}
	begin := answers[0].Intended
	end := begin + t.For()
	var latencies []time.Duration
	for _, a := range answers {
		if a.Ours {
			m.Unsent++
			continue
		}
		took := a.Answered - a.Intended
		switch a.Outcome {
		case limiter.Admitted:
			m.Admitted++
			latencies = append(latencies, took)
		case limiter.Rejected:
			m.Rejected++
		default:
			m.Unknown++
			continue
		}
		m.least, m.longest = min(m.least, took), max(m.longest, took)
	}
	// A queue grows: more is under way at the end than at a third of the trial.
	third := begin + t.For()/3
	queued, late, last := 0, 0, end
	for _, a := range answers {
		if a.Outcome == limiter.Unknown {
			continue
		}
		if a.Answered > end {
			queued++
		}
		if a.Intended <= third && a.Answered > third {
			queued--
		}
		if a.Answered > third {
			late++
			last = max(last, a.Answered)
		}
	}
	m.Achieved = t.Rate - max(0, float64(queued))/(end-third).Seconds()
	slices.Sort(latencies)
	m.P50, m.P95, m.P99 = rank(latencies, 50), rank(latencies, 95), rank(latencies, 99)
	m.judge(s, t, latencies, queued)
	if m.Verdict == Saturated || m.Verdict == Slow {
		m.capacity = float64(late) / (last - third).Seconds()
	}
	return m
}

func (m *Measured) judge(s Search, t Trial, latencies []time.Duration, queued int) {
	errors := 0.01
	if s.Objectives.Errors != nil {
		errors = *s.Objectives.Errors
	}
	for _, o := range s.Objectives.Latency {
		if at := rank(latencies, o.Percentile); len(latencies) > 0 && at > o.Most {
			m.Verdict, m.Broken = Slow, percentileName(o.Percentile)
			m.objective = max(m.objective, float64(at)/float64(o.Most))
		}
	}
	bound := max(s.Precision/3*float64(t.N), 8)
	switch share := float64(m.Unknown) / float64(t.N); {
	case float64(m.Rejected) > limited*float64(t.N):
		m.Verdict, m.certainly = Limited, true
	case m.Unsent > 0:
		m.Verdict, m.certainly = Unsent, true
	case share > errors && m.Unknown > 1:
		m.Verdict, m.certainly = Failing, share > 5*errors
	case m.Verdict == Slow:
		m.certainly = m.objective > 2
	case float64(queued) > bound:
		m.Verdict, m.certainly = Saturated, float64(queued) > 3*bound
	}
}

// rank is the nearest rank; 0 of nothing.
func rank(sorted []time.Duration, percentile float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, max(0, int(math.Ceil(percentile/100*float64(len(sorted))))-1))]
}
