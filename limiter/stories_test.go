package limiter

import (
	"math"
	"strings"
	"testing"
	"time"
)

// A beat is a request at a moment and whether it is admitted.
type beat struct {
	at time.Duration
	ok bool
}

func play(t *testing.T, l Limiter, beats []beat) {
	t.Helper()
	for i, b := range beats {
		var d Decision
		if d, l = l.Take(b.at); d.OK != b.ok {
			t.Errorf("request %d at %s: %v, want %v", i+1, b.at, d.OK, b.ok)
		}
	}
}

const s = time.Second

func TestEachModelInAStory(t *testing.T) {
	three := Limit{Limit: 3, Window: 10 * s, Burst: 4}
	consuming := three
	consuming.RejectsConsume = true
	for _, story := range []struct {
		name  string
		model Model
		limit Limit
		beats []beat
	}{
		{"a bucket gives a token back every window/limit", tokenBucket, three, []beat{
			{0, true}, {0, true}, {0, true}, {0, true}, {0, false},
			{3333333333, false}, {3333333334, true}, {3333333334, false},
			{6666666666, false}, {6666666667, true}, {10 * s, true}, {10 * s, false}}},
		{"a rejected request takes the part of a token", tokenBucket, consuming, []beat{
			{0, true}, {0, true}, {0, true}, {0, true},
			{3 * s, false}, {6 * s, false}, {9 * s, false}, {12333333334, true}}},
		{"a stepped bucket gives nothing before the step", steppedBucket, three, []beat{
			{8 * s, true}, {8 * s, true}, {8 * s, true}, {8 * s, true}, {9999999999, false},
			{10 * s, true}, {10 * s, true}, {10 * s, true}, {10 * s, false}}},
		{"a fixed window opens at multiples of itself", fixedWindow, three, []beat{
			{9 * s, true}, {9 * s, true}, {9 * s, true}, {9 * s, false},
			{10 * s, true}, {10 * s, true}, {10 * s, true}, {19 * s, false}, {20 * s, true}}},
		{"an anchored window opens at its first request", anchoredWindow, three, []beat{
			{9 * s, true}, {9 * s, true}, {9 * s, true}, {10 * s, false}, {18999999999, false},
			{19 * s, true}, {19 * s, true}, {19 * s, true}, {28 * s, false}, {29 * s, true}}},
		{"a log gives back each request a window after it came", slidingLog, three, []beat{
			{0, true}, {4 * s, true}, {8 * s, true}, {9999999999, false},
			{10 * s, true}, {10 * s, false}, {14 * s, true}, {18 * s, true}, {18 * s, false}}},
		{"a log that notes rejected requests can be kept shut", slidingLog, consuming, []beat{
			{0, true}, {0, true}, {0, true}, {5 * s, false}, {5 * s, false}, {5 * s, false},
			{14 * s, false}, {15 * s, true}, {15 * s, true}, {15 * s, false}}},
		{"a sliding counter weighs the previous window", slidingCounter, three, []beat{
			{0, true}, {0, true}, {0, true}, {9 * s, false}, {10 * s, false},
			{13333333333, false}, {13333333334, true}, {13333333334, false}, {16666666667, true}, {20 * s, true}}},
		{"a sliding counter weighs rejected requests too", slidingCounter, consuming, []beat{
			{0, true}, {0, true}, {0, true}, {0, false}, {0, false}, {0, false},
			{16666666667, true}, {17 * s, false}, {19 * s, false}}},
	} {
		t.Run(story.name, func(t *testing.T) {
			l, err := story.model.New(story.limit)
			if err != nil {
				t.Fatal(err)
			}
			play(t, l, story.beats)
		})
	}
}

