package probe

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"duckload/limiter"
)

// A particle is one point of a hypothesis, as a limiter in the state in which
// it would be now. Particles foretell; they prove nothing.
type particle struct {
	of     *hypothesis
	at     point
	began  time.Duration // when the first request was sent
	lanes  map[int]bool  // that count on the counter of lane 0
	states map[int]particleState
	misses int // how often it would have answered otherwise
}

type particleState struct {
	limiter limiter.Limiter
	behind  time.Duration
}

// How many points of each hypothesis are tried at a time, for how often at most
// until enough explain what was seen, and how many of them foretell.
const (
	drawnParticles = 16
	mostDraws      = 6
	keptParticles  = 5
)

// particles returns points of each hypothesis that is left, those that come
// closest to what was seen, the closest first. Those of before are tried again, and others near
// them: what explained most is seldom far from what explains more.
func (all beliefs) particles(rng *rand.Rand) []particle {
	alone := len(all.alive()) == 1
	var kept []particle
	for _, b := range all {
		for _, h := range b.alive {
			tried := b.tried(rng, h)
			if alone { // where one is left, it matters how far its points lie apart
				tried = tried[:keptParticles]
			}
			slices.SortStableFunc(tried, func(x, y particle) int { return x.misses - y.misses })
			h.points = h.points[:0]
			for _, p := range tried[:keptParticles] {
				h.points = append(h.points, p.at)
			}
			kept = append(kept, tried[:keptParticles]...)
		}
	}
	return kept
}

// tried returns points of a hypothesis, new ones first.
func (b *belief) tried(rng *rand.Rand, h *hypothesis) []particle {
	var tried []particle
	for draws, fit := 0, 0; draws == 0 || draws < mostDraws && fit < keptParticles; draws++ {
		for i := range drawnParticles {
			p := b.replay(h, h.draw(rng, h.boxes[(i*len(h.boxes)/drawnParticles+rng.IntN(len(h.boxes)))%len(h.boxes)]))
			if tried = append(tried, p); p.misses == 0 {
				fit++
			}
		}
	}
	for _, at := range h.points {
		if i := holding(h.boxes, len(h.parameters), at); i >= 0 {
			tried = append(tried, b.replay(h, at), b.replay(h, h.near(rng, at, h.boxes[i])))
		}
	}
	return tried
}

// holding returns which of some boxes a point lies in; −1: in none.
func holding(boxes []box, axes int, at point) int {
	return slices.IndexFunc(boxes, func(b box) bool {
		for i := range axes {
			if at[i] < b[i].lo || at[i] > b[i].hi {
				return false
			}
		}
		return true
	})
}

// near draws a point of a box that differs from another one of it along one
// axis.
func (h *hypothesis) near(rng *rand.Rand, at point, b box) point {
	axis := rng.IntN(len(h.parameters))
	for i := range h.parameters {
		if i != axis {
			b[i] = span{at[i], at[i]}
		}
	}
	return h.draw(rng, b)
}

// mostDrawn bounds what particles are drawn from where nothing else does.
const mostDrawn = float64(2 * time.Hour)

func (h *hypothesis) draw(rng *rand.Rand, b box) point {
	var at point
	for i, p := range h.parameters {
		s := b[i]
		switch {
		case p.whole:
			at[i] = s.lo + math.Floor(rng.Float64()*(s.hi-s.lo+1))
		case p.linear: // places stand behind the times that they lie in
			at[i] = s.lo + rng.Float64()*(max(s.lo, min(s.hi, at[i-1]))-s.lo)
		default:
			high := max(s.lo, min(s.hi, mostDrawn))
			at[i] = s.lo * math.Pow(high/s.lo, rng.Float64())
		}
	}
	return at
}

// replay makes a particle see what was seen: each decision in the middle of its
// interval, or at an end of it where the outcome fits only there.
func (b *belief) replay(h *hypothesis, at point) particle {
	p := particle{of: h, at: at, began: time.Duration(b.facts.began), lanes: b.lanes, states: map[int]particleState{}}
	for key, t := range b.facts.tracks {
		state := p.fresh(time.Duration(t.seen[0].sent))
		for _, m := range t.seen {
			if !state.decide(m) {
				p.misses++
			}
		}
		p.states[b.facts.keys[key]] = state
	}
	return p
}

// decide decides a request as it was decided, if it can, and reports whether.
func (s *particleState) decide(m moment) bool {
	admitted := m.outcome != limiter.Rejected
	d, middle := s.limiter.Take(time.Duration((m.sent+m.to)/2) + s.behind)
	if d.OK == admitted {
		s.limiter = middle
		return true
	}
	for _, at := range []float64{m.to, m.sent} {
		if d, after := s.limiter.Take(time.Duration(at) + s.behind); d.OK == admitted {
			s.limiter = after
			return true
		}
	}
	s.limiter = middle
	return false
}

func (p particle) fresh(first time.Duration) particleState {
	return particleState{p.of.model(p.at), p.of.behind(p.at, p.began, first)}
}
