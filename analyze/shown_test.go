package analyze

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

func TestAHistogramIsRightWithinFivePercent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h histogram
		var all sample
		for range rapid.IntRange(1, 200).Draw(t, "values") {
			d := time.Duration(rapid.Int64Range(2000, 100e9).Draw(t, "ns") >> rapid.IntRange(0, 10).Draw(t, "smaller"))
			d = max(d, 2*time.Microsecond)
			h.add(d)
			all.add(d)
		}
		for _, q := range []float64{0.01, 0.5, 0.99, 1} {
			got, want := h.quantile(q).Seconds(), all.sorted().percentile(100*q).Seconds()
			if got < 0.95*want || got > 1.05*want {
				t.Fatalf("quantile %v: got %v, want %v", q, got, want)
			}
		}
	})
}

func TestAHistogramTakesEverything(t *testing.T) {
	var h histogram
	for _, d := range []time.Duration{0, 1, time.Microsecond, time.Hour, 1<<63 - 1} {
		h.add(d)
	}
	if h.n != 5 || h.max != 1<<63-1 || h.quantile(0.01) > 2*time.Microsecond {
		t.Errorf("got %d values up to %s from %s on", h.n, h.max, h.quantile(0.01))
	}
}

// However long a run is and however its requests come, what pictures show has
// few bins, and every request is in one of them.
func TestBinsHoldEveryRequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n [3]int
		over, sent := newLatencyBins(), newDispatch()
		total, resent := 0, 0
		for range rapid.IntRange(1, 100).Draw(t, "requests") {
			at := time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "sent") >> rapid.IntRange(0, 40).Draw(t, "sooner"))
			late, took := time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "late")), time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "took"))
			o := history.Observation{Intended: max(0, at-late), Sent: at, Done: at + took, Resent: rapid.IntRange(0, 9).Draw(t, "again") == 0}
			outcome := limiter.Outcome(rapid.IntRange(0, 2).Draw(t, "outcome"))
			over.Observe(&o, outcome)
			sent.Observe(&o, outcome)
			if o.Resent {
				resent++
				continue
			}
			total++
			n[outcome]++
		}
		var got [3]int
		latency := over.summary()
		for _, bin := range latency.Bins {
			for k, b := range bin {
				got[k] += b.N
				if b.N > 0 && (b.P50 > b.P99 || b.P99 > b.Max) {
					t.Fatalf("percentiles are out of order: %+v", b)
				}
			}
		}
		s := sent.summary()
		due, left := 0, 0
		for _, b := range s.Bins {
			due, left = due+b.Due, left+b.Sent
			if b.Mean > b.Max {
				t.Fatalf("a mean above the greatest: %+v", b)
			}
		}
		if got != n || due != total || left != total || s.Resent != resent {
			t.Fatalf("got %v answers, %d due, %d sent, %d sent again; want %v, %d, %d, %d", got, due, left, s.Resent, n, total, total, resent)
		}
		if len(latency.Bins) > mostLatencyBins || len(s.Bins) > mostSendingBins {
			t.Fatalf("got %d and %d bins", len(latency.Bins), len(s.Bins))
		}
		if s.GapTo > s.GapFrom && s.GapTo > time.Duration(len(s.Bins))*s.Bin {
			t.Fatalf("a gap until %s in a run of %d bins of %s", s.GapTo, len(s.Bins), s.Bin)
		}
	})
}

// A sender that stops for a while, though requests are due, shows a gap.
func TestAGapIsSeen(t *testing.T) {
	s := newDispatch()
	for i := range 100 {
		due := time.Duration(i) * 100 * time.Millisecond
		sent := due
		if i >= 40 && i < 60 {
			sent = 6 * time.Second
		}
		s.Observe(&history.Observation{Intended: due, Sent: sent, Done: sent + 10*time.Millisecond, Error: strings.Repeat("timeout", i/99)}, limiter.Admitted)
	}
	got := s.summary()
	if got.GapFrom < 4*time.Second || got.GapFrom > 4300*time.Millisecond || got.GapTo < 5900*time.Millisecond || got.GapTo > 6*time.Second {
		t.Errorf("got a gap from %s to %s, want one from about 4 s to 6 s", got.GapFrom, got.GapTo)
	}
	if !slices.Equal(got.Errors, []ErrorCount{{"timeout", 1}}) {
		t.Errorf("got %v, want one timeout", got.Errors)
	}
}

