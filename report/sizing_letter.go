package report

import (
	"fmt"
	"math"
	"time"

	"duckload/limiter"
	"duckload/sizing"
)

// letterSheet is one page that asks for a higher limit: what is promised, what
// is sent, what is rejected, what is asked for, and why.
func letterSheet(s Sizing) (sheet, error) {
	if s.Documented == nil {
		return sheet{}, fmt.Errorf("a request letter needs the limit of today (name it with --limit and --burst, or with --scenario)")
	}
	v, per := viewOf(s), limiter.Per(s.Answer.Window)
	ask, why := askOf(s, v)
	words := asked(&ask, per)
	if ask.Burst == 0 {
		words = fmt.Sprintf("%s/%s", thousands(int(ask.Limit)), per)
	}
	out := sheet{Title: "Request for a higher rate limit", Sentence: "We ask for " + words + ", " + string(v.Scope) + ".", Tool: printable(s.Tool)}
	if enough(s, v, ask) {
		out.Title = "Review of a rate limit"
		out.Sentence = fmt.Sprintf("%s, %s, is enough for what we send: we ask for nothing more.", limitWords(*s.Documented), v.Scope)
	}
	t := s.Answer.Traffic
	promise := fmt.Sprintf("%s, %s.", limitWords(*s.Documented), v.Scope)
	if s.Promise != "" {
		promise = fmt.Sprintf("%s, %s (%s).", limitWords(*s.Documented), v.Scope, printable(s.Promise))
	}
	out.Parts = append(out.Parts, part{ID: "today", Heading: "The promise of today", Text: []string{promise}})

	sent := fmt.Sprintf("%s over %s, recorded from %s: on average %s per %s, in the busiest minute %s (%s)",
		plural(t.Requests, "request"), length(time.Duration(t.Length*1e9)), time.Unix(0, t.First).UTC().Format("2 January 2006, 15:04 UTC"),
		figures(t.Mean), per, thousands(t.Busiest.Count), time.Unix(0, t.Busiest.Begin).UTC().Format("2 January, 15:04 UTC"))
	if t.Clients > 1 {
		sent += fmt.Sprintf(", from %s", plural(t.Clients, "client"))
	}
	out.Parts = append(out.Parts, part{ID: "sent", Heading: "What we send", Text: []string{sent + "."}})

	lost := lossRows(sizing.View{Documented: v.Documented}, s.Answer)
	out.Parts = append(out.Parts, part{ID: "rejected", Heading: "What the promise of today rejects of it", Head: lossHead, Rows: lost})

	askPart := part{ID: "ask", Heading: "What we ask for, and why", Text: []string{out.Sentence, why}}
	for _, g := range v.Growth {
		askPart.Head = []string{"if every client sends", "today's limit rejects", "the least that rejects nothing"}
		need := asked(g.Ask, per)
		if !bucketed(*s.Documented) {
			need = fmt.Sprintf("%s/%s", thousands(int(g.Log)), per)
		}
		askPart.Rows = append(askPart.Rows, []string{figures(g.Factor) + " times as fast", share(g.Loss.Share), need})
	}
	out.Parts = append(out.Parts, askPart)

	f, err := curveFigure(v, s, "letter-curve", &ask)
	if err != nil {
		return out, err
	}
	out.Parts = append(out.Parts, part{ID: "picture", Heading: "Limits and bursts that are enough", Figure: &f})
	rests := caveatPart(s)
	rests.Heading = "How these numbers were made"
	rests.Text = []string{"Every number is computed from the moments of the recorded requests, exactly, for a limit that counts " + string(v.Scope) + "; nothing is extrapolated but growth, which divides the time between requests."}
	out.Parts = append(out.Parts, rests)
	return out, nil
}

// askOf returns what to ask for, in two digits that count, and the reason in a
// sentence.
func askOf(s Sizing, v sizing.View) (sizing.Ask, string) {
	if s.Ask != nil {
		return *s.Ask, "This is what we chose; the table says what it has to cover."
	}
	d := *s.Documented
	need := sizing.Ask{Limit: v.Needs[0].Window}
	why := "It is the least that would have rejected nothing, rounded up"
	if n := v.Needs[0].Log; n != nil {
		need.Limit = *n
	}
	if bucketed(d) && v.Needs[0].Ratio != nil {
		need = *v.Needs[0].Ratio
	}
	grown := 0.0
	for _, g := range v.Growth {
		now := sizing.Ask{Limit: g.Log}
		if bucketed(d) {
			if g.Ask == nil {
				continue
			}
			now = *g.Ask
		}
		if now.Limit > need.Limit {
			need, grown = now, g.Factor
		}
	}
	if grown > 0 {
		why = fmt.Sprintf("It is the least that rejects nothing once every client sends %s times as fast, rounded up", figures(grown))
	}
	if bucketed(d) {
		why += ", with the burst in the proportion of today"
	}
	need.Limit, need.Burst = roundUp(need.Limit), roundUp(need.Burst)
	return need, why + "."
}

// enough reports whether what is documented covers what would be asked for.
func enough(s Sizing, v sizing.View, ask sizing.Ask) bool {
	d := *s.Documented
	limit := float64(d.Limit) * s.Answer.Window.Seconds() / d.Window.Seconds()
	return s.Ask == nil && v.Documented.Rejected == 0 && limit >= float64(ask.Limit) && (!bucketed(d) || d.Burst >= ask.Burst)
}

// roundUp keeps two digits.
func roundUp(n int64) int64 {
	if n < 100 {
		return n
	}
	unit := int64(math.Pow(10, math.Floor(math.Log10(float64(n)))-1))
	return (n + unit - 1) / unit * unit
}