// The k-th token after a burst comes at ⌈k·window/limit⌉, however many steps it
// took and however large the numbers are.
func TestABucketDoesNotDrift(t *testing.T) {
	l := Limit{Limit: 999983, Window: 30 * 24 * time.Hour, Burst: 5}
	b, err := tokenBucket.New(l)
	if err != nil {
		t.Fatal(err)
	}
	for range l.Burst {
		_, b = b.Take(0)
	}
	for k := int64(1); k <= 100_000; k++ {
		at := time.Duration(mulDivUp(k, int64(l.Window), l.Limit))
		early, _ := b.Take(at - 1)
		var d Decision
		d, b = b.Take(at)
		if early.OK || !d.OK {
			t.Fatalf("token %d at %s: %v one nanosecond before, %v then; want false, true", k, at, early.OK, d.OK)
		}
	}
}

func TestDaysOfMillionsFit(t *testing.T) {
	l := Limit{Limit: 7_000_003, Window: 30 * 24 * time.Hour, Burst: 90_000_000}
	for _, m := range Models {
		limiter, err := m.New(l)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		l.Reading = m.Reading
		for _, at := range []time.Duration{0, 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
			var d Decision
			if d, limiter = limiter.Take(at); !d.OK || d.Wait != 0 || d.Remaining >= l.Capacity() || d.Remaining < l.Capacity()-3 {
				t.Errorf("%s at %s: %+v, want nearly all of %d", m.Name, at, d, l.Capacity())
			}
		}
	}
	l.Reading = TokenBucket
	if got, want := l.FullRest()/(24*time.Hour), time.Duration(385); got != want {
		t.Errorf("a full rest is %d days, want %d", got, want)
	}
}

func TestMomentsAtTheEndOfTime(t *testing.T) {
	l := Limit{Limit: 2, Window: Far, Burst: 2}
	for _, m := range Models {
		limiter, err := m.New(l)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			var d Decision
			if d, limiter = limiter.Take(math.MaxInt64); d.Wait < 0 || d.Reset < 0 || d.Remaining < 0 {
				t.Errorf("%s: %+v, want nothing below 0", m.Name, d)
			}
		}
	}
}

func TestALimitThatAModelCannotHoldIsRefused(t *testing.T) {
	for _, m := range Models {
		windowed := m.Reading != Concurrency
		if _, err := m.New(Limit{Limit: 0, Window: -s, Burst: 1}); err == nil || !strings.Contains(err.Error(), "limit must") || strings.Contains(err.Error(), "window must") != windowed {
			t.Errorf("%s: error %v, want both mistakes", m.Name, err)
		}
		_, err := m.New(Limit{Limit: 1, Window: s})
		bucket := m.Reading == TokenBucket || m.Reading == SteppedBucket || m.Reading == LeakyQueue
		if bucket != (err != nil) {
			t.Errorf("%s without a burst: error %v; want one for buckets alone", m.Name, err)
		}
	}
	if _, err := tokenBucket.New(Limit{Limit: 1, Window: 24 * time.Hour, Burst: 1_000_000}); err == nil || !strings.Contains(err.Error(), "fill") {
		t.Errorf("a bucket that fills in 2700 years: error %v, want one about filling", err)
	}
}

func TestAModelIsFoundByNameAndByReading(t *testing.T) {
	for _, m := range Models {
		if got, err := ModelNamed(m.Name); err != nil || got.Name != m.Name {
			t.Errorf("%s: %v, %v", m.Name, got.Name, err)
		}
	}
	if _, err := ModelNamed("leaky"); err == nil || !strings.Contains(err.Error(), `"leaky"`) || !strings.Contains(err.Error(), "sliding-counter") {
		t.Errorf("error %v, want the wrong name and the right ones", err)
	}
	for want, l := range map[string]Limit{
		"token-bucket":   {Reading: TokenBucket},
		"stepped-bucket": {Reading: SteppedBucket},
		"fixed-window":   {Reading: Open},
		"sliding-log":    {Reading: SlidingLog},
	} {
		if got := ModelOf(l).Name; got != want {
			t.Errorf("model of %q is %s, want %s", l.Reading, got, want)
		}
	}
	if got := ModelOf(Limit{Reading: Open, Burst: 3}).Name; got != "token-bucket" {
		t.Errorf("model of an open limit with a burst is %s, want token-bucket", got)
	}
}
