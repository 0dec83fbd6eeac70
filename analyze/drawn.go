package analyze

import (
	"slices"
	"strings"

	"duckload/history"
	"duckload/limiter"
)

// A Key is what certainly one counter of the limiter saw, for drawing: a
// documented limit can be set beside the requests of one key, and not beside
// those of several.
type Key struct {
	Lanes    []string // whose requests they are: "beak from 127.0.0.2"
	Timeline Timeline // in the bins of the group's; attempts that were sent again count as offered
}

// A drawnKey is the key that pictures of a group show, by one of its lanes.
type drawnKey struct {
	key, lane int
	found     bool
}

// toDraw returns the key of a group that shows most: the first under which a
// limit was broken, else the one under which most was admitted. Groups that
// share its counter are part of it.
func toDraw(h *history.Header, group int, rows []Row, findings []Finding) drawnKey {
	ring := keys(h, h.Groups[group].Promise.Limits)
	key, ok := broken(findings, ring.certain)
	if !ok {
		key, ok = mostAdmitted(h, group, rows, ring.certain)
	}
	return drawnKey{key, slices.Index(ring.certain, key), ok}
}

// drawn counts the requests of a key, for as long as the group was asked.
func drawn(h *history.Header, group int, rows []Row, all Timeline, d drawnKey) Key {
	if !d.found {
		return Key{}
	}
	ring := keys(h, h.Groups[group].Promise.Limits)
	var k Key
	for i, l := range h.Lanes {
		if ring.certain[i] == d.key && h.Groups[l.Group].Counter == h.Groups[group].Counter {
			k.Lanes = append(k.Lanes, laneName(l))
		}
	}
	n := len(all.Offered)
	k.Timeline = Timeline{Bin: all.Bin, Offered: make([]int, n), Admitted: make([]int, n), Rejected: make([]int, n), Unknown: make([]int, n)}
	for _, r := range rows {
		if ring.certain[r.Lane] == d.key {
			k.Timeline.count(r)
		}
	}
	return k
}

// broken returns the key of the first witness against a limit.
func broken(findings []Finding, key []int) (int, bool) {
	for _, f := range findings {
		if f.Outcome == Fail && strings.HasPrefix(f.Check, "limit.") && len(f.Witness.Requests) > 0 {
			return key[f.Witness.Requests[0].Lane], true
		}
	}
	return 0, false
}

// mostAdmitted returns the key of the group's lanes under which most was
// admitted, among equals the one that was asked most, then the first.
func mostAdmitted(h *history.Header, group int, rows []Row, key []int) (int, bool) {
	type tally struct{ admitted, asked int }
	counts := make([]tally, 1+slices.Max(append([]int{0}, key...)))
	for i := range rows {
		t := &counts[key[rows[i].Lane]]
		t.asked++
		if rows[i].Outcome == limiter.Admitted {
			t.admitted++
		}
	}
	best, found := 0, false
	for i, l := range h.Lanes {
		t, most := counts[key[i]], counts[best]
		if l.Group != group || t.asked == 0 {
			continue
		}
		if !found || t.admitted > most.admitted || t.admitted == most.admitted && t.asked > most.asked {
			best, found = key[i], true
		}
	}
	return best, found
}

// count takes one more request, if it lies in the bins. Groups that share a
// counter may last longer than this one.
func (t *Timeline) count(r Row) {
	i := int(max(0, r.Sent) / t.Bin)
	if i >= len(t.Offered) {
		return
	}
	t.Offered[i]++
	switch r.Outcome {
	case limiter.Admitted:
		t.Admitted[i]++
	case limiter.Rejected:
		t.Rejected[i]++
	default:
		t.Unknown[i]++
	}
}
