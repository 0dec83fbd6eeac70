package capacity

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A Result is what a search found.
type Result struct {
	// Low is the highest rate that was good, High the lowest that was not, in
	// requests per second. Low is 0 if none was good; High is nil if all were.
	Low  float64  `json:"low_per_s"`
	High *float64 `json:"high_per_s"`

	Confirmed bool   `json:"confirmed"` // Low was held for longer
	Limited   bool   `json:"limited"`   // a limiter ended the search
	Why       string `json:"why"`       // what ended the good rates: "p99", "errors", "saturated", "limited"; empty: nothing did
	Ended     string `json:"ended"`     // why the search ended early; empty: it did not
	Sentence  string `json:"sentence"`

	// The knee: between these rates the 95th percentile grows past twice that
	// of the slowest trial. Nil: it did not.
	KneeLow  *float64 `json:"knee_low_per_s"`
	KneeHigh *float64 `json:"knee_high_per_s"`

	Throughput float64    `json:"throughput_per_s"` // of a saturated service; 0: none was
	Trials     []Measured `json:"trials"`           // in the order in which they were made
}

// Result says what the answers to a search say, in order of Intended. What was
// sent of a trial that did not end is left out.
func (s Search) Result(answers []Answer) Result {
	w, _ := s.walked(answers)
	r := Result{Low: w.good, Confirmed: w.confirmed && w.over, Ended: w.ended, Throughput: w.throughput(), Trials: w.trials}
	if !w.over {
		r.Ended = "the run ended before the search did"
	}
	for _, m := range w.trials {
		if m.Verdict == Limited {
			r.Limited, r.Why = true, string(Limited)
			rate := m.Rate
			r.High = &rate
		}
	}
	if !r.Limited && !math.IsInf(w.bad, 1) {
		bad := w.bad
		r.High = &bad
		for _, m := range w.trials {
			if m.Rate == bad && m.Verdict != Good {
				r.Why = why(m)
			}
		}
	}
	r.KneeLow, r.KneeHigh = knee(w.trials)
	r.Sentence = r.words(s)
	return r
}

func why(m Measured) string {
	switch m.Verdict {
	case Slow:
		return m.Broken
	case Failing:
		return "errors"
	}
	return string(m.Verdict)
}

// knee finds the stretch of rates in which latency leaves the ground.
func knee(trials []Measured) (low, high *float64) {
	sorted := slices.Clone(trials)
	slices.SortStableFunc(sorted, func(a, b Measured) int {
		switch {
		case a.Rate < b.Rate:
			return -1
		case a.Rate > b.Rate:
			return 1
		}
		return 0
	})
	for i := 1; i < len(sorted); i++ {
		if ground := sorted[0].P95; ground > 0 && sorted[i].P95 > 2*ground {
			above := sorted[i].Rate
			for k := range sorted[:i] {
				if sorted[k].P95 <= 2*ground && sorted[k].Rate < above {
					rate := sorted[k].Rate
					low = &rate
				}
			}
			return low, &above
		}
	}
	return nil, nil
}

func (r Result) words(s Search) string {
	switch {
	case r.Limited && r.Low == 0:
		return fmt.Sprintf("a limiter rejects requests already at %s/s: this is your rate limit, not your capacity", number(*r.High))
	case r.Limited:
		return fmt.Sprintf("the objectives hold up to %s/s, and at %s/s a limiter rejects requests: this is your rate limit, not your capacity", number(r.Low), number(*r.High))
	case r.Low == 0 && r.High != nil:
		return fmt.Sprintf("no rate was good: %s fails already at %s/s", r.Why, number(*r.High))
	case r.Low == 0:
		return "nothing was found: " + r.Ended
	case r.High == nil && r.Low >= s.To:
		return fmt.Sprintf("the objectives hold up to %s/s, the fastest that was allowed: the capacity is higher", number(r.Low))
	case r.High == nil:
		return fmt.Sprintf("the objectives hold at %s/s; faster was not tried to its end: %s", number(r.Low), r.Ended)
	}
	text := fmt.Sprintf("the objectives hold at %s/s and not at %s/s (%s)", number(r.Low), number(*r.High), r.Why)
	if !r.Confirmed {
		text += ", not confirmed"
		if r.Ended != "" {
			text += ": " + r.Ended
		}
	}
	return text
}

func number(rate float64) string { return strconv.FormatFloat(round(rate), 'f', -1, 64) }

// percentileName is "p99", "p99.9".
func percentileName(p float64) string { return "p" + strconv.FormatFloat(p, 'f', -1, 64) }
