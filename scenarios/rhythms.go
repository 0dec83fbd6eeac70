package scenarios

import (
	"fmt"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// rhythms are all that can stand in a list of pacing, in the order in which
// they are shown.
var rhythms = []rhythm{
	{name: "rest", write: "rest: full", doc: "sends nothing for a while, or until the allowance is certainly full again", read: readRest},
	{name: "burst", write: "burst: 100% + 2", doc: "sends a number of requests at once", read: readBurst},
	{name: "hold", write: "hold: 80%", doc: "sends evenly at a rate", needs: []string{"for"}, read: readHold},
	{name: "ramp", write: "ramp: 50% -> 150%", doc: "changes evenly from one rate to another", needs: []string{"for"}, read: readRamp},
	{name: "steps", write: "steps: [50%, 100%, 150%]", doc: "holds one rate after another, each for the time given", needs: []string{"for"}, read: readSteps},
	{name: "spike", write: "spike: {from: 20%, to: 300%}", doc: "holds a low rate, for the middle third of the time a high one, and the low one again", needs: []string{"for"}, read: readSpike},
	{name: "sine", write: "sine: {mean: 80%, amplitude: 40%, period: 30s}", doc: "swings around a rate, beginning at it and rising", needs: []string{"for"}, read: readSine},
	{name: "soak", write: "soak: 80%", doc: "holds a rate for long, like hold", needs: []string{"for"}, read: readSoak},
	{name: "replay", write: "replay: traffic.csv", doc: "sends at the moments of a recording: CSV, an access log, or vegeta's results", may: []string{"time_scale", "column"}, read: readReplay},
	{name: "probe", write: "probe: edges", doc: "uses the allowance up and asks just before and just after each moment at which some of it comes back", needs: []string{"for"}, read: readProbe},
	{name: "obey", write: "obey: retry-after", doc: "provokes a rejection, waits as long as it says, and sends one request", needs: []string{"times"}, read: readObey},
	{name: "find-capacity", write: "find-capacity: {}", doc: "searches for the highest rate at which the objectives hold", read: readCapacity},
}

func readRest(r *reader, w written) []Phase {
	if w.value.Value == "full" {
		return []Phase{{Pace: refill.Name, Label: "rest until full"}}
	}
	d := r.duration(w.value)
	return []Phase{{Pace: rest.Name, For: d, Label: "rest " + d.String()}}
}

func readBurst(r *reader, w written) []Phase {
	text, _ := r.text(w.value)
	n := r.count(w.value, text, w.of)
	return []Phase{{Pace: burst.Name, Count: n, Label: fmt.Sprintf("burst %d", n)}}
}

// steady reads a rate at which something is sent.
func (r *reader) steady(n node, w written) (rate float64, text string) {
	text, _ = r.text(n)
	if rate = r.rate(n, text, w.of); rate == 0 {
		r.bad(n, "must be above 0")
	}
	return rate, text
}

func readHold(r *reader, w written) []Phase {
	rate, text := r.steady(w.value, w)
	return []Phase{{Pace: hold.Name, Rate: rate, For: w.lasts, Label: "hold " + text}}
}

func readSoak(r *reader, w written) []Phase {
	rate, text := r.steady(w.value, w)
	return []Phase{{Pace: hold.Name, Rate: rate, For: w.lasts, Label: "soak " + text}}
}

func readRamp(r *reader, w written) []Phase {
	from, to := r.ramp(w.value, w.of)
	return []Phase{{Pace: ramp.Name, Rate: from, To: to, For: w.lasts, Label: "ramp " + w.value.Value}}
}

// readSteps comes to a hold for each rate, so that each is judged like one.
func readSteps(r *reader, w written) []Phase {
	items := r.items(w.value)
	if w.value.Kind == yaml.SequenceNode && len(items) == 0 {
		r.bad(w.value, "names no rate (write [50%%, 100%%, 150%%])")
	}
	var phases []Phase
	for i, item := range items {
		rate, text := r.steady(item, w)
		phases = append(phases, Phase{Pace: hold.Name, Rate: rate, For: w.lasts, Label: fmt.Sprintf("step %d of %d: %s", i+1, len(items), text)})
	}
	return phases
}

func readSpike(r *reader, w written) []Phase {
	var low, high float64
	var from, to string
	found := r.mapping(w.value, []key{
		{"from", func(n node) { low, from = r.steady(n, w) }},
		{"to", func(n node) { high, to = r.steady(n, w) }},
	})
	if !r.complete(w, found, "{from: 20%, to: 300%}", "from", "to") {
		return nil
	}
	if high <= low {
		r.bad(w.value, "must rise: %s is not above %s", to, from)
	}
	if w.lasts > 0 && w.lasts < 3 {
		r.bad(w.value, "lasts for three parts, and needs 3ns for them")
	}
	third := w.lasts / 3
	return []Phase{
		{Pace: hold.Name, Rate: low, For: third, Label: "before the spike: " + from},
		{Pace: hold.Name, Rate: high, For: third, Label: "spike " + to},
		{Pace: hold.Name, Rate: low, For: w.lasts - 2*third, Label: "after the spike: " + from},
	}
}

// complete reports whether a map has every key that it needs, and notes those
// that it has not.
func (r *reader) complete(w written, found map[string]bool, example string, names ...string) bool {
	if found == nil {
		return false
	}
	var missing []string
	for _, name := range names {
		if !found[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		r.bad(w.value, "needs %s (write %s)", strings.Join(missing, " and "), example)
	}
	return len(missing) == 0
}

func readSine(r *reader, w written) []Phase {
	var mean, swing float64
	var period time.Duration
	var at, by string
	found := r.mapping(w.value, []key{
		{"mean", func(n node) { mean, at = r.steady(n, w) }},
		{"amplitude", func(n node) { swing, by = r.steady(n, w) }},
		{"period", func(n node) { period = r.duration(n) }},
	})
	if !r.complete(w, found, "{mean: 80%, amplitude: 40%, period: 30s}", "mean", "amplitude", "period") {
		return nil
	}
	switch {
	case swing > mean:
		r.bad(w.value, "the amplitude must be at most the mean, or the rate would fall below 0")
	case mean+swing > maxRate:
		r.bad(w.value, "faster than %d requests a second", maxRate)
	}
	return []Phase{{Pace: sine.Name, Rate: mean, Swing: swing, Period: period, For: w.lasts, Label: fmt.Sprintf("sine %s ± %s each %s", at, by, period)}}
}
