package limiter

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawMembers draws some limiters of any models.
func drawMembers(t *rapid.T) (limits []Limit, members []Limiter) {
	for range rapid.IntRange(1, 4).Draw(t, "members") {
		l := drawLimit(t)
		model := rapid.SampledFrom(Models).Draw(t, "model")
		if model.Reading == LeakyQueue || model.Reading == Concurrency {
			l.RejectsConsume = false // what has no place takes none
		}
		m, err := model.New(l)
		if err != nil {
			t.Fatal(err)
		}
		limits, members = append(limits, l), append(members, m)
	}
	return limits, members
}

func TestAConjunctionAdmitsWhatAllAdmit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits, members := drawMembers(t)
		var at time.Duration
		var d Decision
		for range 40 {
			at += drawGap(t, limits[0], d)
			want := true
			for _, m := range members {
				one, _ := m.Take(at)
				want = want && one.OK
			}
			var after []Limiter
			var tightest int
			d, tightest, after = TakeAll(at, members)
			if d.OK != want {
				t.Fatalf("at %d: %v, want %v", at, d.OK, want)
			}
			if one, _ := members[tightest].Take(at); !want && one.OK && !limits[tightest].RejectsConsume {
				t.Fatalf("at %d: limiter %d is called the tightest, but admits", at, tightest)
			}
			for i, m := range members {
				one, spent := m.Take(at)
				kept := !want && one.OK && !limits[i].RejectsConsume
				if kept {
					spent = m
				}
				if got, want := atOnce(after[i], at), atOnce(spent, at); got != want {
					t.Fatalf("at %d: limiter %d has %d left, want %d", at, i, got, want)
				}
			}
			members = after
		}
	})
}

func TestAConjunctionIsALimiterLikeAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits, members := drawMembers(t)
		c := Conjunction(members...)
		var at time.Duration
		var d Decision
		for range rapid.IntRange(1, 30).Draw(t, "requests") {
			at += drawGap(t, limits[0], d)
			d, c = c.Take(at)
		}
		if got := atOnce(c, at); got != d.Remaining {
			t.Fatalf("%d more admitted at once, want %d", got, d.Remaining)
		}
		if then, _ := c.Take(at + d.Wait); then.OK != (d.Wait < Far) {
			t.Fatalf("after waiting %d as told: %v", d.Wait, then.OK)
		}
		if 0 < d.Wait && d.Wait < Far {
			if then, _ := c.Take(at + d.Wait - 1); then.OK {
				t.Fatalf("admitted one nanosecond before the %d told", d.Wait)
			}
		}
		again, _ := c.Take(at)
		if early, _ := c.Take(at - 1); early != again {
			t.Fatalf("back in time: %+v, want %+v", early, again)
		}
		if d.Reset == Far {
			return
		}
		whole, fresh := atOnce(c, at+d.Reset), atOnce(Conjunction(members...), at+d.Reset)
		if whole != fresh {
			t.Fatalf("%d admitted after the reset, want %d", whole, fresh)
		}
	})
}

func TestAConjunctionOfNoneAdmitsEverything(t *testing.T) {
	if d, _ := Conjunction().Take(0); !d.OK || d.Remaining < 1<<62 {
		t.Errorf("%+v, want admitted", d)
	}
}
