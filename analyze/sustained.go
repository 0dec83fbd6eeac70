package analyze

import (
	"fmt"
	"time"

	"duckload/english"
	"duckload/limiter"
)

var sustainedRate = Check{
	ID:       "sustained",
	Question: "does a client that paces itself at exactly the documented rate ever see a rejection?",
	Doc: `Looks at the phases that hold a rate no higher than the documented one (of several limits, the slowest that is verified). Each
rejection there is judged by the rule of limit.floor: it fails if one of them is certainly wrong, that is, if the allowance
was there in every placement of the decisions within their intervals. It passes if nothing was rejected. Rejections that
what was sent before may explain leave it open: begin the hold with a full allowance.

A run without such a phase asks nothing and gets no answer. The assumptions are those of limit.floor: nobody else uses the
key (A3), and the record is whole.

Typical causes of failure: a rate that was rounded down (nginx counts thousandths of a request per second); a limiter that counts
in seconds and wants even spacing; a bucket that drops fractions of tokens; a counter that only expires after silence.`,
	Applies: exercised,
	Judge:   judgeSustained,
}

func judgeSustained(c *Case) []Finding {
	held, rate := c.holds()
	if len(held) == 0 {
		return nil
	}
	open := func(format string, args ...any) []Finding {
		return []Finding{{Outcome: Inconclusive, Message: fmt.Sprintf(format, args...)}}
	}
	if !c.Header.Groups[c.Group].Exclusive {
		return open("others share the keys (exclusive: false), so any rejection may be due to them")
	}
	var n [3]int
	for _, r := range c.Rows {
		if held[r.Phase] {
			n[r.Outcome]++
		}
	}
	sent := n[limiter.Admitted] + n[limiter.Rejected] + n[limiter.Unknown]
	wrong, _ := c.wronglyRejected()
	var here []wrongful
	for _, w := range wrong {
		if held[w.row.Phase] {
			here = append(here, w)
		}
	}
	switch {
	case len(here) > 0 && c.Whole:
		f := here[0].finding(c, len(here))
		f.Message = fmt.Sprintf("%d of %s at %s rejected: %s", n[limiter.Rejected], english.Count(sent, "request"), rate, f.Message)
		return []Finding{f}
	case !c.Whole:
		return open("%s", unwhole)
	case n[limiter.Rejected] > 0:
		return open("%d of %s at %s rejected, but what was sent before may explain it: begin the hold with a full allowance (rest: full)",
			n[limiter.Rejected], english.Count(sent, "request"), rate)
	case n[limiter.Admitted] == 0:
		return open("no request at %s was admitted or rejected", rate)
	}
	message := fmt.Sprintf("%s at %s, none rejected", english.Count(sent, "request"), rate)
	if n[limiter.Unknown] > 0 {
		message += fmt.Sprintf(" (the outcome of %d is not known)", n[limiter.Unknown])
	}
	return []Finding{{Outcome: Pass, Message: message}}
}

// holds returns the phases of the group that hold a rate which no limit to be
// verified forbids, and the highest such rate in words.
func (c *Case) holds() (held map[uint16]bool, rate string) {
	held = map[uint16]bool{}
	var slowest limiter.Limit
	for _, l := range c.Promise.Limits {
		if !l.Unverified && l.Reading != limiter.Concurrency && (slowest.Limit == 0 || l.Rate() < slowest.Rate()) {
			slowest = l
		}
	}
	if slowest.Limit == 0 {
		return nil, "" // no limit has a rate
	}
	highest := 0.0
	for i, p := range c.Header.Phases {
		// A rate that was computed may be off by the last digit of a float.
		if p.Group == c.Group && p.Pace == "hold" && p.Rate > 0 && p.Rate <= slowest.Rate()*(1+1e-9) {
			held[uint16(i)] = true
			highest = max(highest, p.Rate)
		}
	}
	return held, perWindow(highest, slowest.Window)
}

// perWindow writes a rate as the promise would: "100/min".
func perWindow(perSecond float64, window time.Duration) string {
	return fmt.Sprintf("%.4g/%s", perSecond*window.Seconds(), limiter.Per(window))
}
