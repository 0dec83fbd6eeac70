package probe

import (
	"math"
	"time"

	"duckload/limiter"
)

// A Family is one kind of limiter as a space of parameters. To add one, write
// what it explains in a file of its own and list it in [Families].
type Family struct {
	Name           string // as in limiter.Models, where it is one of them
	Doc            string // what it does, in half a sentence
	RejectsConsume bool   // a refused request counts, or begins the time anew
	Variant        string // tells relatives with one name and the same flag apart: "by the clock"

	parameters []parameter
	judge      func(*track, *box) bool

	// model makes a limiter that behaves like a point of the space. It serves
	// to foretell. If it has a grid, a boundary lies at its moment 0, and in
	// ours as grid says after the first request, of the key where keyed.
	model func(at point) limiter.Limiter
	grid  func(at point) (window, boundary float64) // nil: its moments are ours
	keyed bool
}

// A point is a value for each parameter of a family.
type point [4]float64

// explains reports whether a point of the box may explain the facts. It may
// say so wrongly, never that none does.
func (f *Family) explains(facts *Facts, b *box) bool {
	for _, t := range facts.tracks {
		if !f.judge(t, b) {
			return false
		}
	}
	return true
}

// precision is how narrow parameters in time are measured where it costs
// little, and phases as a share of their window.
const (
	precision      = 0.004
	placePrecision = 0.01 // of a boundary, as a share of the longest time between two
)

var (
	requests = parameter{name: "limit", whole: true}
	length   = parameter{name: "window", fine: precision}
	place    = parameter{name: "boundary", linear: true, fine: placePrecision}
	bursts   = parameter{name: "burst", whole: true}
	tokens   = parameter{name: "token", fine: precision}
	steps    = parameter{name: "step", whole: true}
	banTime  = parameter{name: "ban", fine: precision}
)

// Families are all kinds that can be told, the simplest first. Where two explain
// everything and nothing separates them, they are shown in this order.
var Families = []*Family{
	{Name: "token-bucket", Doc: "a burst at once, refilled evenly (the same as GCRA, and as a leaky bucket that rejects)",
		parameters: []parameter{bursts, tokens}, judge: bucketExplains(false), model: bucketModel(false)},
	{Name: "fixed-window", Doc: "so many in each window of a grid", Variant: "the same grid for every key",
		parameters: []parameter{requests, length, place}, judge: alignedExplains(byClock), model: windowModel("fixed-window", false), grid: windowGrid},
	{Name: "fixed-window", Doc: "so many in each window of a grid", Variant: "each key its own grid, for good",
		parameters: []parameter{requests, length, place}, judge: alignedExplains(byKey), model: windowModel("fixed-window", false), grid: windowGrid, keyed: true},
	{Name: "anchored-window", Doc: "so many in a window that opens with the first request after the last one closed",
		parameters: []parameter{requests, length}, judge: expiry{}.explains, model: windowModel("anchored-window", false)},
	{Name: "sliding-log", Doc: "so many in any trailing window",
		parameters: []parameter{requests, length}, judge: logExplains(false), model: windowModel("sliding-log", false)},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight", Variant: "the same grid for every key, estimate + 1 ≤ limit",
		parameters: []parameter{requests, length, place}, judge: counterExplains(false, 1, byClock), model: windowModel("sliding-counter", false), grid: windowGrid},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight", Variant: "the same grid for every key, rounded estimate < limit",
		parameters: []parameter{requests, length, place}, judge: counterExplains(false, 0.5, byClock), model: windowModel("sliding-counter", false), grid: windowGrid},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight", Variant: "the same grid for every key, estimate < limit",
		parameters: []parameter{requests, length, place}, judge: counterExplains(false, 0, byClock), model: windowModel("lenient-counter", false), grid: windowGrid},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight", Variant: "each key its own grid, estimate + 1 ≤ limit",
		parameters: []parameter{requests, length}, judge: restartedExplains(false, 1), model: restartedModel("sliding-counter", false)},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight", Variant: "each key its own grid, rounded estimate < limit",
		parameters: []parameter{requests, length}, judge: restartedExplains(false, 0.5), model: restartedModel("sliding-counter", false)},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight", Variant: "each key its own grid, estimate < limit",
		parameters: []parameter{requests, length}, judge: restartedExplains(false, 0), model: restartedModel("lenient-counter", false)},
	{Name: "stepped-bucket", Doc: "a burst at once, refilled by several at a time", Variant: "the same steps for every key",
		parameters: []parameter{bursts, steps, length, place}, judge: steppedExplains(byClock), model: steppedModel, grid: stepGrid},
	{Name: "stepped-bucket", Doc: "a burst at once, refilled by several at a time", Variant: "each key its own steps",
		parameters: []parameter{bursts, steps, length, place}, judge: steppedExplains(byKey), model: steppedModel, grid: stepGrid, keyed: true},
	{Name: "idle-window", Doc: "so many until none was admitted for a while",
		parameters: []parameter{requests, length}, judge: expiry{each: true}.explains, model: windowModel("idle-window", false)},
	{Name: "elastic-window", Doc: "so many until none came for a while, refused ones included", RejectsConsume: true,
		parameters: []parameter{requests, length}, judge: expiry{each: true, rejected: true}.explains, model: windowModel("elastic-window", true)},
	{Name: "block", Doc: "the first request too many shuts everything out for a time",
		parameters: []parameter{requests, length, banTime}, judge: banExplains(false), model: banModel(false)},
	{Name: "block", Doc: "a request too many shuts everything out until there was silence", RejectsConsume: true,
		parameters: []parameter{requests, length, banTime}, judge: banExplains(true), model: banModel(true)},
	{Name: "leaky-queue", Doc: "requests wait for their turn, one every so often; refused where too many wait",
		parameters: []parameter{bursts, tokens}, judge: queueExplains, model: queueModel},
	{Name: "concurrency", Doc: "so many under way at once",
		parameters: []parameter{requests}, judge: underWayExplains, model: underWayModel},
	{Name: "token-bucket", Doc: "a burst at once, refilled evenly; a refused request empties it", RejectsConsume: true,
		parameters: []parameter{bursts, tokens}, judge: bucketExplains(true), model: bucketModel(true)},
	{Name: "sliding-log", Doc: "so many in any trailing window, refused ones included", RejectsConsume: true,
		parameters: []parameter{requests, length}, judge: logExplains(true), model: windowModel("sliding-log", true)},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight, refused ones included", Variant: "the same grid for every key, estimate + 1 ≤ limit", RejectsConsume: true,
		parameters: []parameter{requests, length, place}, judge: counterExplains(true, 1, byClock), model: windowModel("sliding-counter", true), grid: windowGrid},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight, refused ones included", Variant: "the same grid for every key, rounded estimate < limit", RejectsConsume: true,
		parameters: []parameter{requests, length, place}, judge: counterExplains(true, 0.5, byClock), model: windowModel("sliding-counter", true), grid: windowGrid},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight, refused ones included", Variant: "the same grid for every key, estimate < limit", RejectsConsume: true,
		parameters: []parameter{requests, length, place}, judge: counterExplains(true, 0, byClock), model: windowModel("lenient-counter", true), grid: windowGrid},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight, refused ones included", Variant: "each key its own grid, estimate + 1 ≤ limit", RejectsConsume: true,
		parameters: []parameter{requests, length}, judge: restartedExplains(true, 1), model: restartedModel("sliding-counter", true)},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight, refused ones included", Variant: "each key its own grid, rounded estimate < limit", RejectsConsume: true,
		parameters: []parameter{requests, length}, judge: restartedExplains(true, 0.5), model: restartedModel("sliding-counter", true)},
	{Name: "sliding-counter", Doc: "the count of this window, and that of the one before by weight, refused ones included", Variant: "each key its own grid, estimate < limit", RejectsConsume: true,
		parameters: []parameter{requests, length}, judge: restartedExplains(true, 0), model: restartedModel("lenient-counter", true)},
}

