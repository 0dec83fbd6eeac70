package scenarios

import (
	"cmp"
	"slices"
	"time"
)

// shot returns a request from the phase's first lane, now at the earliest.
func shot(p Phase, v View, at time.Duration) Shot {
	return Shot{At: max(at, v.Now), Lane: p.Lanes[0], Phase: v.Phase}
}

// apart sorts shots by time and moves those that share a moment apart by a
// nanosecond, so that their order is the same every time.
func apart(shots []Shot) []Shot {
	slices.SortStableFunc(shots, func(a, b Shot) int { return cmp.Compare(a.At, b.At) })
	for i := 1; i < len(shots); i++ {
		shots[i].At = max(shots[i].At, shots[i-1].At+1)
	}
	return shots
}

// byAnswer returns what the phase's lanes sent, in the order of the answers.
func byAnswer(p Phase, seen []Seen) []Seen {
	counted := make([]Seen, 0, len(seen))
	for _, s := range seen {
		if slices.Contains(p.Lanes, s.Lane) {
			counted = append(counted, s)
		}
	}
	slices.SortStableFunc(counted, func(a, b Seen) int { return cmp.Compare(decided(a), decided(b)) })
	return counted
}

// own returns what the phase itself sent, in the order of sending.
func own(v View) []Seen {
	var mine []Seen
	for i := range v.Seen {
		if v.Seen[i].Phase == v.Phase {
			mine = append(mine, v.Seen[i])
		}
	}
	return mine
}

// trip returns the time from the moment at which a request was wanted to its
// answer: the median of the latest, because a burst at the start is slower
// than what follows. Where nothing was answered yet, it is a guess.
func trip(v View) time.Duration {
	const latest = 41
	var trips []time.Duration
	for i := len(v.Seen) - 1; i >= 0 && len(trips) < latest; i-- {
		if s := v.Seen[i]; !lost(s) {
			trips = append(trips, s.Answered-s.Intended)
		}
	}
	if len(trips) == 0 {
		return assumedTrip
	}
	slices.Sort(trips)
	return max(trips[len(trips)/2], 100*time.Microsecond)
}

// assumedTrip is the round trip that is assumed where none was seen.
const assumedTrip = 15 * time.Millisecond
