package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"duckload/english"
	"duckload/history"
	"duckload/limiter"
)

var latencyObjective = Check{
	ID:       "latency",
	Question: "are admitted requests answered as fast as the scenario asks?",
	Doc: `A fact about this run: the percentile of the latencies of admitted requests, by nearest rank, beside the objective. The
nearest rank is the smallest latency that at least p % of them do not exceed, so it is always one that was measured.

Latency is measured twice: from the moment a request was sent, which is the server's own time, and from the moment at
which the plan wanted it sent, which is what a client would have felt, our own lateness included. It fails if the first
exceeds the objective, passes if the second meets it, and is inconclusive between: what is missing is then our own doing.
It does not pass either if requests without any answer would have broken the objective, had they been admitted.

Rejections are never mixed in: they are fast, and flatter. n stands beside every value, because the p99 of 7 values is their
maximum. A percentile of few values says little about the next run: for the largest of n independent values to be no
less than the true p99 in 95 of 100 cases, n must be 299 (for p99.9, 2995).

Typical causes of failure: a slow dependency; a queue in front of the limiter; garbage collection; a machine that sends and
answers at once and has too few cores.`,
	Applies: func(p limiter.Promise) bool { return len(p.Objectives.Latency) > 0 },
	Watch: func(c *Case) Watcher {
		w := &latencyWatch{c: c, least: math.MaxInt64, felt: make([]int, len(c.Promise.Objectives.Latency))}
		for _, o := range c.Promise.Objectives.Latency {
			w.least = min(w.least, o.Most)
		}
		return w
	},
}

// latencyWatch keeps what the case does not know of latencies: which were felt
// to be in time, and which were the slowest.
type latencyWatch struct {
	c          *Case
	least      time.Duration // the strictest objective
	felt       []int         // by objective: how many were done in time, counted from Intended
	unanswered int
	slowest    []Evidence // at most MaxEvidence, the slowest first
	took       []time.Duration
}

func (w *latencyWatch) Observe(o *history.Observation, outcome limiter.Outcome) {
	switch {
	case outcome == limiter.Unknown && !o.Resent && (o.Answered == history.Never || o.Status == 0):
		w.unanswered++
	case outcome == limiter.Admitted:
		for i, objective := range w.c.Promise.Objectives.Latency {
			if o.Done-o.Intended <= objective.Most {
				w.felt[i]++
			}
		}
		w.keep(o, outcome)
	}
}

// keep remembers an observation if it is among the slowest that may become a
// witness.
func (w *latencyWatch) keep(o *history.Observation, outcome limiter.Outcome) {
	d := o.Done - o.Sent
	if d <= w.least || len(w.took) == MaxEvidence && d <= w.took[MaxEvidence-1] {
		return
	}
	i, _ := slices.BinarySearchFunc(w.took, d, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	if len(w.took) == MaxEvidence {
		w.took, w.slowest = w.took[:MaxEvidence-1], w.slowest[:MaxEvidence-1]
	}
	w.took = slices.Insert(w.took, i, d)
	w.slowest = slices.Insert(w.slowest, i, shown(o, outcome))
}

func (w *latencyWatch) Findings() []Finding {
	f := Finding{Check: "latency", Outcome: Pass}
	service := w.c.service[limiter.Admitted].sorted()
	if service.len() == 0 {
		f.Outcome = Inconclusive
		f.Message = "no request was admitted, so there is no latency to judge"
		return []Finding{f}
	}
	var parts []string
	for i, objective := range w.c.Promise.Objectives.Latency {
		outcome, part := w.judge(objective, service, w.felt[i])
		parts = append(parts, part)
		f.Outcome = f.Outcome.Worse(outcome)
		if outcome == Fail && f.Witness == nil {
			f.Witness = w.witness(objective, service)
		}
	}
	f.Message = strings.Join(parts, "; ") + fewValues(w.c.Promise.Objectives.Latency, service.len())
	if f.Outcome == Pass && !w.c.Whole {
		f.Outcome = Inconclusive
		f.Message += "; but part of the record is missing, and what was lost may have been slow"
	}
	return []Finding{f}
}

// judge compares one percentile with its objective; felt is how many requests
// met it, counted from the planned moment.
func (w *latencyWatch) judge(o limiter.LatencyObjective, service ranks, felt int) (Verdict, string) {
	n, value := service.len(), service.percentile(o.Percentile)
	said := fmt.Sprintf("p%s of %s was %s", strconv.FormatFloat(o.Percentile, 'f', -1, 64), english.Count(n, "admitted answer"), millis(value))
	switch {
	case value > o.Most:
		return Fail, fmt.Sprintf("%s, above %s", said, millis(o.Most))
	case felt < rank(n, o.Percentile):
		return Inconclusive, fmt.Sprintf("%s from sending, but %d of them ended more than %s after their planned moment: our own lateness lies between", said, n-felt, millis(o.Most))
	case felt < rank(n+w.unanswered, o.Percentile):
		return Inconclusive, fmt.Sprintf("%s, but %s got no answer, and had they been admitted it would be above %s", said, english.Count(w.unanswered, "request"), millis(o.Most))
	}
	return Pass, fmt.Sprintf("%s, within %s", said, millis(o.Most))
}

func (w *latencyWatch) witness(o limiter.LatencyObjective, service ranks) *Witness {
	n, slow := service.len(), service.over(o.Most)
	allowed := n - rank(n, o.Percentile)
	proof := &Witness{
		Sentence: fmt.Sprintf("%d of %s took longer than %s from sending to the end of the body; at most %d may, for p%s to be within it",
			slow, english.Count(n, "admitted request"), millis(o.Most), allowed, strconv.FormatFloat(o.Percentile, 'f', -1, 64)),
		Counted: slow, Allowed: float64(allowed),
	}
	// One more than allowed is proof enough.
	show := min(allowed+1, len(w.slowest))
	proof.Requests = slices.Clone(w.slowest[:show])
	proof.More = max(0, min(allowed+1, slow)-show)
	proof.spanned()
	return proof
}

// fewValues says how little some percentiles mean, if they do.
func fewValues(objectives []limiter.LatencyObjective, n int) string {
	var b strings.Builder
	for _, o := range objectives {
		switch name := "p" + strconv.FormatFloat(o.Percentile, 'f', -1, 64); {
		case o.Percentile >= 100 || n >= provable(o.Percentile):
		case rank(n, o.Percentile) == n:
			fmt.Fprintf(&b, "; %s of %s is their maximum, and to bound the true one takes %d", name, english.Count(n, "value"), provable(o.Percentile))
		default:
			fmt.Fprintf(&b, "; to bound the true %s takes %d values", name, provable(o.Percentile))
		}
	}
	return b.String()
}

// provable is the least number of independent values of which the largest is,
// in 95 of 100 cases, no less than the true percentile. It is 299 for p99.
func provable(p float64) int {
	if p >= 100 {
		return math.MaxInt
	}
	return int(math.Ceil(math.Log(0.05) / math.Log(p/100)))
}

// millis writes a latency: "2.1 ms", "812 ms", "2.05 s".
func millis(d time.Duration) string {
	switch ms := d.Seconds() * 1000; {
	case ms < 10:
		return strconv.FormatFloat(ms, 'g', 3, 64) + " ms"
	case ms < 1000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'g', 4, 64) + " s"
}
