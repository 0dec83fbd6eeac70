package analyze

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/montanaflynn/stats"
	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

func TestPercentilesAreThoseOfTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3*librarySize).Draw(t, "n")
		most := rapid.SampledFrom([]int64{3, 1e6, 1e10}).Draw(t, "most")
		seed := rapid.Int64Range(1, 1e9).Draw(t, "seed")
		var s sample
		var data stats.Float64Data
		for range n {
			seed = (seed*6364136223846793005 + 1442695040888963407) & (1<<62 - 1)
			s.add(time.Duration(seed % most))
			data = append(data, float64(seed%most))
		}
		r := s.sorted()
		slices.Sort(data)
		for i, want := range data {
			if got := r.at(i); r.len() != n || got != time.Duration(want) {
				t.Fatalf("got %d as number %d of %d, want %v of %d", got, i, r.len(), want, n)
			}
		}
		p := rapid.OneOf(rapid.Float64Range(0.001, 100), rapid.SampledFrom([]float64{50, 90, 95, 99, 99.9, 100})).Draw(t, "p")
		want, err := stats.PercentileNearestRank(data, p)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.percentile(p); got != time.Duration(want) {
			t.Errorf("p%v of %d: got %d, want %v", p, n, got, want)
		}
		if got := r.at(rank(n, p) - 1); got != time.Duration(want) {
			t.Errorf("p%v of %d by rank: got %d, want %v", p, n, got, want)
		}
		limit := time.Duration(rapid.Int64Range(0, most).Draw(t, "limit"))
		over := 0
		for _, v := range data {
			if time.Duration(v) > limit {
				over++
			}
		}
		if got := r.over(limit); got != over {
			t.Errorf("above %d: got %d, want %d", limit, got, over)
		}
	})
}

func TestTheSpectrumCrowdsTowardsAHundred(t *testing.T) {
	var s sample
	for i := range 100_000 {
		s.add(time.Duration(i+1) * time.Microsecond)
	}
	spectrum := s.summary().Spectrum
	if len(spectrum) < 60 || len(spectrum) > 150 {
		t.Errorf("got %d points, want about a hundred", len(spectrum))
	}
	for i := 1; i < len(spectrum); i++ {
		if spectrum[i].Percentile <= spectrum[i-1].Percentile || spectrum[i].Value <= spectrum[i-1].Value {
			t.Errorf("got %v after %v, want both to rise", spectrum[i], spectrum[i-1])
		}
	}
	if last := spectrum[len(spectrum)-1]; last.Percentile != 100 || last.Value != 100*time.Millisecond {
		t.Errorf("got the end %v, want the maximum at 100", last)
	}
	if next := spectrum[len(spectrum)-2]; next.Percentile < 99.99 {
		t.Errorf("got %v before the end, want more than four nines", next)
	}
}

func TestASpectrumOfOneIsThatOne(t *testing.T) {
	var s sample
	s.add(5 * time.Second)
	got := s.summary()
	want := []Quantile{{100, 5 * time.Second}}
	if !slices.Equal(got.Spectrum, want) || got.P50 != 5*time.Second || got.Mean != 5*time.Second {
		t.Errorf("got %+v, want everything to be 5 s", got)
	}
}

// took is n admitted requests whose latency is so long, and which were sent so
// late.
func took(n int, latency, late time.Duration) []history.Observation {
	all := make([]history.Observation, n)
	for i := range all {
		intended := time.Duration(i) * time.Second
		all[i] = history.Observation{Seq: uint64(i), Status: 200, Intended: intended, Sent: intended + late, Answered: intended + late + latency, Done: intended + late + latency}
	}
	return all
}