// shortest and longest are the windows that are thought of.
const (
	shortest = float64(450 * time.Millisecond)
	longest  = float64(31 * 24 * time.Hour)
)

// whole returns the box of everything that a family can be, after what was
// seen: limits from 1 to what was admitted at most, any time at all.
func (f *Family) whole(facts *Facts) box {
	most := float64(max(1, facts.count(limiter.Admitted)+facts.count(limiter.Unknown)))
	var b box
	for i, p := range f.parameters {
		switch p {
		case requests, bursts, steps:
			b[i] = span{1, most}
		case tokens:
			b[i] = span{shortest / 1000, longest}
		case place:
			b[i] = span{0, longest}
		default:
			b[i] = span{shortest, longest}
		}
	}
	return b
}

func model(name string, l limiter.Limit) limiter.Limiter {
	for _, list := range [][]limiter.Model{limiter.Models, limiter.Awkward} {
		for _, m := range list {
			if m.Name == name {
				made, err := m.New(l)
				if err != nil {
					panic(err) // points lie in a space of possible limits
				}
				return made
			}
		}
	}
	panic("no model " + name)
}

func bucketModel(consuming bool) func(point) limiter.Limiter {
	return func(at point) limiter.Limiter {
		return model("token-bucket", limiter.Limit{Limit: 1, Window: ns(at[token]), Burst: int64(at[burst]), RejectsConsume: consuming})
	}
}

func windowModel(name string, consuming bool) func(point) limiter.Limiter {
	return func(at point) limiter.Limiter {
		return model(name, limiter.Limit{Limit: int64(at[limit]), Window: ns(at[window]), RejectsConsume: consuming})
	}
}

func restartedModel(name string, consuming bool) func(point) limiter.Limiter {
	counter := windowModel(name, consuming)
	return func(at point) limiter.Limiter { return limiter.Restarting(counter(at), 2*ns(at[window])) }
}

func steppedModel(at point) limiter.Limiter {
	return model("stepped-bucket", limiter.Limit{Limit: int64(at[step]), Window: ns(at[interval]), Burst: int64(at[capacity])})
}

func banModel(extended bool) func(point) limiter.Limiter {
	return func(at point) limiter.Limiter {
		inner := model("anchored-window", limiter.Limit{Limit: int64(at[limit]), Window: ns(at[window])})
		return limiter.Blocking(inner, ns(at[ban]), extended)
	}
}

func windowGrid(at point) (window_, boundary_ float64) { return at[window], at[boundary] }
func stepGrid(at point) (window_, boundary_ float64)   { return at[interval], at[stepAt] }

func ns(v float64) time.Duration { return time.Duration(max(1, min(v, float64(limiter.Far)))) }

// behind returns how far the moments of a model lie behind ours, if the first
// request came at some moment, and the first of the key at another.
func (f *Family) behind(at point, first, ofKey time.Duration) time.Duration {
	if f.grid == nil {
		return 0
	}
	if f.keyed {
		first = ofKey
	}
	window, boundary := f.grid(at)
	lies := math.Mod(float64(first)+boundary, window)
	return ns(window - lies)
}

// title returns the name of a family that no other one has.
func (f *Family) title() string {
	name := f.Name
	if f.RejectsConsume {
		name += ", refused requests count"
	}
	if f.Variant != "" {
		name += ", " + f.Variant
	}
	return name
}
