package probe

import (
	"fmt"
	"maps"
	"slices"

	"duckload/limiter"
)

// A rival is what to believe if clients that seem to have counters of their own
// count on one after all: what was admitted to the other one may have come back
// meanwhile, where requests take long. Its answers stand beside the others
// until what was seen refutes it.
type rival struct {
	ways   []string
	lanes  map[int]bool
	belief *belief
}

// rivalled adds what contradicts that the lanes of a way are apart, with each
// rival so far and without.
func (l *loop) rivalled(w Way) {
	for _, r := range append(slices.Clone(l.rivals), &rival{}) {
		lanes := maps.Clone(r.lanes)
		if lanes == nil {
			lanes = map[int]bool{}
		}
		for _, lane := range w.Lanes {
			lanes[lane] = true
		}
		belief := believe(Families)
		belief.lanes = lanes
		l.rivals = append(l.rivals, &rival{append(slices.Clone(r.ways), w.Name), lanes, belief})
	}
}

// seen returns what each counter saw. Those of some more lanes are on the
// counter of the first. Of a doubtful lane, whether it counted there is not
// known, unless it is one of these.
func (l *loop) seen(merged map[int]bool) []Seen {
	all := make([]Seen, len(l.answers))
	for i, a := range l.answers {
		s := a.Seen
		if key, ok := l.alias[s.Key]; ok {
			s.Key = key
		}
		switch {
		case merged[s.Key]:
			s.Key = 0
		case l.doubtful[s.Key]:
			s.Key, s.Outcome = 0, limiter.Unknown
		}
		all[i] = s
	}
	l.hasten(all)
	return all
}

// learnRivals lets go of the rivals that explain nothing any more.
func (l *loop) learnRivals() {
	l.rivals = slices.DeleteFunc(l.rivals, func(r *rival) bool {
		r.belief.learn(FactsOf(l.seen(r.lanes), l.Clock))
		return len(r.belief.alive) == 0
	})
}

// settled reports whether rivals apart one answer is left.
func (l *loop) settled() bool {
	r := Result{Trip: l.trip}
	for _, h := range l.belief.alive {
		r.add(h)
	}
	r.queued()
	return len(r.Answers) == 0 || r.Unique()
}

// suspects are what experiments have to tell apart. As long as there is more
// than one answer besides the rivals are not worth one of their own.
func (l *loop) suspects() beliefs {
	all := beliefs{l.belief}
	if !l.settled() {
		return all
	}
	for _, r := range l.rivals {
		all = append(all, r.belief)
	}
	return all
}

// mostConfronted is how often rivals are confronted: where answers take long
// it may be in vain.
const mostConfronted = 2

// confront uses one client up, and then asks for as much on a fresh one: hardly
// a single counter admits both. It reports whether there was any need to.
func (l *loop) confront() bool {
	if len(l.rivals) == 0 || l.met == mostConfronted || !l.settled() {
		return false
	}
	i := slices.IndexFunc(l.fresh, func(lane int) bool { return l.rivals[0].lanes[lane] })
	if i < 0 {
		return false
	}
	l.met++
	l.say(fmt.Sprintf("use everything up, then ask for %d with a fresh client: whether both count on one counter after all", l.capacity))
	usual, other := l.key, l.fresh[i]
	l.fresh = slices.Delete(l.fresh, i, i+1)
	l.clients = append(l.clients, other)
	l.drain(l.capacity + 2)
	l.key = other
	l.ask(l.asker.Now(), l.capacity)
	l.key = usual
	l.ask(l.asker.Now(), 1)
	return true
}

// proven returns who shares a counter, as far as it is proved: a way is apart
// only if nothing that is left explains it as shared.
func (l *loop) proven() []Scope {
	scopes := slices.Clone(l.found)
	for i, s := range scopes {
		if s.Counted != Apart {
			continue
		}
		shared := slices.ContainsFunc(l.rivals, func(r *rival) bool { return slices.Contains(r.ways, s.Way) })
		if lane, ok := l.askedOn[s.Way]; ok && !shared {
			facts := FactsOf(l.seen(map[int]bool{lane: true}), l.Clock)
			shared = slices.ContainsFunc(l.belief.alive, func(h *hypothesis) bool {
				return len(h.boxes) > 0 && len(h.narrow(facts, slices.Clone(h.boxes), usual)) > 0
			})
		}
		if shared || len(l.belief.alive) == 0 {
			scopes[i].Counted = Unclear
		}
	}
	return scopes
}

// concluded is the result in the end.
func (l *loop) concluded() Result {
	if l.capacity > 0 && l.prompt == 0 && len(l.rivals) > 0 {
		l.learnRivals()
	}
	r := l.result()
	r.Scopes = l.proven()
	if r.Limited && len(r.Answers) == 0 && len(r.Both) == 0 {
		r.Near = nearest(l.seen(nil), l.Clock)
	}
	return r
}
