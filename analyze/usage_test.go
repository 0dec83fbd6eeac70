package analyze

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/history"
	"duckload/limiter"
)

func TestALongRunIsSearchedByItsBeginning(t *testing.T) {
	c := crowd(t, 5*beginning)
	c.Promise.Limits[0].Granularity = time.Microsecond // or nearly every rejection may have met another request
	l := c.Promise.Limits[0]
	p := planeOf(c, l)
	by := p.search(perNano(l), true)
	all := planeOf(c, l).searchIn(perNano(l), Interval{0, math.Inf(1)}, fineness, true)
	if !slices.Equal(by.whole, []int64{l.Burst}) || !slices.Equal(all.whole, by.whole) {
		t.Errorf("got bursts %v, and %v looking at everything; want %d", by.whole, all.whole, l.Burst)
	}
	for _, r := range []region{by, all} {
		if r.rates.Low > perNano(l) || r.rates.High < perNano(l) || r.rates.High-r.rates.Low > 0.003*perNano(l) {
			t.Errorf("got rates %.6g to %.6g of the true one, want it inside and little else", r.rates.Low/perNano(l), r.rates.High/perNano(l))
		}
	}
	if len(p.seen)+len(p.bounds) > 16 {
		t.Errorf("got %d looks at all requests, want few", len(p.seen)+len(p.bounds))
	}
}

// drawTangle draws requests of one key on a grid of moments, with any outcome.
func drawTangle(t *rapid.T, most int) []Row {
	n := rapid.IntRange(1, most).Draw(t, "n")
	rows := make([]Row, n)
	for i := range rows {
		r := &rows[i]
		r.Sent = time.Duration(rapid.IntRange(0, 12).Draw(t, "sent"))
		r.Answered = r.Sent + time.Duration(rapid.IntRange(0, 6).Draw(t, "took"))
		r.Outcome = limiter.Outcome(rapid.IntRange(0, 2).Draw(t, "outcome"))
		if r.Outcome == limiter.Unknown && rapid.Bool().Draw(t, "unanswered") {
			r.Answered = history.Never
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Sent, b.Sent) })
	for i := range rows {
		rows[i].Ordinal = uint32(i)
	}
	return rows
}

func spendsRow(r *Row) bool   { return r.Outcome != limiter.Rejected }
func rejectedRow(r *Row) bool { return r.Outcome == limiter.Rejected }

// What one walk finds is what the definition says: M(u, d) − r·(d − u), for
// every moment d of a rejection and every u before it.
func TestTheWalkFollowsTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strand{rows: drawTangle(t, 20), lag: time.Duration(rapid.IntRange(0, 3).Draw(t, "lag"))}
		rate := rapid.SampledFrom([]float64{0, 0.1, 0.5, 1, 3}).Draw(t, "rate")
		told := 0
		for place, most := range (usage{rate: rate, fresh: true, margin: slack}).of(s, spendsRow, rejectedRow) {
			told++
			asked := s.row(place)
			want := math.Inf(-1)
			for d := s.from(asked); d <= asked.Answered; d++ {
				for u := time.Duration(-5); u <= d; u++ {
					m := 0.0
					for _, r := range s.rows {
						if spendsRow(&r) && s.from(&r) <= d && r.Answered >= u {
							m++
						}
					}
					want = max(want, m-rate*float64(d-u))
				}
			}
			if most < want || most > want+2*slack {
				t.Fatalf("rate %g, row %d: got %g, want %g\n%v", rate, place, most, want, s.rows)
			}
		}
		rejections := 0
		for i := range s.rows {
			if rejectedRow(&s.rows[i]) {
				rejections++
			}
		}
		if told != rejections {
			t.Fatalf("got %d answers, want one for each of %d rejections", told, rejections)
		}
	})
}

// The least burst is what the definition says: N(a, b) − r·(b − a), whether or
// not requests overtake each other.
func TestTheLeastBurstFollowsTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strand{rows: drawTangle(t, 90), lag: time.Duration(rapid.IntRange(0, 3).Draw(t, "lag"))}
		rate := rapid.SampledFrom([]float64{0, 0.1, 0.5, 1, 3}).Draw(t, "rate")
		want := 0.0
		for _, first := range s.rows {
			for _, last := range s.rows {
				a, b := s.from(&first), last.Answered
				if b == history.Never {
					continue
				}
				if n := len(s.within(a, b, func(r *Row) bool { return isAdmitted(*r) })); n > 0 {
					want = max(want, float64(n)-rate*float64(b-a))
				}
			}
		}
		for name, least := range map[string]func(float64, float64) (float64, excess){
			"one by one": s.leastInAnyOrder, "at once": s.leastAtOnce,
		} {
			got, x := least(rate, math.Inf(1))
			if exact := name == "one by one" || s.inOrder(); got > want+slack || exact && got < want-slack {
				t.Fatalf("%s, rate %g: got %g, want %g", name, rate, got, want)
			}
			if n := float64(len(s.within(x.from, x.to, func(r *Row) bool { return isAdmitted(*r) }))) - rate*float64(x.to-x.from); got > 0 && n < got-slack {
				t.Fatalf("%s, rate %g: the stretch %v to %v needs %g, want %g", name, rate, x.from, x.to, n, got)
			}
		}
	})
}

// The starts say the same whether few requests were overtaken, many, or first
// few and then many.
func TestStartsAreTheSameInATree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strand{rows: drawTangle(t, 90), lag: time.Duration(rapid.IntRange(0, 3).Draw(t, "lag"))}
		rate := rapid.SampledFrom([]float64{0, 0.1, 0.5, 1, 3}).Draw(t, "rate")
		few, turning, tree := newStarts(s, rate), newStarts(s, rate), newStartTree(s, rate)
		few.room, turning.room = len(s.rows), rapid.IntRange(0, 5).Draw(t, "room")
		var open underway
		s.ends(&open, func() {
			m := open.pop()
			few.mark(m.id)
			turning.mark(m.id)
			tree.mark(m.id)
			for name, got := range map[string]*starts{"few": few, "turning": turning} {
				if math.Abs(got.max()-tree.max()) > slack {
					t.Fatalf("%s: got %g, want %g", name, got.max(), tree.max())
				}
				n := rate * float64(s.from(s.row(got.where())))
				for i := got.where(); i < s.len(); i++ {
					if tree.marked[i/64]&(1<<(i%64)) != 0 {
						n++
					}
				}
				if math.Abs(n-got.max()) > slack {
					t.Fatalf("%s: place %d has %g, want %g", name, got.where(), n, got.max())
				}
			}
		}, func() bool { return false })
		if few.tree != nil {
			t.Fatal("a tree has grown where there was room")
		}
	})
}

func admittedRow(r *Row) bool { return isAdmitted(*r) }
