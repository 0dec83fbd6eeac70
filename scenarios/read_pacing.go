package scenarios

import (
	"slices"
	"strings"
	"time"

	"duckload/limiter"
)

// A rhythm is a phase as it is written by hand. To add one, list it in
// [rhythms]; what it comes to is one of [Paces], or several.
type rhythm struct {
	name  string
	write string   // an example, for messages
	doc   string   // one sentence
	needs []string // keys beside its own that it must have
	may   []string // keys that it can have
	read  func(*reader, written) []Phase
}

// written is what stands in the file for one rhythm. Keys that the rhythm has
// not are zero.
type written struct {
	value node // of the rhythm's own key
	of    limiter.Limit

	lasts  time.Duration // for
	times  int
	speed  float64 // time_scale; 0: as recorded
	column string
}

// beside are the keys that stand beside that of a rhythm.
var beside = []struct {
	name, write string
	read        func(*reader, node, *written)
}{
	{"for", "for: 2m", func(r *reader, n node, w *written) { w.lasts = r.duration(n) }},
	{"times", "times: 6", func(r *reader, n node, w *written) { w.times = int(r.whole(n, 1, maxTimes)) }},
	{"time_scale", "time_scale: 2", func(r *reader, n node, w *written) {
		text, ok := r.text(n)
		speed, wrong := parseSpeed(text)
		if ok && wrong != "" {
			r.bad(n, "%s", wrong)
		}
		w.speed = speed
	}},
	{"column", "column: time", func(r *reader, n node, w *written) { w.column, _ = r.text(n) }},
}

// maxTimes bounds how often a rhythm repeats itself.
const maxTimes = 10_000

// pacing reads the phases that somebody wrote by hand. Numbers relative to the
// promise refer to its first limit that a run is to verify.
func (r *reader) pacing(n node, limits []limiter.Limit) []Phase {
	if len(limits) == 0 {
		return nil // there is a mistake about that already
	}
	of := limits[0]
	for _, l := range limits {
		if !l.Unverified {
			of = l
			break
		}
	}
	if of.Limit == 0 || of.Window == 0 && of.Reading != limiter.Concurrency {
		return nil
	}
	var phases []Phase
	for _, item := range r.items(n) {
		for _, p := range r.phase(item, of) {
			p.place, p.Limit = item.place(), of
			phases = append(phases, p)
		}
	}
	return phases
}

// phase reads one item of the list. A rhythm may come to several phases.
func (r *reader) phase(n node, of limiter.Limit) []Phase {
	w := written{of: of}
	var chosen []rhythm
	var keys []key
	for _, h := range rhythms {
		keys = append(keys, key{h.name, func(n node) { chosen, w.value = append(chosen, h), n }})
	}
	var extra []string
	for _, b := range beside {
		keys = append(keys, key{b.name, func(n node) {
			switch {
			case len(chosen) == 1 && !slices.Contains(chosen[0].needs, b.name) && !slices.Contains(chosen[0].may, b.name):
				r.bad(n, "has no meaning for %s", chosen[0].name)
			default:
				extra = append(extra, b.name)
				b.read(r, n, &w)
			}
		}})
	}
	if found := r.mapping(n, keys); found == nil {
		return nil
	}
	switch len(chosen) {
	case 0:
		r.bad(n, "has no pace (have %s)", strings.Join(rhythmNames(chosen), ", "))
		return nil
	case 1:
	default:
		r.bad(n, "has more than one pace: %s (write a list item for each)", strings.Join(rhythmNames(chosen), " and "))
		return nil
	}
	for _, b := range beside {
		if slices.Contains(chosen[0].needs, b.name) && !slices.Contains(extra, b.name) {
			r.bad(n, "%s is missing (write %s)", b.name, b.write)
		}
	}
	return chosen[0].read(r, w)
}

// rhythmNames returns the names of some rhythms, or of all.
func rhythmNames(of []rhythm) []string {
	if len(of) == 0 {
		of = rhythms
	}
	names := make([]string, len(of))
	for i, h := range of {
		names[i] = h.name
	}
	return names
}
