package analyze

import (
	"iter"
	"sort"

	"duckload/history"
	"duckload/limiter"
)

// Traffic is what one key saw, as far as the length of a window shows in it.
type traffic struct {
	key      strand // everything that met it for certain
	admitted spans  // of that
	spent    spans  // may have spent allowance of it
	rejected spans  // of what met it for certain, and nothing but the examined limit can be the reason
	fresh    bool   // nothing was spent before moment 0
	consumes bool   // rejected requests are among those that may have spent
}

// trafficOf returns the traffic of each key of a limit. Where rejections prove
// nothing there are none.
func trafficOf(c *Case, l limiter.Limit) []traffic {
	return c.trafficOn(keys(c.Header, c.Promise.Limits), l)
}

// trafficOn is the traffic of a limit with the keys of a keyring.
func (c *Case) trafficOn(ring keyring, l limiter.Limit) []traffic {
	spends, unexplained := mayConsume(c.consumes()), c.unexplained(l)
	spent := map[int]spans{}
	for _, s := range c.strands(ring.possible, l, reach{}) {
		spent[ring.possible[s.row(0).Lane]] = s.spans(func(r *Row) bool { return spends(*r) })
	}
	var all []traffic
	for _, s := range c.strands(ring.certain, l, reach{}) {
		t := traffic{
			key:      s,
			admitted: s.spans(func(r *Row) bool { return isAdmitted(*r) }),
			spent:    spent[ring.possible[s.row(0).Lane]],
			fresh:    c.Header.Groups[c.Group].Fresh,
			consumes: c.consumes(),
		}
		if c.refutable() {
			t.rejected = s.spans(unexplained)
		}
		t.admitted.order, t.spent.order = t.admitted.orderOfEnds(), t.spent.orderOfEnds()
		all = append(all, t)
	}
	return all
}

// full yields, for each rejection, the extent from the latest moment at
// which the n-th last of what was spent before may have been decided to the
// earliest at which the rejection was, the first to begin first. A window that
// is full with n and holds the rejection holds all of it. A rejection before
// which n cannot have been spent is impossible: then it is returned, and there
// is no more to see.
func (t traffic) full(n int, yield func(extent)) (impossible []Row) {
	s := t.spent
	rank := s.rankOfEnds()
	seen := make(fenwick, s.len()+1)
	next := 0
	for _, k := range t.rejected.orderOfEnds() {
		for next < s.len() && s.row(next).Sent <= t.rejected.to[k] {
			seen.add(int(rank[next]))
			next++
		}
		r := t.rejected.at(int(k))
		zone := extent{to: t.rejected.from[k], rows: [3]*Row{r}}
		if next >= n {
			zone.from = s.ends[seen.kth(next-n)]
		} else if t.fresh {
			return []Row{*r}
		}
		if zone.from < zone.to {
			yield(zone)
		}
	}
	return nil
}

// packed yields, for each end, the shortest stretch to it in which n were
// certainly admitted, the first to begin and to end first.
func (t traffic) packed(n int) iter.Seq[extent] {
	return func(yield func(extent) bool) {
		s := t.admitted
		seen := make(fenwick, s.len()+1)
		for count, i := range s.orderOfEnds() {
			seen.add(int(i)) // rows are in order of their starts
			if count+1 < n {
				continue
			}
			first := seen.kth(count + 1 - n)
			if !yield(extent{s.from[first], s.to[i], [3]*Row{s.at(first), s.at(int(i))}}) {
				return
			}
		}
	}
}

// returns are the stretches in which allowance came back for certain: from a
// rejection to the first answer of an admission that came after it.
func (t traffic) returns() []extent {
	s := t.admitted
	none := uint32(s.len())
	earliest := make([]uint32, s.len()+1) // of the admissions from one on: which was answered first
	earliest[none] = none
	for i := s.len() - 1; i >= 0; i-- {
		earliest[i] = uint32(i)
		if later := earliest[i+1]; later != none && s.to[later] < s.to[i] {
			earliest[i] = later
		}
	}
	var all narrowed
	for k := range t.rejected.len() {
		r := t.rejected.at(k)
		after := sort.Search(s.len(), func(i int) bool { return s.at(i).Sent > r.Answered })
		if i := earliest[after]; i != none {
			all.add(extent{t.rejected.from[k], s.to[i], [3]*Row{r, s.at(int(i))}})
		}
	}
	return all
}

// crossed are the stretches that hold the start of a window: in which
// allowance came back, or more was admitted than one window holds.
func (t traffic) crossed(most int) []extent {
	returns := t.returns()
	all := make(narrowed, 0, len(returns)+max(0, t.admitted.len()-most))
	for s := range t.packed(most + 1) {
		for len(returns) > 0 && returns[0].from <= s.from {
			all.add(returns[0])
			returns = returns[1:]
		}
		all.add(s)
	}
	for _, s := range returns {
		all.add(s)
	}
	return all
}

// refilled yields, for each rejection, the stretch from it to the moment at
// which n requests that were sent after its answer had certainly been admitted.
// The window that the rejection found full ended before the first of them.
func (t traffic) refilled(n int) iter.Seq[extent] {
	return func(yield func(extent) bool) {
		s := t.admitted
		seen := make(fenwick, s.len()+1)
		rank, next := s.rankOfEnds(), s.len()
		order := s.orderOfEnds()
		known := history.Never // the first answer of the later rejections: what follows it is seen
		for k := t.rejected.len() - 1; k >= 0; k-- {
			r := t.rejected.at(k)
			if r.Answered > known {
				continue // the stretch from the later rejection is shorter
			}
			known = r.Answered
			for next > 0 && s.at(next-1).Sent > r.Answered {
				next--
				seen.add(int(rank[next]))
			}
			if s.len()-next < n {
				continue
			}
			last := int(order[seen.kth(n-1)])
			if !yield(extent{t.rejected.from[k], s.to[last], [3]*Row{r, s.at(last)}}) {
				return
			}
		}
	}
}

// openings yields, for each rejection after which something was admitted, the
// stretch in which a window that opened with the n-th last admission before it
// began and ended.
func (t traffic) openings(n int) iter.Seq[extent] {
	return func(yield func(extent) bool) {
		s := t.admitted
		order := s.orderOfEnds()
		seen := make(fenwick, s.len()+1)
		next := 0
		for _, after := range t.returns() { // in order of their rejections
			for next < len(order) && s.to[order[next]] < after.rows[0].Sent {
				seen.add(int(order[next]))
				next++
			}
			if next < n {
				continue
			}
			first := seen.kth(next - n)
			if !yield(extent{s.from[first], after.to, [3]*Row{s.at(first), after.rows[0], after.rows[1]}}) {
				return
			}
		}
	}
}

// rankOfEnds returns the place of each span's end among all ends, no two alike.
func (s spans) rankOfEnds() []uint32 {
	rank := make([]uint32, s.len())
	for place, i := range s.orderOfEnds() {
		rank[i] = uint32(place)
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
