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
	states map[int]particleState
	misses int // how often it would have answered otherwise
}

type particleState struct {
	limiter limiter.Limiter
	behind  time.Duration
}

// How many points of each hypothesis are tried, and how many foretell.
const (
	drawnParticles = 16
	keptParticles  = 5
)

// particles returns points of each hypothesis that is left, those that come
// closest to what was seen.
func (b *belief) particles(rng *rand.Rand) []particle {
	var all []particle
	for _, h := range b.alive {
		tried := make([]particle, 0, drawnParticles)
		for i := range drawnParticles {
			at := h.draw(rng, h.boxes[(i*len(h.boxes)/drawnParticles+rng.IntN(len(h.boxes)))%len(h.boxes)])
			tried = append(tried, b.replay(h, at))
		}
		slices.SortStableFunc(tried, func(x, y particle) int { return x.misses - y.misses })
		all = append(all, tried[:keptParticles]...)
	}
	return all
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

// replay makes a particle see what was seen, each decision in the middle of
// its interval.
func (b *belief) replay(h *hypothesis, at point) particle {
	p := particle{of: h, at: at, began: time.Duration(b.facts.began), states: map[int]particleState{}}
	for key, t := range b.facts.tracks {
		state := p.fresh(time.Duration(t.seen[0].sent))
		for _, m := range t.seen {
			var d limiter.Decision
			d, state.limiter = state.limiter.Take(time.Duration((m.sent+m.to)/2) + state.behind)
			if d.OK != (m.outcome != limiter.Rejected) {
				p.misses++
			}
		}
		p.states[b.facts.keys[key]] = state
	}
	return p
}

func (p particle) fresh(first time.Duration) particleState {
	return particleState{p.of.model(p.at), p.of.behind(p.at, p.began, first)}
}
