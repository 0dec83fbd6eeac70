package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// loaded makes a world's machine a busy one: requests are sent late, decided
// late and answered late, some of them by seconds, and the server stands still
// now and then.
func (w *world) loaded(often int) {
	slow := func(mean time.Duration) func(*rand.Rand) time.Duration {
		return func(r *rand.Rand) time.Duration {
			d := time.Duration(float64(mean) * r.ExpFloat64())
			if r.IntN(often) == 0 {
				d += time.Duration(r.ExpFloat64() * float64(400*time.Millisecond))
			}
			return d
		}
	}
	w.late, w.trip = slow(time.Millisecond), slow(10*time.Millisecond)
	w.pause = func(r *rand.Rand) time.Duration {
		if r.IntN(often) > 0 {
			return 0
		}
		return time.Duration(r.Float64() * float64(time.Second))
	}
}

// identifyLoaded runs a loop on a busy machine. Addresses have counters of their
// own, or not; nothing else has.
func (f *Family) identifyLoaded(seed uint64, budget int, say func(string)) identified {
	rng := rand.New(rand.NewPCG(seed, 5))
	at := realistic(rng, f)
	for i, p := range f.parameters {
		switch {
		case p == tokens:
			at[i] = min(at[i], 5e8)
		case p.whole:
			at[i] = min(at[i], 20)
		case p != place && p != banTime:
			at[i] = min(at[i], 5e9)
		case p == place:
			at[i] = min(at[i], at[i-1]*0.9)
		}
	}
	const addresses = 12
	ways := []Way{{Name: WayAddress, Fresh: true}, {Name: WayConnection, Lanes: []int{addresses + 1}}, {Name: WayMethod, Lanes: []int{addresses + 2}}, {Name: WayPath, Lanes: []int{addresses + 3}}}
	for lane := range addresses {
		ways[0].Lanes = append(ways[0].Lanes, 1+lane)
	}
	w := f.world(at, seed, nil)
	w.loaded(2 + rng.IntN(20))
	global := rng.IntN(3) == 0
	w.same = func(key int) int {
		if global || key > addresses {
			return 0
		}
		return key
	}
	w.serve = served(rng, f)
	r := Identify(w, Options{Budget: budget, MaxTime: 45 * time.Second, Seed: seed, Say: say, Ways: ways})
	x := f.judged(r, at)
	x.words = fmt.Sprintf("%s %v, global %v: %v %v after %d requests, %s %s", f.title(), at[:len(f.parameters)], global, r.names(), r.Scopes, r.Requests, r.Took, r.Over)
	for _, s := range r.Scopes {
		if s.Counted == Apart && (global || s.Way != WayAddress) || s.Counted == Shared && !global && s.Way == WayAddress {
			x.verdict = "scope"
		}
	}
	return x
}

// However late everything is, the truth stays among the answers, and nothing
// wrong is said about who shares a counter. RUNS=16 makes so many runs of every
// family, SEED as above; without, a few families are tried with few requests.
func TestTheTruthIsAmongTheAnswersOnABusyMachine(t *testing.T) {
	runs, first, budget := number("RUNS", 0), number("SEED", 0), 500
	few := runs == 0
	if few {
		runs, budget = 1, 120
	}
	for _, f := range Families {
		if !playable(f) || few && !slices.Contains([]string{"token-bucket", "anchored-window", "sliding-log", "stepped-bucket"}, f.Name) {
			continue
		}
		t.Run(f.title(), func(t *testing.T) {
			t.Parallel()
			tally := map[string]int{}
			for seed := range runs {
				var steps []string
				x := f.identifyLoaded(uint64(first+seed), budget, func(line string) { steps = append(steps, line) })
				tally[x.verdict]++
				switch x.verdict {
				case "right", "open", "unlimited":
				default:
					t.Errorf("%s, seed %d: %s\n%s", x.verdict, first+seed, x.words, strings.Join(steps, "\n"))
				}
			}
			t.Log(tally)
		})
	}
}

// Another connection is admitted, far off, because as much came back meanwhile:
// that proves nothing, and the truth stays among the answers.
func TestWhatCameBackMeanwhileIsNotACounterOfItsOwn(t *testing.T) {
	buckets := Families[0]
	for seed := range uint64(8) {
		at := point{10, 2e8}
		w := buckets.world(at, seed, func(r *rand.Rand) time.Duration {
			return 20*time.Millisecond + time.Duration(r.ExpFloat64()*float64(90*time.Millisecond))
		})
		w.same = func(int) int { return 0 }
		r := Identify(w, Options{Budget: 90, MaxTime: 15 * time.Second, Seed: seed, Ways: []Way{
			{Name: WayAddress, Fresh: true, Lanes: []int{1, 2, 3, 4}}, {Name: WayConnection, Lanes: []int{5}}, {Name: WayMethod, Lanes: []int{6}},
		}})
		if v := buckets.judged(r, at).verdict; v != "right" && v != "open" {
			t.Errorf("seed %d: %s: %v, %v", seed, v, r.names(), r.Scopes)
		}
		for _, s := range r.Scopes {
			if s.Counted == Apart {
				t.Errorf("seed %d: %s is said to be apart", seed, s.Way)
			}
		}
	}
}