func TestLatencyObjectives(t *testing.T) {
	promise := tenPerMinute
	promise.Objectives.Latency = []limiter.LatencyObjective{{Percentile: 50, Most: 100 * time.Millisecond}, {Percentile: 99, Most: time.Second}}
	lost := history.Observation{Answered: history.Never, Done: 30 * time.Second, Error: "timeout"}
	fast := took(300, 20*time.Millisecond, 0)
	for _, c := range []struct {
		name string
		seen []history.Observation
		want Verdict
		says string
	}{
		{"fast", fast, Pass, "p50 of 300 admitted answers was 20 ms, within 100 ms; p99"},
		{"three of 300 may be slow", slices.Concat(took(297, time.Millisecond, 0), took(3, 2*time.Second, 0)), Pass, "p99"},
		{"four of 300 may not", slices.Concat(took(296, time.Millisecond, 0), took(4, 2*time.Second, 0)), Fail, "above 1 s"},
		{"our own lateness is not the server's", took(300, 20*time.Millisecond, 3*time.Second), Inconclusive, "our own lateness"},
		{"few values", took(7, 20*time.Millisecond, 0), Pass, "p99 of 7 values is their maximum, and to bound the true one takes 299"},
		{"what was never answered may have been slow", slices.Concat(fast, slices.Repeat([]history.Observation{lost}, 4)), Inconclusive, "4 requests got no answer"},
		{"three of 303 unanswered do not matter", slices.Concat(fast, slices.Repeat([]history.Observation{lost}, 3)), Pass, ""},
		{"nothing admitted", []history.Observation{lost}, Inconclusive, "no request was admitted"},
	} {
		f := judge(t, latencyObjective, caseOf(promise, slices.Clone(c.seen)), c.seen)
		if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s: got %s: %s\nwant %s: …%s…", c.name, f.Outcome, f.Message, c.want, c.says)
		}
		if f.Witness != nil && (f.Witness.Counted != 4 || f.Witness.Allowed != 3 || len(f.Witness.Requests) != 4) {
			t.Errorf("%s: got the witness %+v, want the 4 slow ones where 3 are allowed", c.name, f.Witness)
		}
	}
}

func TestRejectionsDoNotFlatterLatencies(t *testing.T) {
	l := &latencies{}
	for i, status := range []int{200, 429, 0} {
		o := took(1, time.Duration(i+1)*time.Millisecond, time.Hour)[0]
		o.Status = status
		l.Observe(&o, outcomeOf(tenPerMinute, o))
	}
	resent := history.Observation{Resent: true, Answered: history.Never, Done: time.Hour}
	l.Observe(&resent, limiter.Unknown)
	got := l.summaries()
	for outcome, want := range map[limiter.Outcome]time.Duration{limiter.Admitted: time.Millisecond, limiter.Rejected: 2 * time.Millisecond, limiter.Unknown: 3 * time.Millisecond} {
		if l := got[outcome]; l.N != 1 || l.P99 != want || l.Max != want {
			t.Errorf("%s: got %+v, want one of %s", outcome, l, want)
		}
	}
}

func TestErrorObjectives(t *testing.T) {
	promise := tenPerMinute
	promise.Objectives.Errors = new(float64)
	*promise.Objectives.Errors = 0.01
	with := func(n int, o history.Observation) []history.Observation {
		return slices.Concat(took(100-n, time.Millisecond, 0), slices.Repeat([]history.Observation{o}, n))
	}
	broken := history.Observation{Status: 500, Answered: time.Millisecond, Done: time.Millisecond}
	for _, c := range []struct {
		name string
		seen []history.Observation
		want Verdict
		says string
	}{
		{"one of a hundred", with(1, broken), Pass, "1 of 100 requests (1 %) had no useful answer: 1 × status 500"},
		{"two of a hundred", with(2, broken), Fail, "at most 1 %"},
		{"rejections are answers", with(50, history.Observation{Status: 429}), Pass, "0 of 100"},
		{"no answer", with(3, history.Observation{Answered: history.Never, Error: "timeout"}), Fail, "3 × timeout"},
		{"resends count once", with(3, history.Observation{Answered: history.Never, Resent: true}), Pass, "0 of 97"},
		{"what we gave up ourselves does not count", with(3, history.Observation{Answered: history.Never, Error: canceled}), Pass, "0 of 97"},
		{"a disguise may be anything", with(3, history.Observation{Lane: 1, Status: 404, Answered: time.Millisecond}), Pass, "0 of 97"},
		{"a disguise may not be silent", with(3, history.Observation{Lane: 1, Answered: history.Never, Error: "timeout"}), Fail, "3 of 100"},
		{"nothing sent", nil, Inconclusive, "no request was sent"},
	} {
		story := caseOf(promise, slices.Clone(c.seen))
		story.Header.Lanes[1].Trick = "another spelling of the path"
		f := judge(t, errorsObjective, story, c.seen)
		if f.Outcome != c.want || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s: got %s: %s\nwant %s: …%s…", c.name, f.Outcome, f.Message, c.want, c.says)
		}
	}
}

func TestATimelineCountsEveryRequestOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moments := rapid.SliceOfN(rapid.Int64Range(0, int64(30*time.Hour)), 1, 200).Draw(t, "moments")
		longest := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute, 30 * time.Hour}).Draw(t, "longest")
		line := newTimeline()
		for _, m := range moments {
			o := history.Observation{Sent: time.Duration(m) % longest}
			line.Observe(&o, limiter.Outcome(m%3))
		}
		got := line.summary()
		if len(got.Offered) > mostBins {
			t.Errorf("got %d bins, want at most %d", len(got.Offered), mostBins)
		}
		want := Timeline{Bin: got.Bin, Offered: make([]int, len(got.Offered)), Admitted: make([]int, len(got.Offered)), Rejected: make([]int, len(got.Offered)), Unknown: make([]int, len(got.Offered))}
		for _, m := range moments {
			i := time.Duration(m) % longest / got.Bin
			want.Offered[i]++
			[][]int{want.Unknown, want.Admitted, want.Rejected}[m%3][i]++
		}
		if !slices.Equal(got.Offered, want.Offered) || !slices.Equal(got.Admitted, want.Admitted) || !slices.Equal(got.Rejected, want.Rejected) || !slices.Equal(got.Unknown, want.Unknown) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestBinsAreRoundNumbers(t *testing.T) {
	for _, c := range []struct{ run, want time.Duration }{
		{100 * time.Millisecond, time.Millisecond},
		{time.Second, 5 * time.Millisecond},
		{75 * time.Second, 500 * time.Millisecond},
		{10 * time.Minute, 5 * time.Second},
		{24 * time.Hour, 500 * time.Second},
	} {
		line := newTimeline()
		o := history.Observation{Sent: c.run}
		line.Observe(&o, limiter.Admitted)
		if got := line.summary().Bin; got != c.want {
			t.Errorf("a run of %s: got bins of %s, want %s", c.run, got, c.want)
		}
	}
}

func TestLatenessIsTheSendersOwn(t *testing.T) {
	l := &lateness{}
	for _, o := range []history.Observation{
		{Seq: 0, Intended: 0, Sent: time.Millisecond},
		{Seq: 1, Intended: 0, Sent: 3 * time.Millisecond, Resent: true},
		{Seq: 1, Intended: 0, Sent: time.Second}, // the connection died: not our doing
	} {
		l.Observe(&o, limiter.Unknown)
	}
	want := Lateness{N: 2, P50: time.Millisecond, P99: 3 * time.Millisecond, Max: 3 * time.Millisecond}
	if got := l.summary(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func BenchmarkLatencies(b *testing.B) {
	for _, n := range []int{1e5, 1e6, 1e7} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				var l latencies
				seed := uint64(1)
				for range n {
					seed = seed*6364136223846793005 + 1442695040888963407
					o := history.Observation{Done: time.Duration(seed >> 36)}
					l.Observe(&o, limiter.Admitted)
				}
				l.summaries()
			}
		})
	}
}

func TestALargeSampleIsInParts(t *testing.T) {
	var s sample
	var want []time.Duration
	add := func(n int) {
		for i := range n {
			d := time.Duration(uint32(i) * 2654435761)
			if i%1000 == 0 {
				d += 5 * time.Second
			}
			s.add(d)
			want = append(want, d)
		}
		slices.Sort(want)
	}
	add(3 * partSize)
	before, first := s.sorted(), slices.Clone(want)
	add(partSize / 2)
	for name, part := range map[string]struct {
		got  ranks
		want []time.Duration
	}{"before": {before, first}, "after": {s.sorted(), want}} {
		for i := 0; i < len(part.want); i += 97 {
			if got := part.got.at(i); got != part.want[i] {
				t.Fatalf("%s more was added: got %d as number %d, want %d", name, got, i, part.want[i])
			}
			n, _ := slices.BinarySearch(part.want, part.want[i]+1)
			if got := part.got.over(part.want[i]); got != len(part.want)-n {
				t.Fatalf("%s more was added: got %d above number %d, want %d", name, got, i, len(part.want)-n)
			}
		}
	}
}

func TestASampleMayGrowAfterItWasAsked(t *testing.T) {
	var s sample
	for _, d := range []time.Duration{5, 3, 7 * time.Second} {
		s.add(d)
	}
	before := s.sorted()
	s.add(4)
	s.add(6 * time.Second)
	var got []time.Duration
	for after, i := s.sorted(), 0; i < after.len(); i++ {
		got = append(got, after.at(i))
	}
	want := []time.Duration{3, 4, 5, 6 * time.Second, 7 * time.Second}
	if !slices.Equal(got, want) || before.len() != 3 || before.at(1) != 5 {
		t.Errorf("got %v after %v, want %v, and the first answer as it was", got, before, want)
	}
}
