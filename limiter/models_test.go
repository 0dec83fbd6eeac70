package limiter

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawLimit draws a limit that every model can hold. Short windows make the
// edges likely; windows that no limit divides make fractions.
func drawLimit(t *rapid.T) Limit {
	return Limit{
		Limit:          rapid.Int64Range(1, 12).Draw(t, "limit"),
		Window:         time.Duration(rapid.OneOf(rapid.Int64Range(1, 60), rapid.Just(int64(time.Second)), rapid.Just(int64(time.Minute)+7)).Draw(t, "window")),
		Burst:          rapid.Int64Range(1, 15).Draw(t, "burst"),
		RejectsConsume: rapid.Bool().Draw(t, "rejects consume"),
	}
}

// drawGap draws how long after a decision the next request comes: often at
// once, or at the very edge.
func drawGap(t *rapid.T, l Limit, last Decision) time.Duration {
	if last.Wait == Far || last.Reset == Far { // time does not help
		last.Wait, last.Reset = 0, 0
	}
	return rapid.OneOf(
		rapid.Just(time.Duration(0)),
		rapid.Just(last.Wait),
		rapid.Just(max(0, last.Wait-1)),
		rapid.Just(last.Reset),
		rapid.Map(rapid.Int64Range(0, 3*int64(l.Window)), func(n int64) time.Duration { return time.Duration(n) }),
		rapid.Map(rapid.Int64Range(0, int64(l.Window)/l.Limit), func(n int64) time.Duration { return time.Duration(n) }),
	).Draw(t, "gap")
}

// A story is a limiter after some requests.
type story struct {
	limit    Limit
	at       time.Duration // of the last request
	last     Decision
	after    Limiter
	admitted []time.Duration
}

// drawStory sends at least one request to a limiter of the model.
func drawStory(t *rapid.T, m Model, l Limit) story {
	limiter, err := m.New(l)
	if err != nil {
		t.Fatalf("%s of %+v: %v", m.Name, l, err)
	}
	s := story{limit: l, after: limiter}
	for range rapid.IntRange(1, 50).Draw(t, "requests") {
		s.at += drawGap(t, l, s.last)
		if _, holds := s.after.(Holder); holds && rapid.Bool().Draw(t, "one is done") {
			s.after = Release(s.after)
		}
		s.last, s.after = s.after.Take(s.at)
		if s.last.OK {
			s.admitted = append(s.admitted, s.at)
		}
	}
	return s
}

// everyModel checks a property of every model.
func everyModel(t *testing.T, property func(*rapid.T, Model)) {
	for _, m := range Models {
		t.Run(m.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { property(t, m) })
		})
	}
}

// atOnce counts how many are admitted at one moment, up to more than any limit
// that is drawn.
func atOnce(l Limiter, at time.Duration) (n int64) {
	for d := (Decision{OK: true}); n < 1000; n++ {
		if d, l = l.Take(at); !d.OK {
			break
		}
	}
	return n
}

func TestWaitIsExactToTheNanosecond(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		s := drawStory(t, m, drawLimit(t))
		if d, _ := s.after.Take(s.at + s.last.Wait); d.OK != (s.last.Wait < Far) {
			t.Fatalf("%+v: %v after waiting %d ns as told", s.limit, d.OK, s.last.Wait)
		}
		if s.last.Wait == 0 || s.last.Wait == Far {
			return
		}
		if d, _ := s.after.Take(s.at + s.last.Wait - 1); d.OK {
			t.Fatalf("%+v: admitted one nanosecond before the %d ns told", s.limit, s.last.Wait)
		}
	})
}

func TestARefusalMeansWaiting(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		s := drawStory(t, m, drawLimit(t))
		if !s.last.OK && (s.last.Wait == 0 || s.last.Remaining != 0) {
			t.Fatalf("%+v: refused with %+v, want a wait and nothing remaining", s.limit, s.last)
		}
	})
}

func TestRemainingIsWhatIsAdmittedAtOnce(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		s := drawStory(t, m, drawLimit(t))
		if got := atOnce(s.after, s.at); got != s.last.Remaining {
			t.Fatalf("%+v: %d more admitted at once, want %d as told", s.limit, got, s.last.Remaining)
		}
	})
}

func TestResetIsWhenTheAllowanceIsWholeAgain(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		s := drawStory(t, m, drawLimit(t))
		l := s.limit
		l.Reading = m.Reading
		if s.last.Reset == Far {
			return
		}
		if got := atOnce(s.after, s.at+s.last.Reset); got != l.Capacity() {
			t.Fatalf("%+v: %d admitted after the reset, want %d", l, got, l.Capacity())
		}
		if got := atOnce(s.after, s.at+s.last.Reset-1); got >= l.Capacity() {
			t.Fatalf("%+v: %d admitted one nanosecond before the reset, want fewer", l, got)
		}
		if got := l.FullRest(); s.last.Reset > got {
			t.Fatalf("%+v: reset after %s, want at most a full rest of %s", l, s.last.Reset, got)
		}
	})
}

func TestMomentsDoNotRunBackwards(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		s := drawStory(t, m, drawLimit(t))
		back := time.Duration(rapid.Int64Range(1, 3*int64(s.limit.Window)).Draw(t, "back"))
		early, afterEarly := s.after.Take(s.at - back)
		same, afterSame := s.after.Take(s.at)
		if early != same {
			t.Fatalf("%+v: %d ns back in time: %+v, want %+v", s.limit, back, early, same)
		}
		if a, b := atOnce(afterEarly, s.at), atOnce(afterSame, s.at); a != b {
			t.Fatalf("%+v: %d left after going back, want %d", s.limit, a, b)
		}
	})
}

// Two futures of one state must not see each other.
func TestTakeLeavesItsReceiverAsItWas(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		s := drawStory(t, m, drawLimit(t))
		future := func(steps []time.Duration) (seen []Decision) {
			at, l := s.at, s.after
			for _, step := range steps {
				var d Decision
				at += step
				d, l = l.Take(at)
				seen = append(seen, d)
			}
			return seen
		}
		steps := rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, int64(s.limit.Window)), func(n int64) time.Duration { return time.Duration(n) }), 1, 20)
		one, other := steps.Draw(t, "one"), steps.Draw(t, "other")
		before := future(one)
		future(other)
		for i, d := range future(one) {
			if d != before[i] {
				t.Fatalf("%+v: step %d is %+v after another future, want %+v", s.limit, i, d, before[i])
			}
		}
	})
}

func TestAFreshLimiterAdmitsItsCapacityAndNoMore(t *testing.T) {
	everyModel(t, func(t *rapid.T, m Model) {
		l := drawLimit(t)
		l.Reading = m.Reading
		limiter, err := m.New(l)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(rapid.Int64Range(0, int64(l.Window)*3).Draw(t, "at"))
		if got := atOnce(limiter, at); got != l.Capacity() {
			t.Fatalf("%+v: %d admitted at once, want %d", l, got, l.Capacity())
		}
	})
}
