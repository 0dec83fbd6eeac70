package report

import (
	"fmt"
	"math"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

func limitsOf(p limiter.Promise) []limitJSON {
	all := []limitJSON{}
	for _, l := range p.Limits {
		limit := limitJSON{
			Limit: l.Limit, Scope: said(string(l.Scope)), Reading: string(l.Reading),
			Tolerance: l.Tolerance, RejectsConsume: l.RejectsConsume, Verified: !l.Unverified,
		}
		if l.Burst > 0 {
			limit.Burst = &l.Burst
		}
		if window := l.Window.Seconds(); window > 0 {
			limit.Window = &window
		}
		all = append(all, limit)
	}
	return all
}

func checkOf(h history.Header, f analyze.Finding) checkJSON {
	return checkJSON{ID: f.Check, Outcome: string(f.Outcome), Message: f.Message, Witness: witnessOf(h, f.Witness)}
}

func witnessOf(h history.Header, w *analyze.Witness) *witnessJSON {
	if w == nil {
		return nil
	}
	all := witnessJSON{
		Sentence: w.Sentence, From: moment(w.From), To: moment(w.To),
		Counted: w.Counted, Allowed: number(w.Allowed), Requests: []evidenceJSON{}, More: w.More,
	}
	for _, e := range w.Requests {
		fields := e.Fields
		if fields == nil {
			fields = limiter.Fields{}
		}
		one := evidenceJSON{
			Lane: laneName(h, e.Lane), Phase: phaseName(h, e.Phase), Seq: e.Seq, Request: e.Request,
			Sent: moment(e.Sent), Answered: moment(e.Answered), Outcome: e.Outcome.String(), Fields: fields,
		}
		if e.Status != 0 {
			one.Status = &e.Status
		}
		all.Requests = append(all.Requests, one)
	}
	return &all
}

func measuredOf(m *analyze.Measured) *measured {
	if m == nil {
		return nil
	}
	return &measured{
		Family: said(m.Family), Consistent: some(m.Consistent), Scope: said(m.Scope), RejectsConsume: m.RejectsConsume,
		LimitPerWindow: bounds(m.LimitPerWindow), RatePerSecond: bounds(m.RatePerSecond), Burst: bounds(m.Burst), Window: bounds(m.Window), AtOnce: bounds(m.AtOnce),
	}
}

func bounds(i *analyze.Interval) *interval {
	if i == nil {
		return nil
	}
	return &interval{Low: number(i.Low), High: number(i.High)}
}

func percentiles(l analyze.Latency) percentilesJSON {
	if l.N == 0 {
		return percentilesJSON{}
	}
	return percentilesJSON{
		N: l.N, Mean: millis(l.Mean), P50: millis(l.P50), P90: millis(l.P90), P95: millis(l.P95), P99: millis(l.P99), Max: millis(l.Max),
	}
}

// laneName names a sender as findings do: "beak from 127.0.0.2".
func laneName(h history.Header, i int) string {
	if i < 0 || i >= len(h.Lanes) {
		return fmt.Sprintf("lane %d", i)
	}
	lane := h.Lanes[i]
	name := lane.Identity
	if name == "" {
		name = "anybody"
	}
	if lane.Source != "" {
		name += " from " + lane.Source
	}
	return name
}

func phaseName(h history.Header, i int) string {
	if i < 0 || i >= len(h.Phases) {
		return fmt.Sprintf("phase %d", i)
	}
	return h.Phases[i].Label
}

// moment is seconds from the start of the run; null if it never came.
func moment(d time.Duration) *float64 {
	if d == history.Never {
		return nil
	}
	s := float64(d) / float64(time.Second) // the nearest number, so that 1.981 s stays 1.981
	return &s
}

func millis(d time.Duration) *float64 {
	if d == history.Never {
		return nil
	}
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}

// number is null where JSON has no word for a value.
func number(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}

func said(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
