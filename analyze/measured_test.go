package analyze

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// Whatever the network does, what is measured holds the truth: the algorithm,
// its limit and window, who shares the counter, and what a rejection costs.
func TestWhatIsMeasuredHoldsTheTruth(t *testing.T) {
	named, scoped, costed := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s, promise := drawStage(t)
		promise.Limits[0].Reading = s.model.Reading // an open one has no numbers to be found
		all := s.play(drawMoments(t, s.limit), 80)
		c := caseOf(promise, slices.Clone(all))
		c = c.first(rapid.IntRange(1, len(c.Rows)).Draw(t, "first"))
		truth := limiter.ScopeIP
		if s.key(0) == s.key(1) {
			truth = limiter.ScopeGlobal
		}
		if m := c.measuredScope(); m != unknownScope {
			scoped++
			if (m == string(limiter.ScopeGlobal)) != (truth == limiter.ScopeGlobal) && m != string(promise.Limits[0].Scope) {
				t.Fatalf("got scope %s, want %s", m, truth)
			}
		}
		if m := c.rejectsConsume(); m != nil {
			costed++
			if *m != s.limit.RejectsConsume && s.limit.Reading != limiter.FixedWindow && s.limit.Reading != limiter.SteppedBucket {
				t.Fatalf("got that rejections consume: %v, want %v", *m, s.limit.RejectsConsume)
			}
		}
		r := c.readings()
		if r == nil {
			return
		}
		named++
		if !slices.Contains(r.explain, s.model.Name) {
			t.Fatalf("got %v, want %s among them: %+v", r.explain, s.model.Name, c.Rows)
		}
		if s.model.Reading == limiter.TokenBucket {
			return
		}
		a := r.windows[s.model.Name]
		if !slices.Contains(a.limits, int(s.limit.Capacity())) {
			t.Fatalf("got the limits %v, want %d among them", a.limits, s.limit.Capacity())
		}
		for _, f := range families {
			if n := holdingOf(s.limit); f.name == s.model.Name && !f.fitAll(c.restedTraffic(s.limit), n).holds(float64(s.limit.Window), 0) {
				t.Fatalf("got %+v, want a window of %s inside", f.fitAll(c.restedTraffic(s.limit), n), s.limit.Window)
			}
		}
	})
	if named == 0 || scoped == 0 || costed == 0 {
		t.Errorf("got %d families, %d scopes and %d costs, want some of each", named, scoped, costed)
	}
	t.Log(named, scoped, costed)
}
