package probe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestDebug(t *testing.T) {
	if os.Getenv("DEBUG") == "" {
		t.Skip()
	}
	for _, f := range Families {
		if os.Getenv("ONLY") != f.title() {
			continue
		}
		seed, _ := strconv.ParseUint(os.Getenv("DEBUG"), 10, 64)
		rng := rand.New(rand.NewPCG(seed, 99))
		at := realistic(rng, f)
		w := f.world(at, seed, trips(time.Duration(math.Exp(rng.Float64()*math.Log(20))*5e5)))
		l := &loop{Options: Options{Budget: 2000, MaxTime: 5 * time.Minute, Precision: 0.02}, asker: w, began: w.Now(), alias: map[int]int{}, belief: believe(Families)}
		l.exhaust()
		l.await()
		l.drain(l.capacity + 2)
		wait := l.asker.Now() - l.answers[0].Sent
		l.run(opening(l.key, wait, l.capacity))
		p := planner{made: map[string]int{}, rng: rand.New(rand.NewPCG(1, 11)), perRequest: l.MaxTime / 500, precise: l.Precision, fresh: -1}
		fmt.Println(at, "capacity", l.capacity)
		for round := range 30 {
			began := time.Now()
			l.learn()
			fmt.Println("round", round, "sent", l.sent, "at", l.asker.Now(), "learned in", time.Since(began))
			for _, h := range l.belief.alive {
				fmt.Printf("   %-50s %4d boxes", h.title(), len(h.boxes))
				for axis, p := range h.parameters {
					s := hull(h.boxes, axis)
					fmt.Printf("  %s %.4g…%.4g", p.name, s.lo, s.hi)
				}
				fmt.Println()
			}
			if round == 29 {
				for _, h := range l.belief.alive[1:min(5, len(l.belief.alive))] {
					for i := 0; i < len(h.boxes); i += 1 + len(h.boxes)/14 {
						fmt.Printf("        %s", h.Name)
						for axis := range h.parameters {
							fmt.Printf("  [%.4g %.4g]", h.boxes[i][axis].lo, h.boxes[i][axis].hi)
						}
						fmt.Println()
					}
				}
			}
			if l.done() {
				break
			}
			p.capacity, p.trip, p.exhausted = l.capacity, l.trip, l.key
			p.most = l.MaxTime - (l.asker.Now() - l.began)
			began = time.Now()
			e, ok := p.next(l.belief, l.asker.Now())
			fmt.Println("  →", e, ok, time.Since(began))
			if !ok {
				break
			}
			l.run(e)
		}
	}
}
