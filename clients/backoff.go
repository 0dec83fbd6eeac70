package clients

import (
	"fmt"
	"strings"
	"time"

	"duckload/english"
)

// What a statistical verdict may cost: a failure is wrong at most once in
// 1,000 runs of a client that backs off, a pass at most once in 20 of one that
// does not.
const (
	failLevel = 0.001
	passLevel = 0.05
)

// enough is how many failures a script must have to ask for backoff: with
// fewer, chance explains most clients.
const enough = 4

// mostWaits is how many waits of a call are looked at. Backoff has a bound as a
// rule, and waits at the bound grow no more.
const mostWaits = 5

var backoff = Check{
	ID:       "client.backoff",
	Question: "do its waits grow exponentially while the failures go on?",
	Doc: `After failures in a row that do not say when to come back, the first five waits of each call are compared with two ideas:

- backoff: each wait is drawn evenly between 0 and a bound that grows by half or more with each retry (full jitter, the widest
  there is; anything narrower is more regular). It fails if waits that rise so little, or are so alike, would come of that
  less than once in 1,000 runs, or if the third wait or a later one is still below 100 ms and so are all before it.
- no backoff: the bound stays. It passes if waits that rise so steeply would come of that less than once in 20 runs.

Two waits say nothing, three that double are enough to pass. Where chance explains both, it is inconclusive; more retries, or
--clients, decide. This is statistics, not proof: the levels are stated.

Typical causes of failure: the same delay every time, which is a usual default; a delay that grows by addition; a bound that is
as low as the first delay.`,
	Applies: func(r Run) bool {
		failures := 0
		for _, t := range r.Script.Turns {
			if temporary(t) {
				failures += t.Times
				if t.Times == 0 {
					failures += enough
				}
			}
		}
		return called(r) && failures >= enough
	},
	Judge: judgeBackoff,
}

// A row is the waits of one call between failures that follow one another.
type row struct {
	pairs []pair
	waits []float64 // seconds; at least a millisecond
}

func (r Run) rows() []row {
	var all []row
	for _, c := range r.scripted() {
		var now row
		for _, p := range c.pairs() {
			if !p.first.asksToWait() || p.first.Until > 0 || !p.certain || len(now.waits) == mostWaits {
				if len(now.waits) > 0 {
					break
				}
				continue
			}
			now.pairs = append(now.pairs, p)
			now.waits = append(now.waits, max(p.wait, time.Millisecond).Seconds())
		}
		if len(now.waits) > 0 {
			all = append(all, now)
		}
	}
	return all
}

func (w row) String() string {
	var all []string
	for _, p := range w.pairs {
		all = append(all, fmt.Sprintf("%.3f", p.wait.Seconds()))
	}
	return strings.Join(all, ", ") + " s"
}

func (w row) witness(why string) Witness {
	first := w.pairs[0].first.Number
	out := Witness{Requests: []int{first}, Sentence: fmt.Sprintf("the waits before the retries of request %d were %s; %s", first, w, why)}
	for _, p := range w.pairs {
		out.Requests = append(out.Requests, p.next.Number)
	}
	return out
}

func judgeBackoff(r Run) Finding {
	rows := r.rows()
	var waits [][]float64
	var longest row
	steep := 1.0
	for _, w := range rows {
		if len(w.waits) > len(longest.waits) {
			longest = w
		}
		if len(w.waits) >= 2 {
			waits = append(waits, w.waits)
			steep = min(steep, steepByChance(w.waits))
		}
	}
	if len(rows) == 0 && r.Stop == "" {
		return pass("it never asked again")
	}
	if len(waits) == 0 {
		return open("%s: nothing to compare (let it retry more often)", english.Count(len(longest.waits), "wait"))
	}
	if len(longest.waits) >= 3 {
		if f, failed := alike(rows); failed {
			return f
		}
	}
	seen := trend(waits)
	flat, even := trendByChance(waits, seen)
	if flat < failLevel && len(longest.waits) >= 3 {
		return fail(longest.witness(fmt.Sprintf("over all calls, waits that grow by half each time would rise so little once in %.0f runs", 1/flat)),
			"its waits do not grow exponentially: %s", longest)
	}
	if p := 2 * min(even, steep*float64(len(waits))); p < passLevel {
		return pass("its waits grow: %s%s (waits that do not would look so at most once in %.0f runs)", longest, more(len(waits)-1), 1/p)
	}
	return open("too few waits to tell: %s%s (more retries would decide, or --clients 10)", longest, more(len(waits)-1))
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return ", and " + english.Count(n, "call") + " more"
}

// alike finds waits that are too much alike, or too short, to be backoff.
func alike(rows []row) (Finding, bool) {
	for _, w := range rows {
		if len(w.waits) < 3 {
			continue
		}
		if longest := longestOf(w.durations()); longest < Brief {
			return fail(w.witness(fmt.Sprintf("the longest of them is %s", secs(longest))), "it does not back off: after %s it still waits less than %d ms",
				english.Count(len(w.waits), "failure"), Brief/time.Millisecond), true
		}
		if p := float64(len(rows)) * alikeByChance(w.waits, leastGrowth); p < failLevel {
			return fail(w.witness(fmt.Sprintf("waits that grow by half each time would be so alike less than once in %.0f runs", 1/p)), "its waits do not grow: %s", w), true
		}
	}
	return Finding{}, false
}

func (w row) durations() []time.Duration {
	var all []time.Duration
	for _, p := range w.pairs {
		all = append(all, p.wait)
	}
	return all
}