func TestAnySenderMayFailInManyWays(t *testing.T) {
	s := newDispatch()
	for i := range 1000 {
		s.Observe(&history.Observation{Error: strings.Repeat("x", i%300+1)}, limiter.Unknown)
	}
	got := s.summary().Errors
	n := 0
	for _, e := range got {
		n += e.N
	}
	if len(got) != mostErrors+1 || n != 1000 || got[mostErrors].Class != "other" {
		t.Errorf("got %v, %d in all; want %d classes and others, 1000 in all", got, n, mostErrors)
	}
}

// What is kept of waits is few, and spread over the whole run; what is wrong is
// kept by itself.
func TestFewWaitsAreKept(t *testing.T) {
	var w Waits
	for i := range 100_000 {
		w.add(WaitPoint{At: time.Duration(i), Long: i == 77_777})
	}
	w.short(pair{})
	if w.N != 100_000 || w.Longs != 1 || w.Shorts != 1 || len(w.Wrong) != 2 {
		t.Errorf("got %d, %d too long and %d too short, %d kept as wrong", w.N, w.Longs, w.Shorts, len(w.Wrong))
	}
	if len(w.Points) < mostWaits/2 || len(w.Points) > mostWaits || w.Points[len(w.Points)-1].At < 98_000 {
		t.Errorf("got %d points until %d", len(w.Points), w.Points[len(w.Points)-1].At)
	}
	if !slices.IsSortedFunc(w.Points, func(a, b WaitPoint) int { return int(a.At - b.At) }) {
		t.Error("the points are out of order")
	}
}

// One address is used up while the other one asks: per address is documented,
// one counter for everybody is what there is.
func TestTheScopeMatrixSaysWhoSharesWithWhom(t *testing.T) {
	promise := limiter.Promise{
		Limits: []limiter.Limit{{Limit: 1, Window: time.Hour, Burst: 3, Scope: limiter.ScopeIP, Reading: limiter.TokenBucket}},
		Reject: limiter.Rejection{Status: []int{429}}, Admitted: []limiter.Statuses{{From: 200, To: 299}},
	}
	header := history.Header{
		Groups: []history.Group{{Name: "g", Counter: "g", Promise: promise, Exclusive: true, Fresh: true}},
		Lanes:  []history.Lane{{Identity: "a", Source: "127.0.0.2"}, {Identity: "a", Source: "127.0.0.3"}},
		Phases: []history.Phase{{}},
	}
	var all []history.Observation
	for i, status := range []int{200, 200, 200, 429, 429, 429} {
		at := time.Duration(i) * time.Second
		all = append(all, history.Observation{Lane: i / 4, Seq: uint64(i), Intended: at, Sent: at, Answered: at + 1e6, Done: at + 1e6, Status: status,
			Evidence: limiter.Fields{{Name: "X-RateLimit-Limit", Value: "9"}, {Name: "X-RateLimit-Remaining", Value: "0"}}})
	}
	f, err := Judge(history.Of(header, all, &history.End{At: time.Minute, Complete: true, Offered: len(all)}))
	if err != nil {
		t.Fatal(err)
	}
	m := f.Groups[0].Shown.Scope
	if len(m.Scopes) != 2 || len(m.Senders) != 2 || m.Looked != 6 {
		t.Fatalf("got %+v, want two scopes and two senders", m)
	}
	if per := m.Scopes[0]; !per.Documented || per.Explains || per.Counters != 2 || !strings.Contains(per.Why, "127.0.0.3") {
		t.Errorf("got %+v, want per ip, which does not explain what 127.0.0.3 saw", per)
	}
	if one := m.Scopes[1]; one.Documented || !one.Explains || one.Counters != 1 {
		t.Errorf("got %+v, want one counter, which explains the run", one)
	}
	if s := m.Senders[1]; s.Name != "a from 127.0.0.3" || s.Sent != 2 || s.Rejected != 2 || !slices.Equal(s.Counters, []int{1, 0}) {
		t.Errorf("got %+v, want the second sender with two rejections, a counter of its own and a common one", s)
	}
	facts := f.Groups[0].Shown.Headers
	if len(facts) != 2 || facts[0].Says != "a limit of 9" || facts[0].Lies != 6 || facts[0].Why == "" {
		t.Errorf("got %+v, want a limit of 9, which nobody documented", facts)
	}
	if len(facts) == 2 && (facts[1].Says != "what remains: always 0" || facts[1].N != 6 || facts[1].Lies != 2) {
		t.Errorf("got %+v, want what remains: always 0, which is too little twice", facts[1])
	}
}
