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
	named, scoped := 0, 0
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
	if named == 0 || scoped == 0 {
		t.Errorf("got %d families and %d scopes, want some of each", named, scoped)
	}
}

// An admission right after a rejection shows that rejections are free. That
// those who wait anew are the dearer kind is the story rejects_consume.
func TestWhatARejectionCostsIsSeen(t *testing.T) {
	for _, c := range []struct {
		name, story string
		want        *bool
	}{
		{"free", burst + `
			a 5.9s 5.902s 429
			a 6.05s 6.052s 200`, new(bool)},
		{"nobody came back", burst + `
			a 5.9s 5.902s 429`, nil},
	} {
		got := caseOf(tenPerMinute, story(t, c.story)).rejectsConsume()
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
