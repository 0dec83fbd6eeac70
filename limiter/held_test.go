package limiter

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAQueueLetsOneThroughAtATime(t *testing.T) {
	queue, err := leakyQueue.New(Limit{Limit: 10, Window: s, Burst: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		at    time.Duration
		ok    bool
		delay time.Duration
	}{
		{0, true, 0}, {0, true, 100 * time.Millisecond}, {0, true, 200 * time.Millisecond}, {0, false, 0},
		{150 * time.Millisecond, true, 150 * time.Millisecond}, {150 * time.Millisecond, false, 0},
		{s, true, 0}, // everybody had his turn long ago
	} {
		var d Decision
		if d, queue = queue.Take(want.at); d.OK != want.ok || d.Delay != want.delay {
			t.Errorf("request %d: %v after %s, want %v after %s", i+1, d.OK, d.Delay, want.ok, want.delay)
		}
	}
}

// What a queue lets through, no two closer than an interval, is what a bucket
// of one would admit at those moments.
func TestWhatLeavesAQueueIsEvenlySpaced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLimit(t)
		queue, _ := leakyQueue.New(l)
		var at, last time.Duration
		var d Decision
		first := true
		for range 60 {
			at += drawGap(t, l, d)
			if d, queue = queue.Take(at); !d.OK {
				continue
			}
			turn := at + d.Delay
			if !first && turn < last+l.Interval() {
				t.Fatalf("%+v: turns at %d and %d, want %d between them", l, last, turn, l.Interval())
			}
			if most, _ := mulDiv(l.Burst-1, int64(l.Window), l.Limit); d.Delay > time.Duration(most)+1 {
				t.Fatalf("%+v: held back for %d, want at most %d", l, d.Delay, most)
			}
			first, last = false, turn
		}
	})
}

// A leaky bucket as a queue rejects what the same one as a meter rejects.
func TestAQueueAdmitsWhatABucketAdmits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLimit(t)
		queue, _ := leakyQueue.New(l)
		l.RejectsConsume = false
		bucket, _ := tokenBucket.New(l)
		var at time.Duration
		var a, b Decision
		for range 60 {
			at += drawGap(t, l, a)
			a, queue = queue.Take(at)
			b, bucket = bucket.Take(at)
			if a.Delay = 0; a != b {
				t.Fatalf("%+v at %d: %+v, want %+v", l, at, a, b)
			}
		}
	})
}

// The other way to count what is under way: in a number.
func TestConcurrencyCountsWhatIsUnderWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Limit: rapid.Int64Range(1, 6).Draw(t, "limit"), Reading: Concurrency}
		fresh, err := concurrency.New(l)
		if err != nil {
			t.Fatal(err)
		}
		places, underWay := Conjunction(fresh), int64(0)
		for range 80 {
			if rapid.Bool().Draw(t, "one is done") {
				places, underWay = Release(places), max(0, underWay-1)
				continue
			}
			var d Decision
			d, places = places.Take(0)
			if d.OK != (underWay < l.Limit) {
				t.Fatalf("%d of %d under way: %v", underWay, l.Limit, d.OK)
			}
			if d.OK {
				underWay++
			}
		}
	})
}

func TestAQueueBehindAnotherLimitHoldsBackOnlyWhatBothAdmit(t *testing.T) {
	queue, _ := leakyQueue.New(Limit{Limit: 1, Window: s, Burst: 5})
	two, _ := concurrency.New(Limit{Limit: 2})
	both := Conjunction(queue, two)
	var seen []Decision
	for range 3 {
		var d Decision
		d, both = both.Take(0)
		seen = append(seen, d)
	}
	if !seen[1].OK || seen[1].Delay != s || seen[2].OK || seen[2].Delay != 0 || seen[2].Wait != Far {
		t.Errorf("got %+v, want the second held back for 1s and the third rejected", seen)
	}
	if d, _ := Release(both).Take(0); !d.OK || d.Delay != 2*s {
		t.Errorf("after one is done: %+v, want admitted after 2s, for a rejected request takes no place in the queue", d)
	}
}
