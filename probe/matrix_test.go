package probe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// realistic draws parameters as people choose them, and some odd ones.
func realistic(rng *rand.Rand, f *Family) point {
	var at point
	times := []float64{1, 2, 3, 5, 10, 15, 30, 60}
	for i, p := range f.parameters {
		switch p {
		case steps:
			at[i] = 1 + float64(rng.IntN(max(1, int(at[capacity])-1)))
		case requests, bursts:
			at[i] = math.Floor(math.Exp(rng.Float64() * math.Log(60)))
		case place:
			at[i] = at[i-1] * rng.Float64()
		case tokens:
			at[i] = 1e9 * math.Exp(math.Log(0.1)+rng.Float64()*math.Log(100))
		default:
			at[i] = 1e9 * times[rng.IntN(len(times))]
			if rng.IntN(3) == 0 {
				at[i] *= 0.9 + rng.Float64()*0.2
			}
		}
	}
	switch f.Name {
	case "stepped-bucket":
		at[capacity] = max(2, at[capacity])
		at[step] = min(at[step], at[capacity]-1)
	case "block":
		at[ban] = at[window] * []float64{1, 1, 2, 3}[rng.IntN(4)]
	}
	return at
}

func TestMatrix(t *testing.T) {
	runs := 3
	if n, err := strconv.Atoi(os.Getenv("RUNS")); err == nil {
		runs = n
	}
	only := os.Getenv("ONLY")
	for _, f := range Families {
		if strings.Contains(f.Variant, "estimate <") || f.Name == "concurrency" {
			continue // it has no model here
		}
		if only != "" && f.title() != only {
			continue
		}
		tally := map[string]int{}
		reqs, secs := 0, 0.0
		began := time.Now()
		for i := range runs {
			rng := rand.New(rand.NewPCG(uint64(i), 99))
			at := realistic(rng, f)
			w := f.world(at, uint64(i), trips(time.Duration(math.Exp(rng.Float64()*math.Log(20))*5e5)))
			r := Identify(w, Options{Budget: 2000, MaxTime: 5 * time.Minute, Seed: uint64(i)})
			verdict := "lost"
			names := ""
			for _, a := range r.Answers {
				names += a.Family + " " + fmt.Sprint(a.RejectsConsume) + ";"
				if a.Family == f.Name && a.RejectsConsume == f.RejectsConsume {
					verdict = "open"
				}
			}
			if verdict == "open" && len(r.Answers) == 1 {
				verdict = "right"
			}
			if !r.Limited {
				verdict = "unlimited"
			}
			tally[verdict]++
			reqs += r.Requests
			secs += r.Took.Seconds()
			if verdict != "right" {
				t.Logf("%s %v trip %v: %s %s %s %d requests, %.0f s", f.title(), at, w.trip(w.rng), verdict, names, r.Over, r.Requests, r.Took.Seconds())
			}
		}
		t.Logf("%-80s %v  %d requests, %.0f s each; %.1fs", f.title(), tally, reqs/runs, secs/float64(runs), time.Since(began).Seconds())
	}
}
