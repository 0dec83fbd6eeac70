package report

import (
	"slices"
	"testing"
	"time"

	"duckload/analyze"
	"duckload/history"
	"duckload/limiter"
)

func TestTheAllowanceOfABucketFallsAndComesBack(t *testing.T) {
	l := limiter.Limit{Limit: 60, Window: time.Minute, Burst: 3, Reading: limiter.TokenBucket}
	got, flat := allowance(l, analyze.Timeline{Bin: time.Second, Admitted: []int{0, 4, 0, 0, 2, 0}})
	if want := []float64{4, 4, 1, 2, 3, 2}; !slices.Equal(got, want) || flat {
		t.Errorf("got %v (flat %v), want %v", got, flat, want)
	}
}

func TestTheAllowanceOfASlidingLogIsWhatTheWindowLeaves(t *testing.T) {
	l := limiter.Limit{Limit: 5, Window: 3 * time.Second, Reading: limiter.SlidingLog}
	got, _ := allowance(l, analyze.Timeline{Bin: time.Second, Admitted: []int{2, 3, 0, 1, 0, 0}})
	if want := []float64{5, 3, 0, 2, 4, 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOtherReadingsShowTheLimitPerWindow(t *testing.T) {
	l := limiter.Limit{Limit: 5, Window: 3 * time.Second, Reading: limiter.Open}
	got, flat := allowance(l, analyze.Timeline{Bin: time.Second, Admitted: []int{2, 9}})
	if want := []float64{5, 5}; !slices.Equal(got, want) || !flat {
		t.Errorf("got %v (flat %v), want %v", got, flat, want)
	}
}

// A limit is documented for a key: beside the requests of two it would hide what
// one of them was given too much, or accuse a server that counts each by itself.
func TestThePictureShowsOneKey(t *testing.T) {
	l := limiter.Limit{Limit: 60, Window: time.Minute, Burst: 10, Reading: limiter.TokenBucket}
	both := analyze.Timeline{Bin: time.Second, Offered: []int{20}, Admitted: []int{18}, Rejected: []int{2}, Unknown: []int{0}}
	one := analyze.Timeline{Bin: time.Second, Offered: []int{12}, Admitted: []int{10}, Rejected: []int{2}, Unknown: []int{0}}
	g := analyze.Group{
		Promise: limiter.Promise{Limits: []limiter.Limit{l}}, Lanes: []string{"a", "b"}, Timeline: both,
		Drawn:    analyze.Key{Lanes: []string{"b", "c"}, Timeline: one},
		Findings: []analyze.Finding{{Check: "limit.ceiling", Outcome: analyze.Fail, Witness: &analyze.Witness{To: history.Never}}},
	}
	v := timelineOf(g)
	if !slices.Equal(v.Admitted, one.Admitted) || v.Whose != "b and 1 more" {
		t.Errorf("got %v of %q, want %v of b and 1 more", v.Admitted, v.Whose, one.Admitted)
	}
	if !v.Proof || v.To != time.Second {
		t.Errorf("got a proof %v until %s, want one until the end of the picture", v.Proof, v.To)
	}
	g.Drawn = analyze.Key{Lanes: g.Lanes, Timeline: one}
	if v := timelineOf(g); v.Whose != "" || !slices.Equal(v.Admitted, both.Admitted) {
		t.Errorf("got %v of %q, want %v of everybody", v.Admitted, v.Whose, both.Admitted)
	}
}

// Before a run against a key that was used there is a long rest.
func TestALongSilenceAtTheBeginningIsLeftOut(t *testing.T) {
	counts := make([]int, 100)
	counts[80] = 3
	g := analyze.Group{Timeline: analyze.Timeline{Bin: time.Second, Offered: counts, Admitted: counts, Rejected: make([]int, 100), Unknown: make([]int, 100)}}
	if v := timelineOf(g); v.Begin != 80*time.Second {
		t.Errorf("got a picture from %s on, want 80 s", v.Begin)
	}
	counts[80], counts[19] = 0, 3
	if v := timelineOf(g); v.Begin != 0 {
		t.Errorf("got a picture from %s on, want all of it", v.Begin)
	}
	if ticks := timeTicks(79*time.Second, 100*time.Second, 8); len(ticks) != 5 || ticks[0].Value != 80 {
		t.Errorf("got %v, want a tick each 5 s from 80 s to 100 s", ticks)
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for _, d := range []time.Duration{time.Microsecond, 20 * time.Millisecond, 3 * time.Second, 74 * time.Second, 26 * time.Hour, 90 * 24 * time.Hour} {
		ticks := timeTicks(0, d, 8)
		if len(ticks) < 1 || len(ticks) > 10 || ticks[0].Label != "0 s" {
			t.Errorf("%s: got %v", d, ticks)
		}
	}
	if ticks := countTicks(-1.05*root(5), 1.08*root(2)); len(ticks) != 6 {
		t.Errorf("got %v, want 0, 2 and 1 upwards, 5, 2 and 1 downwards", ticks)
	}
	if ticks := countTicks(-3, root(2000)); len(ticks) < 4 || len(ticks) > 12 {
		t.Errorf("got %v", ticks)
	}
}
