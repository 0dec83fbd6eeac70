package probe

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/limiter"
)

// anyPoint draws parameters of a family, with times around a second in whole
// nanoseconds: models know no others, and a window that is shorter by a part of
// one lies elsewhere after a few.
func anyPoint(t *rapid.T, f *Family) point {
	var at point
	for i, p := range f.parameters {
		switch p {
		case steps:
			at[i] = float64(rapid.IntRange(1, max(1, int(at[capacity])-1)).Draw(t, "step"))
		case requests, bursts:
			at[i] = float64(rapid.IntRange(1, 12).Draw(t, p.name))
		case place:
			at[i] = math.Floor(at[i-1] * rapid.Float64Range(0, 0.999).Draw(t, p.name))
		default:
			at[i] = math.Round(math.Exp(rapid.Float64Range(math.Log(4.5e8), math.Log(9e9)).Draw(t, "log "+p.name)))
		}
	}
	if len(f.parameters) > 1 && f.parameters[1] == steps && at[capacity] < 2 {
		at[capacity] = 2
	}
	return at
}

func (f *Family) world(at point, seed uint64, trip func(*rand.Rand) time.Duration) *world {
	fresh := f.model
	if f.Name == "concurrency" { // its model foretells; this is one
		fresh = func(at point) limiter.Limiter { return model("concurrency", limiter.Limit{Limit: int64(at[limit])}) }
	}
	return newWorld(seed, trip, func(began, first time.Duration) (limiter.Limiter, time.Duration) {
		return fresh(at), f.behind(at, began, first)
	})
}

// stranger is added to a key for a request that does not come to its counter:
// nothing is known of it, and nothing happened.
const stranger = 100

// The truth explains whatever it has done, and so does every box that holds it.
func TestTheTruthIsNeverRefuted(t *testing.T) {
	for _, f := range Families {
		if !playable(f) {
			continue
		}
		t.Run(f.title(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				at := anyPoint(t, f)
				w := f.world(at, rapid.Uint64().Draw(t, "seed"), trips(time.Duration(rapid.Int64Range(1e4, 2e7).Draw(t, "trip"))))
				if rapid.Bool().Draw(t, "busy") {
					w.loaded(rapid.IntRange(2, 20).Draw(t, "often"))
				}
				if f.Name == "concurrency" {
					w.serve = time.Duration(rapid.Int64Range(1e6, 1e8).Draw(t, "serve"))
				}
				if rapid.IntRange(0, 3).Draw(t, "coarse") == 0 {
					w.tick = time.Duration(rapid.Int64Range(1e6, 2e7).Draw(t, "tick"))
				}
				keys, strangers := rapid.IntRange(1, 2).Draw(t, "keys"), rapid.IntRange(0, 3).Draw(t, "strangers")
				for range rapid.IntRange(1, 40).Draw(t, "rounds") {
					n := rapid.OneOf(rapid.Just(1), rapid.IntRange(1, 14), rapid.Just(int(at[0]))).Draw(t, "n")
					gap := time.Duration(math.Exp(rapid.Float64Range(math.Log(1e5), math.Log(1e10)).Draw(t, "log gap")))
					if length := at[rapid.IntRange(1, 2).Draw(t, "which")]; length > 1e8 && rapid.Bool().Draw(t, "near") {
						gap = time.Duration(length * rapid.Float64Range(0.3, 1.1).Draw(t, "share"))
					}
					shots := make([]Shot, n)
					for i := range shots {
						shots[i] = Shot{At: w.Now() + gap, Key: rapid.IntRange(0, keys-1).Draw(t, "key")}
						if strangers > 0 && rapid.IntRange(0, 9).Draw(t, "stranger") < strangers {
							shots[i].Key += stranger
						}
					}
					w.keep(w.Ask(shots))
				}
				unknown := rapid.IntRange(0, 5).Draw(t, "unknown")
				for i := range w.trace {
					switch {
					case w.trace[i].Key >= stranger:
						w.trace[i].Key -= stranger
						w.trace[i].Outcome = limiter.Unknown
					case unknown > 0 && i > 0 && (i*7)%(6*unknown) == 0:
						w.trace[i].Outcome = limiter.Unknown
					}
				}
				facts := FactsOf(w.trace, w.tick)
				var b box
				for i, p := range f.parameters {
					b[i] = span{at[i], at[i]}
					if rapid.Bool().Draw(t, "wide") {
						low, high := rapid.Float64Range(0, 1).Draw(t, "low"), rapid.Float64Range(0, 1).Draw(t, "high")
						b[i] = span{at[i] * (1 - low), at[i] * (1 + high)}
						if p.whole {
							b[i] = span{max(1, math.Floor(b[i].lo)), math.Ceil(b[i].hi)}
						}
					}
				}
				if !f.explains(facts, &b) {
					t.Fatalf("%v is refuted by what %v did: %+v", b, at, w.trace)
				}
			})
		})
	}
}

func (w *world) keep(answers []Answer) {
	for _, a := range answers {
		a.Outcome = limiter.Admitted
		if a.Status != 200 {
			a.Outcome = limiter.Rejected
		}
		w.trace = append(w.trace, a.Seen)
	}
}
