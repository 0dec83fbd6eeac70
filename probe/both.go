package probe

import (
	"fmt"
	"slices"
	"time"

	"duckload/limiter"
)

// A both is two limits that hold at once, each with what is left of its space.
// Rejected requests count in neither.
type both struct{ inner, outer *hypothesis }

// mayBeTwo reports whether a family may be one of two limits that hold at once.
// The rest, together with another one, would explain nearly anything.
func (f *Family) mayBeTwo() bool {
	return !f.RejectsConsume && slices.Contains([]string{"token-bucket", "fixed-window", "anchored-window", "sliding-log"}, f.Name)
}

// pairs returns the pairs of limits that explain what was seen where no single
// one does. Every rejection is one of either: the inner limit is taken as it
// was while it still explained everything alone, and what it does not explain
// then is the outer one's; what that does not explain is the inner one's again.
func pairs(seen []Seen, clock time.Duration) []both {
	var all []both
	if seen = thinned(seen); len(seen) > mostOfTwo {
		return nil
	}
	for _, inner := range Families {
		if !inner.mayBeTwo() {
			continue
		}
		first := inner.longest(seen, clock)
		for _, outer := range Families {
			if len(first) == 0 || !outer.mayBeTwo() {
				continue
			}
			if b, ok := settledPair(inner, outer, first, seen, clock); ok {
				all = append(all, b)
			}
		}
	}
	return all
}

func settledPair(inner, outer *Family, first []box, seen []Seen, clock time.Duration) (both, bool) {
	b := both{&hypothesis{Family: inner, boxes: first}, &hypothesis{Family: outer}}
	for range 2 {
		rest, some := b.inner.without(seen, clock)
		b.outer.boxes = outer.narrow(rest, []box{outer.whole(rest)}, usual)
		if !some || len(b.outer.boxes) == 0 {
			return b, false
		}
		rest, some = b.outer.without(seen, clock)
		b.inner.boxes = inner.narrow(rest, []box{inner.whole(rest)}, usual)
		if !some || len(b.inner.boxes) == 0 {
			return b, false
		}
	}
	return b, b.inner.pace() < b.outer.pace()
}

// longest returns what is left of a family's space after the longest beginning
// of a run that it explains alone.
func (f *Family) longest(seen []Seen, clock time.Duration) []box {
	var best []box
	low, high := 0, len(seen)
	for low < high {
		mid := (low + high + 1) / 2
		facts := FactsOf(seen[:mid], clock)
		if left := f.narrow(facts, []box{f.whole(facts)}, usual); len(left) > 0 {
			low, best = mid, left
		} else {
			high = mid - 1
		}
	}
	return best
}

// Each rejection is looked at by itself: of how many requests, and boxes, is
// what one can wait for.
const (
	mostOfTwo  = 500
	boxesAlone = 12
)

// thinned leaves out the rejections of a key between the first and the last of
// those that nothing else comes between: they say no more. Without a rejection less
// is known, and nothing wrong.
func thinned(seen []Seen) []Seen {
	var kept []Seen
	last, before := map[int]int{}, map[int]bool{} // where the last of a key is kept, and whether it is amid a row
	for _, s := range seen {
		at, some := last[s.Key]
		row := some && s.Outcome == limiter.Rejected && kept[at].Outcome == limiter.Rejected
		if row && before[s.Key] {
			kept[at] = s
			continue
		}
		before[s.Key] = row
		last[s.Key], kept = len(kept), append(kept, s)
	}
	return kept
}

// without returns the facts without the rejections that a hypothesis may
// explain, each by itself, and whether any is left.
func (h *hypothesis) without(seen []Seen, clock time.Duration) (*Facts, bool) {
	var rest []Seen
	some := false
	boxes := h.joined(slices.Clone(h.boxes), boxesAlone)
	for i, s := range seen {
		if s.Outcome == limiter.Rejected {
			if h.mayReject(boxes, seen, i, clock) {
				continue
			}
			some = true
		}
		rest = append(rest, s)
	}
	return FactsOf(rest, clock), some
}

// mayReject reports whether a point of some boxes may have rejected one request,
// after what was admitted.
func (f *Family) mayReject(boxes []box, seen []Seen, at int, clock time.Duration) bool {
	var alone []Seen
	for i, s := range seen {
		if i == 0 && s.Outcome != limiter.Rejected || i == at || s.Key == seen[at].Key && s.Outcome != limiter.Rejected {
			alone = append(alone, s)
		}
	}
	facts := FactsOf(alone, clock)
	return slices.ContainsFunc(boxes, func(b box) bool { return f.explains(facts, &b) })
}

// pace returns the time in which one request comes back, at least.
func (h *hypothesis) pace() float64 {
	if h.parameters[1] == tokens {
		return hull(h.boxes, token).lo
	}
	return hull(h.boxes, window).lo / hull(h.boxes, limit).hi
}

// Rounds of looking for what the outer of two limits is, and after how many
// rejections in a row at the inner one's pace it is taken to be used up.
const (
	mostRounds = 6
	inARow     = 3
)

// two looks for two limits that hold at once, where nothing explains what was
// seen alone. It keeps to the pace of the inner one until the outer one refuses,
// and asks ever more rarely until it admits again.
func (l *loop) two() {
	l.both = pairs(l.seen(nil), l.Clock)
	for round := 0; round < mostRounds && len(l.both) > 0; round++ {
		var names []string
		for _, b := range l.both {
			if name := b.inner.Name + " and " + b.outer.Name; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		l.say(fmt.Sprintf("%d requests: two limits at once may explain it: %v", l.sent, names))
		if len(names) == 1 && round > 1 || !l.may(l.asker.Now()) {
			return
		}
		pace := l.both[0].inner.pace()
		for _, b := range l.both {
			pace = max(pace, b.inner.pace())
		}
		wait := time.Duration(0)
		if round%2 == 1 { // one early, the rest late: a log gives them back as they came
			l.ask(l.asker.Now(), 1)
			wait = time.Duration(0.4 * l.both[0].outer.pace() * hull(l.both[0].outer.boxes, limit).lo)
		}
		l.atPace(time.Duration(pace*1.1), wait)
		l.await()
		l.learn()
		l.both = pairs(l.seen(nil), l.Clock)
	}
}

// atPace asks, after a wait, one by one at a pace, until several in a row are
// rejected.
func (l *loop) atPace(pace, wait time.Duration) {
	at := l.asker.Now() + min(wait, l.MaxTime/8)
	for refused := 0; refused < inARow && l.may(at); at = l.asker.Now() + max(pace, l.trip) {
		if _, rejected := l.ask(at, 1); rejected > 0 {
			refused++
		} else {
			refused = 0
		}
	}
}

// twoWords says which two limits hold at once, as far as it is known.
func (r Result) twoWords() []string {
	var all []string
	if len(r.Answers) == 1 {
		all = append(all, "open: one limit explains what was seen, and so do two at once; "+r.Answers[0].words())
	}
	for i, t := range r.Both {
		text := "two limits at once: "
		if len(r.Both)+len(r.Answers) > 1 {
			text = "two limits at once (one of several readings): "
		}
		if i == 0 || t.Inner.words() != r.Both[i-1].Inner.words() {
			text += t.Inner.words() + "; and "
		} else {
			text = "  or the outer one is "
		}
		all = append(all, text+t.Outer.words())
	}
	return all
}
