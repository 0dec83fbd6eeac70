package capacity

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// A walk is a search as far as it has come.
type walk struct {
	Search
	trials   []Measured
	quickest time.Duration
	sent     int

	good, bad float64 // the bracket; 0 and infinite: nothing is known yet
	votes     map[float64]int
	asked     map[float64]int
	confirmed bool
	over      bool
	ended     string // why, if not because it was found
}

// walked follows a search from its first answer on: what it did is a function of
// what it saw, so a record tells the whole search again.
func (s Search) walked(answers []Answer) (w *walk, next Trial) {
	w = &walk{Search: s, quickest: math.MaxInt64, bad: math.Inf(1), votes: map[float64]int{}, asked: map[float64]int{}}
	next = w.trial(s.From, false)
	for !w.over && next.N <= len(answers) {
		m := s.measure(next, answers[:next.N], w.quickest)
		w.quickest = m.least
		answers = answers[next.N:]
		w.sent += next.N
		w.trials = append(w.trials, m)
		next = w.decide(m)
	}
	return w, next
}

// Next returns the trial that follows what was seen so far, in order of
// Intended; false: the search is over.
func (s Search) Next(answers []Answer) (Trial, bool) {
	w, next := s.walked(answers)
	return next, !w.over
}

// trial lays out a trial at a rate.
func (w *walk) trial(rate float64, confirms bool) Trial {
	each := max(w.Each, time.Duration(leastRequests/rate*float64(time.Second)))
	each = min(each, max(longestTrial, w.Each))
	if confirms {
		each *= confirmation
	}
	t := Trial{Rate: rate, N: max(2, int(math.Round(rate*each.Seconds()))), Confirms: confirms, Rest: 500 * time.Millisecond}
	if n := len(w.trials); n > 0 && w.trials[n-1].Verdict != Good {
		t.Rest = min(30*time.Second, max(time.Second, 2*w.trials[n-1].longest))
	}
	return t
}

// end ends the search for a reason.
func (w *walk) end(why string) Trial {
	w.over, w.ended = true, why
	return Trial{}
}

// decide takes a trial into account and returns the next one.
func (w *walk) decide(m Measured) Trial {
	if m.Verdict == Limited {
		return w.end("a limiter is in the way")
	}
	if m.Verdict == Unsent {
		return w.end(fmt.Sprintf("at %s/s this machine could not send %d of %d requests, for it had no file, port or memory left for them: raise its limits (ulimit -n), use connections again, or send from more machines", number(m.Rate), m.Unsent, m.Requests))
	}
	if len(w.trials) == mostTrials {
		return w.end("too many trials without an end: the service is too noisy for this precision")
	}
	good := m.Verdict == Good
	if !good && !m.certainly && !m.Confirms {
		// Near the edge one bad trial may be chance: two of three decide.
		w.votes[m.Rate]--
	} else if good && w.asked[m.Rate] > 0 && !m.Confirms {
		w.votes[m.Rate]++
	}
	w.asked[m.Rate]++
	if near := w.asked[m.Rate]; !m.Confirms && !m.certainly && w.votes[m.Rate] != 0 && near < 3 && !(near == 2 && w.votes[m.Rate] == -2) {
		return w.affordable(w.trial(m.Rate, false))
	}
	if w.votes[m.Rate] != 0 && !m.certainly && !m.Confirms {
		good = w.votes[m.Rate] > -2 && (good || w.votes[m.Rate] > 0)
	}
	switch {
	case good:
		w.good = max(w.good, m.Rate)
		w.confirmed = m.Confirms
	default:
		w.bad = min(w.bad, m.Rate)
		if w.good >= w.bad { // a confirmation that failed
			w.good = w.below(w.bad)
		}
	}
	return w.affordable(w.next())
}

// below returns the greatest rate under another that a trial found good.
func (w *walk) below(rate float64) float64 {
	best := 0.0
	for _, m := range w.trials {
		if m.Verdict == Good && m.Rate < rate/(1+w.Precision) {
			best = max(best, m.Rate)
		}
	}
	return best
}

func (w *walk) affordable(t Trial) Trial {
	if !w.over && w.Most > 0 && w.sent+t.N > w.Most {
		return w.end("the requests for it are used up")
	}
	return t
}

// next chooses a rate by the bracket.
func (w *walk) next() Trial {
	switch {
	case w.good > 0 && (w.bad/w.good <= 1+w.Precision || w.good >= w.To):
		if w.confirmed {
			w.over = true
			return Trial{}
		}
		return w.trial(w.good, true)
	case math.IsInf(w.bad, 1):
		return w.trial(min(2*w.good, w.To), false)
	case w.good == 0 && w.bad <= w.From/lowest:
		return w.end("no rate was good")
	case w.good == 0:
		return w.trial(w.bad/2, false)
	}
	// A saturated service shows what it gets through: look on both sides of it.
	if c := w.throughput(); c > 0 {
		for _, guess := range []float64{c * (1 - w.Precision/3), c * (1 + 2*w.Precision/3)} {
			if guess > w.good*(1+w.Precision/4) && guess < w.bad/(1+w.Precision/4) {
				return w.trial(round(guess), false)
			}
		}
	}
	return w.trial(round(math.Sqrt(w.good*w.bad)), false)
}

// throughput is the middle of what saturated trials got through.
func (w *walk) throughput() float64 {
	var all []float64
	for _, m := range w.trials {
		if m.capacity > 0 && m.capacity < m.Rate {
			all = append(all, m.capacity)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// round keeps four digits, so that a rate can be read.
func round(rate float64) float64 {
	x, _ := strconv.ParseFloat(strconv.FormatFloat(rate, 'g', 4, 64), 64)
	return x
}
