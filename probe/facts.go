package probe

import (
	"cmp"
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// A Seen is one request as its counter saw it: decided somewhere in the closed
// interval from Sent to Answered. An unknown one may have been decided until
// it was given up, which is then Answered.
type Seen struct {
	Key            int // which identity asked, from 0
	Sent, Answered time.Duration
	Done           time.Duration // its answer has been read; 0: as Answered
	Outcome        limiter.Outcome
}

// Facts are everything that was seen, laid out for the families: moments in
// nanoseconds, sent widened by the step of the limiter's clock.
type Facts struct {
	tracks []*track // of each key that was used
	keys   []int    // which key a track is of
	began  float64  // when the first was sent, widened by the clock
	span   float64  // from there to the last answer
}

// A track is what one key saw. Sorted moments stand for the moments of
// decisions: the i-th decision is not before the i-th sending, nor after the
// i-th answer, whichever request it was about.
type track struct {
	began    float64  // when the first request of all keys was sent, widened by the clock
	seen     []moment // in order of from
	batches  []batch
	admitted moments   // surely spent
	spent    moments   // perhaps spent: admitted and unknown
	all      moments   // of any outcome
	known    moments   // admitted or rejected: surely counted where rejections are
	ended    []float64 // when the spent ones were over, sorted
	served   []float64 // when the admitted ones were, sorted
}

// A moment is one request in numbers.
type moment struct {
	sent, from, to float64 // from is sent widened by the clock
	done           float64
	outcome        limiter.Outcome
}

// A batch is requests that overlap in time, so that their order is not known.
// An unknown one may have been decided, or may never have come.
type batch struct {
	admitted, spent   moments
	rejected          moments
	firstFrom, lastTo float64 // all decisions lie between them
	lastFrom          float64 // the last decision is not before it: the latest sending whose outcome is known
	firstTo           float64 // the first decision is not after it: the earliest answer
}

// Moments are sorted starts and sorted ends; they belong together as sets only.
type moments struct{ from, to []float64 }

func (m moments) len() int { return len(m.from) }

func (m *moments) add(o moment) { m.from, m.to = append(m.from, o.from), append(m.to, o.to) }

func (m *moments) sort() { slices.Sort(m.from); slices.Sort(m.to) }

// begunBy counts what may have been decided by a moment; overBefore what was
// decided before it for certain.
func (m moments) begunBy(at float64) int { return above(m.from, at) }

func (m moments) overBefore(at float64) int {
	n, _ := slices.BinarySearch(m.to, at)
	return n
}

// above returns how many of some sorted values are not above a bound.
func above(sorted []float64, bound float64) int {
	low, high := 0, len(sorted)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if sorted[mid] <= bound {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// FactsOf lays out what was seen, by a limiter whose clock has a step.
func FactsOf(all []Seen, clock time.Duration) *Facts {
	byKey := map[int]*track{}
	f := &Facts{}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Seen) int { return cmp.Compare(a.Sent, b.Sent) })
	for _, s := range sorted {
		t := byKey[s.Key]
		if t == nil {
			t = &track{began: float64(sorted[0].Sent - clock)}
			byKey[s.Key] = t
			f.tracks, f.keys = append(f.tracks, t), append(f.keys, s.Key)
		}
		t.seen = append(t.seen, moment{sent: float64(s.Sent), from: float64(s.Sent - clock), to: float64(s.Answered), done: float64(max(s.Done, s.Answered)), outcome: s.Outcome})
		f.began = float64(sorted[0].Sent - clock)
		f.span = max(f.span, float64(s.Answered-sorted[0].Sent))
	}
	for _, t := range f.tracks {
		t.layOut()
	}
	return f
}

func (t *track) layOut() {
	for i := 0; i < len(t.seen); {
		var b batch
		end := t.seen[i].to
		b.firstFrom, b.lastFrom, b.firstTo = t.seen[i].from, t.seen[i].from, math.Inf(1)
		for ; i < len(t.seen) && (t.seen[i].sent <= end || b.all() == 0); i++ {
			o := t.seen[i]
			end = max(end, o.to)
			t.all.add(o)
			if o.outcome != limiter.Unknown {
				t.known.add(o)
				b.firstTo, b.lastFrom = min(b.firstTo, o.to), o.from
			}
			if o.outcome == limiter.Rejected {
				b.rejected.add(o)
				continue
			}
			b.spent.add(o)
			t.spent.add(o)
			t.ended = append(t.ended, o.done)
			if o.outcome == limiter.Admitted {
				t.served = append(t.served, o.done)
				b.admitted.add(o)
				t.admitted.add(o)
			}
		}
		b.lastTo = end
		b.firstTo = min(b.firstTo, end)
		b.admitted.sort()
		b.spent.sort()
		b.rejected.sort()
		t.batches = append(t.batches, b)
	}
	t.admitted.sort()
	t.spent.sort()
	t.all.sort()
	t.known.sort()
	slices.Sort(t.ended)
	slices.Sort(t.served)
}

// doubtful reports whether some of a batch may have counted, or not.
func (b *batch) doubtful() bool { return b.spent.len() > b.admitted.len() }

// idle reports whether it may be that nothing of a batch counted.
func (b *batch) idle() bool { return b.admitted.len() == 0 && b.rejected.len() == 0 }

func (b *batch) all() int { return b.spent.len() + b.rejected.len() }

// count returns how many had an outcome, over all keys.
func (f *Facts) count(o limiter.Outcome) int {
	n := 0
	for _, t := range f.tracks {
		for _, m := range t.seen {
			if m.outcome == o {
				n++
			}
		}
	}
	return n
}
