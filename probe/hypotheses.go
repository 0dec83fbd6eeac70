package probe

import (
	"slices"
	"time"
)

// A hypothesis is a family and what is left of its space.
type hypothesis struct {
	*Family
	boxes  []box
	begun  bool
	points []point // that came closest to what was seen, lately
}

// A belief is all hypotheses that explain what was seen, and the facts that
// they explain.
type belief struct {
	facts *Facts
	alive []*hypothesis
	lanes map[int]bool // that are believed to count on the counter of lane 0
}

// beliefs are several at once, of which one is true.
type beliefs []*belief

// alive returns what is left of all.
func (all beliefs) alive() []*hypothesis {
	var left []*hypothesis
	for _, b := range all {
		left = append(left, b.alive...)
	}
	return left
}

func believe(families []*Family) *belief {
	b := &belief{}
	for _, f := range families {
		b.alive = append(b.alive, &hypothesis{Family: f})
	}
	return b
}

// learn throws out what does not explain the facts, which are those of before
// and more.
func (b *belief) learn(facts *Facts) {
	b.facts = facts
	kept := b.alive[:0]
	for _, h := range b.alive {
		if !h.begun {
			h.boxes, h.begun = []box{h.whole(facts)}, true
		}
		if h.boxes = h.narrow(facts, h.boxes, usual); len(h.boxes) > 0 {
			kept = append(kept, h)
		}
	}
	b.alive = kept
}

// doubted looks again, and harder, at what explains the facts only as far as
// could be seen: none of the points that were tried does.
func (all beliefs) doubted(particles []particle) []particle {
	fewest := map[*hypothesis]int{}
	for _, p := range particles {
		if n, ok := fewest[p.of]; !ok || p.misses < n {
			fewest[p.of] = p.misses
		}
	}
	gone := map[*hypothesis]bool{}
	for _, b := range all {
		b.alive = slices.DeleteFunc(b.alive, func(h *hypothesis) bool {
			if fewest[h] > 0 {
				h.boxes = h.narrow(b.facts, h.boxes, doubt)
			}
			gone[h] = len(h.boxes) == 0
			return gone[h]
		})
	}
	return slices.DeleteFunc(particles, func(p particle) bool { return gone[p.of] })
}

// same reports whether two hypotheses are one answer, or can only be settled
// by how long answers take.
func same(a, b *hypothesis) bool {
	return a.RejectsConsume == b.RejectsConsume && (a.Name == b.Name || a.bucket() && b.bucket())
}

func (h *hypothesis) bucket() bool { return h.Name == "token-bucket" || h.Name == "leaky-queue" }

// answers counts the different answers that are left.
func (all beliefs) answers() int {
	n, alive := 0, all.alive()
	for i, h := range alive {
		first := true
		for _, other := range alive[:i] {
			first = first && !same(h, other)
		}
		if first {
			n++
		}
	}
	return n
}

// precise reports whether the parameters of a hypothesis are known well
// enough: whole numbers exactly, times to a share of them, or as finely as the
// limiter's clock and the way to it allow.
func (h *hypothesis) precise(share float64, finest time.Duration) bool {
	for axis, p := range h.parameters {
		s := hull(h.boxes, axis)
		switch {
		case p.whole && s.hi > s.lo:
			return false
		case p == length && h.Name == "block":
			// How long the window behind a ban is can only be told by being banned again and again.
		case !p.whole && !p.linear && s.hi-s.lo > max(share*s.lo, float64(finest)):
			return false
		}
	}
	return true
}

// settle looks harder at the ends of the whole numbers of what is left: what
// seems to explain the facts there may do so only because nobody looked closely
// at where boundaries lie.
func (b *belief) settle() {
	for _, h := range b.alive {
		for axis, p := range h.parameters {
			for p.whole && (h.settled(b.facts, axis, span.low) || h.settled(b.facts, axis, span.high)) {
				continue
			}
		}
	}
}

// settled throws out one end of a whole number, if nothing explains it.
func (h *hypothesis) settled(facts *Facts, axis int, end func(span) float64) bool {
	s := hull(h.boxes, axis)
	if s.lo == s.hi {
		return false
	}
	var at, rest []box
	for _, b := range h.boxes {
		switch v := end(s); {
		case b[axis].lo <= v && v <= b[axis].hi:
			x := b
			x[axis] = span{v, v}
			at = append(at, x)
			if b[axis].lo < b[axis].hi {
				b[axis] = span{max(b[axis].lo, s.lo+boolean(v == s.lo)), min(b[axis].hi, s.hi-boolean(v == s.hi))}
				rest = append(rest, b)
			}
		default:
			rest = append(rest, b)
		}
	}
	if len(h.narrow(facts, at, certainty)) > 0 {
		return false
	}
	h.boxes = rest
	return true
}
