package probe

import (
	"slices"
	"time"
)

// A Result is what is known in the end.
type Result struct {
	Answers  []Found // everything that explains what was seen, relatives as one
	Limited  bool    // some request was rejected
	Requests int
	Took     time.Duration
	Over     string // why it ended early: "budget", "time", "stopped", "refused" from the first; empty: it did not
	Seen     []Answer
	Scopes   []Scope
	Capacity int           // the most that was admitted before the first rejection
	Trip     time.Duration // the quickest answer

	Near *Near       // where nothing explains what was seen; nil: nothing does, and nothing comes near
	Both []TwoLimits // two limits that explain together what none does alone, or hardly
}

// A Found is one family and the intervals of its parameters, times in
// nanoseconds.
type Found struct {
	Family         string
	RejectsConsume bool
	Variants       []string
	Values         map[string]Span

	service time.Duration // that a promise counts on
}

// A Span is a closed interval.
type Span struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func (l *loop) result() Result {
	r := Result{Requests: l.sent, Took: l.asker.Now() - l.began, Over: l.over, Scopes: l.found, Capacity: l.capacity, Trip: l.trip, Seen: l.answers, Limited: l.capacity > 0}
	if !r.Limited {
		return r
	}
	for _, h := range l.belief.alive {
		r.add(h)
	}
	for _, rival := range l.rivals {
		for _, h := range rival.belief.alive {
			r.add(h)
		}
	}
	for _, b := range l.both {
		r.addBoth(b)
	}
	r.queued()
	return r
}

func (r *Result) add(h *hypothesis) {
	at := slices.IndexFunc(r.Answers, func(f Found) bool { return f.Family == h.Name && f.RejectsConsume == h.RejectsConsume })
	if at < 0 {
		at, r.Answers = len(r.Answers), append(r.Answers, Found{})
	}
	r.Answers[at].absorb(h)
}

// absorb adds a hypothesis to what is known of its family.
func (f *Found) absorb(h *hypothesis) {
	if f.Values == nil {
		f.Family, f.RejectsConsume, f.Values = h.Name, h.RejectsConsume, map[string]Span{}
	}
	if h.Variant != "" && !slices.Contains(f.Variants, h.Variant) {
		f.Variants = append(f.Variants, h.Variant)
	}
	for axis, p := range h.parameters {
		s := hull(h.boxes, axis)
		have, ok := f.Values[p.name]
		if !ok {
			have = Span{s.lo, s.hi}
		}
		f.Values[p.name] = Span{min(have.Low, s.lo), max(have.High, s.hi)}
	}
}

// A TwoLimits is two limits that hold at once: what the inner one admits must
// also find room in the outer one.
type TwoLimits struct{ Inner, Outer Found }

func (r *Result) addBoth(b both) {
	at := slices.IndexFunc(r.Both, func(t TwoLimits) bool { return t.Inner.Family == b.inner.Name && t.Outer.Family == b.outer.Name })
	if at < 0 {
		at, r.Both = len(r.Both), append(r.Both, TwoLimits{})
	}
	r.Both[at].Inner.absorb(b.inner)
	r.Both[at].Outer.absorb(b.outer)
}

// counted reports whether every whole number of an answer is known.
func (f Found) counted() bool {
	for _, name := range []string{"limit", "burst", "step"} {
		if s := f.Values[name]; s.Low < s.High {
			return false
		}
	}
	return true
}
