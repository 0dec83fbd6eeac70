package analyze

import (
	"math"
	"slices"
	"sort"
	"time"

	"duckload/history"
	"duckload/limiter"
)

// Traffic is what one key saw, as far as the length of a window shows in it.
type traffic struct {
	admitted spans // for certain on this key
	spent    spans // may have spent allowance of it
	rejected spans // and nothing but the examined limit can be the reason
	fresh    bool  // nothing was spent before moment 0
	consumes bool  // rejected requests are among those that may have spent
}

// trafficOf returns the traffic of each key of a limit. Where rejections prove
// nothing there are none.
func trafficOf(c *Case, l limiter.Limit) []traffic {
	var all []traffic
	ring := keys(c.Header, c.Promise.Limits)
	unexplained := c.unexplained(l)
	for _, rows := range byKey(c.Rows, ring.possible) {
		spent := spansOf(rows, l.Clock(), mayConsume(c.consumes()))
		for _, own := range byKey(rows, ring.certain) {
			t := traffic{admitted: spansOf(own, l.Clock(), isAdmitted), spent: spent, fresh: c.Header.Groups[c.Group].Fresh, consumes: c.consumes()}
			if c.refutable() {
				t.rejected = spansOf(own, l.Clock(), func(r Row) bool { return unexplained(&r) })
			}
			all = append(all, t)
		}
	}
	return all
}

// An extent is a closed stretch of time, and the rows that it is about.
type extent struct {
	from, to time.Duration
	rows     []Row
}

func (s extent) length() float64 { return float64(s.to - s.from) }

// full returns, for each rejection, the extent from the latest moment at
// which the n-th last of what was spent before may have been decided to the
// earliest at which the rejection was. A window that is full with n and holds
// the rejection holds all of it. A rejection before which n cannot have been
// spent is impossible.
func (t traffic) full(n int) (zones []extent, impossible []Row) {
	s := t.spent
	rank := s.rankOfEnds()
	seen := make(fenwick, s.len()+1)
	next := 0
	for _, k := range t.rejected.orderOfEnds() {
		for next < s.len() && s.row(next).Sent <= t.rejected.to[k] {
			seen.add(rank[next])
			next++
		}
		r := t.rejected.row(int(k))
		zone := extent{to: t.rejected.from[k], rows: []Row{r}}
		if next >= n {
			zone.from = s.ends[seen.kth(next-n)]
		} else if t.fresh {
			return zones, []Row{r}
		}
		if zone.from < zone.to {
			zones = append(zones, zone)
		}
	}
	return zones, nil
}

// packed returns, for each end, the shortest stretch to it in which n were
// certainly admitted.
func (t traffic) packed(n int) []extent {
	s := t.admitted
	var all []extent
	seen := make(fenwick, s.len()+1)
	for count, i := range s.orderOfEnds() {
		seen.add(int(i)) // rows are in order of their starts
		if count+1 >= n {
			first := seen.kth(count + 1 - n)
			all = append(all, extent{s.from[first], s.to[i], []Row{s.row(first), s.row(int(i))}})
		}
	}
	return all
}

// returns are the stretches in which allowance came back for certain: from a
// rejection to the first answer of an admission that came after it.
func (t traffic) returns() []extent {
	var all []extent
	s := t.admitted
	earliest := make([]int, s.len()+1) // of the admissions from one on: which was answered first
	earliest[s.len()] = -1
	for i := s.len() - 1; i >= 0; i-- {
		earliest[i] = i
		if later := earliest[i+1]; later >= 0 && s.to[later] < s.to[i] {
			earliest[i] = later
		}
	}
	for k := range t.rejected.len() {
		r := t.rejected.row(k)
		after := sort.Search(s.len(), func(i int) bool { return s.row(i).Sent > r.Answered })
		if i := earliest[after]; i >= 0 {
			all = append(all, extent{t.rejected.from[k], s.to[i], []Row{r, s.row(i)}})
		}
	}
	return narrowest(all)
}

// refilled returns, for each rejection, the stretch from it to the moment at
// which n requests that were sent after its answer had certainly been admitted.
// The window that the rejection found full ended before the first of them.
func (t traffic) refilled(n int) []extent {
	s := t.admitted
	var all []extent
	seen := make(fenwick, s.len()+1)
	rank, next := s.rankOfEnds(), s.len()
	order := s.orderOfEnds()
	known := history.Never // the first answer of the later rejections: what follows it is seen
	for k := t.rejected.len() - 1; k >= 0; k-- {
		r := t.rejected.row(k)
		if r.Answered > known {
			continue // the stretch from the later rejection is shorter
		}
		known = r.Answered
		for next > 0 && s.row(next-1).Sent > r.Answered {
			next--
			seen.add(rank[next])
		}
		if s.len()-next >= n {
			last := int(order[seen.kth(n-1)])
			all = append(all, extent{t.rejected.from[k], s.to[last], []Row{r, s.row(last)}})
		}
	}
	return narrowest(all)
}

// openings returns, for each rejection after which something was admitted, the
// stretch in which a window that opened with the n-th last admission before it
// began and ended.
func (t traffic) openings(n int) []extent {
	s := t.admitted
	order := s.orderOfEnds()
	var all []extent
	seen := make(fenwick, s.len()+1)
	next := 0
	after := map[uint32]extent{}
	for _, r := range t.returns() {
		after[r.rows[0].Ordinal] = r
	}
	for k := range t.rejected.len() {
		rejected := t.rejected.row(k)
		for next < len(order) && s.to[order[next]] < rejected.Sent {
			seen.add(int(order[next]))
			next++
		}
		r, ok := after[rejected.Ordinal]
		if ok && next >= n {
			first := seen.kth(next - n)
			all = append(all, extent{s.from[first], r.to, append([]Row{s.row(first)}, r.rows...)})
		}
	}
	return all
}

// narrowest keeps the stretches that hold no other one, in order.
func narrowest(all []extent) []extent {
	slices.SortFunc(all, func(a, b extent) int { return compareExtents(a.to, b.to, b.from, a.from) })
	var kept []extent
	latest := time.Duration(math.MinInt64)
	for _, s := range all {
		if s.from > latest {
			kept, latest = append(kept, s), s.from
		}
	}
	return kept
}

// widest keeps the stretches that lie in no other one, in order.
func widest(all []extent) []extent {
	slices.SortFunc(all, func(a, b extent) int { return compareExtents(a.from, b.from, b.to, a.to) })
	var kept []extent
	latest := time.Duration(math.MinInt64)
	for _, s := range all {
		if s.to > latest {
			kept, latest = append(kept, s), s.to
		}
	}
	return kept
}

func compareExtents(a, b, c, d time.Duration) int {
	switch {
	case a < b || a == b && c < d:
		return -1
	case a > b || c > d:
		return 1
	}
	return 0
}

// rankOfEnds returns the place of each span's end among all ends, no two alike.
func (s spans) rankOfEnds() []int {
	rank := make([]int, s.len())
	for place, i := range s.orderOfEnds() {
		rank[i] = place
	}
	return rank
}

// kth returns the place of the k-th smallest that was added, from 0.
func (f fenwick) kth(k int) int {
	place, width := 0, 1
	for 2*width < len(f) {
		width *= 2
	}
	for ; width > 0; width /= 2 {
		if next := place + width; next < len(f) && int(f[next]) <= k {
			place, k = next, k-int(f[next])
		}
	}
	return place
}
