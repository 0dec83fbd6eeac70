package scenarios

import (
	"slices"
	"time"
)

// patiences are the shares of the most time that plans are tried with, before
// anything is dropped.
var patiences = []float64{1, 0.99, 0.97, 0.93, 0.88, 0.8, 0.7, 0.55, 0.4, 0.2, 0}

// droppable are the parts of a compiled plan that a shorter one can do without,
// the least important first. What remains at least is a rest, one request and
// the burst.
var droppable = []struct {
	name string
	is   func(phases []Phase, i int) (length int) // how many phases from i on are that part; 0: they are not
}{
	{"what a rest gives back", func(phases []Phase, i int) int {
		earlier := slices.ContainsFunc(phases[:i], func(p Phase) bool { return p.Pace == burst.Name })
		if resting(phases[i]) && earlier && i+1 < len(phases) && phases[i+1].Pace == burst.Name {
			return 2
		}
		return 0
	}},
	{"scope probes", isPace(scope.Name)},
	{"obeying Retry-After", isPace(obey.Name)},
	{"the documented rate held", func(phases []Phase, i int) int {
		if phases[i].Pace == hold.Name && phases[i].Rejections == 0 {
			return 1
		}
		return 0
	}},
	{"what others are told", isPace(expect.Name)},
	{"looks at effects", isPace(effects.Name)},
	{"edge probes", isPace(edges.Name)},
	{"window edges", isPace(window.Name)},
}

func isPace(name string) func([]Phase, int) int {
	return func(phases []Phase, i int) int {
		if phases[i].Pace == name {
			return 1
		}
		return 0
	}
}

func resting(p Phase) bool { return p.Pace == rest.Name || p.Pace == refill.Name }

// shrink makes every track fit into the most time: first with less patience,
// then by dropping parts. build spells the plan out with a patience; lanes and
// tracks are the same with any.
func (c *compiler) shrink(most time.Duration, build func(patience time.Duration) compiler) {
	var tried []Plan
	for t := range c.plan.Tracks {
		track := &c.plan.Tracks[t]
		if lengthOf(track.Phases) <= most {
			continue
		}
		if slices.ContainsFunc(track.Phases, func(p Phase) bool { return p.place.line > 0 }) {
			c.tooLong(track.Phases, most, "its pacing is written by hand, and is sent as it is written or not at all")
			continue
		}
		whole := track.Phases
		for i, share := range patiences {
			if i == len(tried) {
				shorter := build(max(1, time.Duration(share*float64(most))))
				tried = append(tried, shorter.plan)
			}
			if track.Phases = tried[i].Tracks[t].Phases; lengthOf(track.Phases) <= most {
				break
			}
		}
		c.shortened(whole, track.Phases)
		// What takes little time is only left out if nothing else helps.
		for _, least := range []time.Duration{most / 20, 0} {
			for _, part := range droppable {
				if lengthOf(track.Phases) > most {
					c.drop(track, part.name, least, part.is)
				}
			}
		}
		if lengthOf(track.Phases) > most {
			c.tooLong(track.Phases, most, "the shortest plan rests, sends one request, and the burst")
		}
	}
}

// drop leaves a part out where it takes long enough, and the rests that nothing
// follows any more.
func (c *compiler) drop(track *Track, name string, least time.Duration, is func([]Phase, int) int) {
	var kept []Phase
	for i := 0; i < len(track.Phases); {
		n := is(track.Phases, i)
		if n == 0 || lengthOf(track.Phases[i:i+n]) < least {
			kept = append(kept, track.Phases[i])
			i++
			continue
		}
		c.note(c.groupOf(track.Phases[i]).Name + ": " + name)
		i += n
	}
	track.Phases = kept[:0:0]
	for i, p := range kept {
		if last := i == len(kept)-1; resting(p) && (last || kept[i+1].Pace == refill.Name) {
			continue
		}
		track.Phases = append(track.Phases, p)
	}
}

// shortened notes the probes that a plan with less patience has fewer of.
func (c *compiler) shortened(whole, short []Phase) {
	for i, p := range short {
		if i < len(whole) && whole[i].Pace == p.Pace && whole[i].Label != p.Label && (p.Pace == edges.Name || p.Pace == hold.Name) {
			c.note(c.groupOf(p).Name + ": " + whole[i].Label + ", shortened to " + p.Label)
		}
	}
}

func (c *compiler) note(dropped string) {
	if !slices.Contains(c.plan.Dropped, dropped) {
		c.plan.Dropped = append(c.plan.Dropped, dropped)
	}
}

func (c *compiler) tooLong(phases []Phase, most time.Duration, why string) {
	g := c.groupOf(phases[0])
	c.bad(g.place, "groups."+g.Name, "takes at least %s, and at most %s are given (%s; give more time, or leave the group out)",
		lengthOf(phases).Round(100*time.Millisecond), most, why)
}

func (c *compiler) groupOf(p Phase) Group {
	return c.plan.Scenario.Groups[c.plan.Lanes[p.Lanes[0]].Group]
}

func lengthOf(phases []Phase) (total time.Duration) {
	for _, p := range phases {
		total += p.About
	}
	return total
}
