package sizing

import (
	"time"

	"duckload/limiter"
	"duckload/trace"
)

// A gate is a limit that takes every request, and what it did. Buckets are
// counted in whole numbers; every other reading is asked as its model is.
type gate struct {
	limit  limiter.Limit
	err    error
	growth float64

	bucket bool
	rate   rate
	room   int64
	work   []int64 // of each counter, if it rejects
	queue  []int64 // of each counter, if everyone waits

	fresh  limiter.Limiter
	states map[int]limiter.Limiter

	rejected int
	clients  []bool // that met a rejection
	longest  int64  // work that waited
	minute   Minute
	worst    Minute
}

func (e engine) gate(l limiter.Limit, growth float64) *gate {
	g := &gate{limit: l, growth: growth, bucket: bucket(l), clients: make([]bool, e.spool.Keys())}
	if g.bucket {
		g.rate = rateOf(l.Limit, l.Window, growth)
		g.room = roomOf(g.rate, max(1, l.Burst))
		g.work, g.queue = make([]int64, e.keys()), make([]int64, e.keys())
		return g
	}
	g.states = map[int]limiter.Limiter{}
	g.fresh, g.err = limiter.ModelOf(l).New(l)
	return g
}

// gates lets some gates take every request.
func (e engine) gates(all []*gate) error {
	last := make([]int64, e.keys())
	p := e.spool.Pass()
	for p.Next() {
		key := e.counter(p)
		gap := p.At - last[key]
		last[key] = p.At
		for _, g := range all {
			if !g.take(key, p.At, e.spool.First(), gap) {
				g.refuse(p.Key, p.At)
			}
		}
	}
	return p.Err()
}

func (g *gate) take(key int, at, first, gap int64) bool {
	if !g.bucket {
		state, ok := g.states[key]
		if !ok {
			state = g.fresh
		}
		// Models count from 0. Windows are aligned to the clock, so the moment
		// of the first request in its window is kept.
		offset := first % int64(g.limit.Window)
		moment := time.Duration(float64(at-first)/g.growth) + time.Duration(offset)
		if g.growth == 1 {
			moment = time.Duration(at - first + offset)
		}
		d, after := state.Take(moment)
		g.states[key] = after
		return d.OK
	}
	waiting := min(g.rate.fallen(g.queue[key], gap)+g.rate.cost, most)
	g.queue[key] = waiting
	g.longest = max(g.longest, waiting-g.room)
	w := g.rate.fallen(g.work[key], gap)
	if w > g.room-g.rate.cost {
		g.work[key] = w
		return false
	}
	g.work[key] = w + g.rate.cost
	return true
}

func (g *gate) refuse(client uint32, at int64) {
	g.rejected++
	g.clients[client] = true
	if begin := at / 60e9 * 60e9; begin != g.minute.Begin || g.minute.Count == 0 {
		g.minute = Minute{Begin: begin}
	}
	g.minute.Count++
	if g.minute.Count > g.worst.Count {
		g.worst = g.minute
	}
}

func (g *gate) loss(s *trace.Spool) Loss {
	l := Loss{Limit: g.limit, Rejected: g.rejected, Worst: g.worst}
	for _, met := range g.clients {
		if met {
			l.ClientsRejected++
		}
	}
	l.Share = float64(g.rejected) / float64(s.Len())
	l.ClientShare = float64(l.ClientsRejected) / float64(s.Keys())
	if g.bucket {
		// At the faster pace of growth, everything takes as much less time.
		l.LongestWait = float64(g.longest) / float64(g.rate.limit) / 1e9 / g.growth
	}
	return l
}
