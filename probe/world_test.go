package probe

import (
	"math/rand/v2"
	"slices"
	"time"

	"duckload/limiter"
)

// A world is a server with a limiter for each key, some way off, in virtual
// time: a request takes time to get there, and its answer to come back.
type world struct {
	fresh  func(began, first time.Duration) (limiter.Limiter, time.Duration) // and how far its moments lie behind ours
	began  time.Duration                                                     // when the first request was sent
	same   func(key int) int                                                 // which key's counter a key counts on; nil: its own
	late   func(*rand.Rand) time.Duration                                    // after its moment that a request is sent; nil: never
	pause  func(*rand.Rand) time.Duration                                    // for how long the server stands still when asked; nil: never
	states map[int]*keyState
	now    time.Duration
	rng    *rand.Rand
	trip   func(*rand.Rand) time.Duration // one way
	serve  time.Duration                  // what the server needs for a request
	tick   time.Duration                  // the step of the limiter's clock; 0: none

	sent  int
	trace []Seen
}

type keyState struct {
	limiter limiter.Limiter
	behind  time.Duration
	under   []time.Duration // when those under way are done
}

// take decides a request, after those that are done by then have left.
func (k *keyState) take(at, serve, tick time.Duration) (d limiter.Decision, done time.Duration) {
	k.under = slices.DeleteFunc(k.under, func(done time.Duration) bool {
		if done <= at {
			k.limiter = limiter.Release(k.limiter)
		}
		return done <= at
	})
	d, k.limiter = k.limiter.Take(ticked(at, tick) + k.behind)
	if !d.OK {
		return d, at
	}
	done = at + d.Delay + serve
	k.under = append(k.under, done)
	return d, done
}

// ticked returns what a clock with steps shows at a moment.
func ticked(at, tick time.Duration) time.Duration {
	if tick == 0 {
		return at
	}
	return at - at%tick
}

func newWorld(seed uint64, trip func(*rand.Rand) time.Duration, fresh func(began, first time.Duration) (limiter.Limiter, time.Duration)) *world {
	return &world{fresh: fresh, states: map[int]*keyState{}, rng: rand.New(rand.NewPCG(seed, 7)), trip: trip, now: time.Second}
}

// trips are ways to be far off: mean a few milliseconds, with a tail.
func trips(mean time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration {
		d := time.Duration(float64(mean) * (0.5 + r.ExpFloat64()/2))
		if r.IntN(50) == 0 {
			d += time.Duration(float64(mean) * 10 * r.ExpFloat64())
		}
		return d
	}
}

func (w *world) Now() time.Duration { return w.now }

// Ask sends requests at their moments and returns when all are answered.
func (w *world) Ask(shots []Shot) []Answer {
	type flight struct {
		shot        Shot
		sent, there time.Duration
		back        time.Duration
		ok          bool
	}
	flights := make([]flight, len(shots))
	for i, s := range shots {
		at := max(s.At, w.now)
		if w.late != nil {
			at += w.late(w.rng)
		}
		flights[i] = flight{shot: s, sent: at, there: at + w.trip(w.rng)}
	}
	if w.pause != nil {
		stands := flights[w.rng.IntN(len(flights))].there
		goesOn := stands + w.pause(w.rng)
		for i := range flights {
			if f := &flights[i]; f.there >= stands {
				f.there = max(f.there, goesOn)
			}
		}
	}
	if w.began == 0 {
		w.began = flights[0].sent
		for _, f := range flights {
			w.began = min(w.began, f.sent)
		}
	}
	order := make([]int, len(flights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(flights[a].there - flights[b].there) })
	for _, i := range order {
		f := &flights[i]
		key := f.shot.Key
		if w.same != nil {
			key = w.same(key)
		}
		state := w.states[key]
		if state == nil {
			l, behind := w.fresh(w.began-w.tick, ticked(f.there, w.tick))
			state = &keyState{limiter: l, behind: behind}
			w.states[key] = state
		}
		d, done := state.take(f.there, w.serve, w.tick)
		f.ok, f.back = d.OK, done+w.trip(w.rng)
	}
	var answers []Answer
	for _, f := range flights {
		status := 200
		if !f.ok {
			status = 429
		}
		answers = append(answers, Answer{Seen: Seen{Key: f.shot.Key, Sent: f.sent, Answered: f.back}, Status: status})
		w.now = max(w.now, f.back)
		w.sent++
	}
	return answers
}
