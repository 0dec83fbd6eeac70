package history

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ClockDrift is how far two machines' monotonic clocks may drift apart: 200
// parts per million, two crystals of 100 each. A larger drift shows, because
// later probes then contradict earlier ones.
const ClockDrift = 200e-6

// An Axis brings moments of an agent's clock to the run's axis of time.
type Axis struct {
	Shift time.Duration // to add at the agent's moment 0
	Slope float64       // to add for each nanosecond after it; the drift, as far as it shows
	Bound time.Duration // how far the result may be from the truth, either way
}

// Moment returns the moment on the axis, as well as it is known. [Never] stays
// what it is.
func (a Axis) Moment(t time.Duration) time.Duration {
	if t == Never {
		return Never
	}
	return t + a.Shift + time.Duration(math.Round(float64(t)*a.Slope))
}

// Why a clock has no bound.
var (
	ErrUnprobed = errors.New("its clock was never compared with the coordinator's")
	ErrStepped  = errors.New("its clock, or the coordinator's, was set or stood still during the run")
)

// AxisOf returns the axis for moments of an agent's clock from one to another.
//
// An answer was given at some moment u of the agent's clock between Sent and
// Received, so the offset at u, the coordinator's clock less the agent's, lies
// between Theirs − Received and Theirs − Sent, whatever the delays were. At
// another moment t it differs by [ClockDrift]·|t − u| at most. What all probes
// leave in common contains the truth; they leave nothing only if a clock was
// set or stood still, or drifts more. The axis is the straight line in the
// middle of what is left at both ends.
func AxisOf(probes []Probe, from, to time.Duration) (Axis, error) {
	if len(probes) == 0 {
		return Axis{}, ErrUnprobed
	}
	probes = best(probes)
	for i, p := range probes {
		if low, high := offset(probes, p.Sent); low > high {
			return Axis{}, fmt.Errorf("%w: probe %d of %d, %s after the start, contradicts the others by %s", ErrStepped, i+1, len(probes), p.Sent.Round(time.Millisecond), low-high)
		}
	}
	middle := func(t time.Duration) float64 {
		low, high := offset(probes, t)
		return (float64(low) + float64(high)) / 2
	}
	var a Axis
	if to > from {
		slope := (middle(to) - middle(from)) / float64(to-from)
		a.Slope = min(max(slope, -ClockDrift), ClockDrift)
	}
	a.Shift = time.Duration(math.Round(middle(from) - a.Slope*float64(from)))
	// Between two moments that are looked at, the offset and the line move
	// apart by no more than twice the drift in half of the time between.
	const looks = 512
	step := (to - from) / looks
	for i := range looks + 1 {
		t := from + time.Duration(i)*step
		if i == looks {
			t = to
		}
		low, high := offset(probes, t)
		line := a.Moment(t) - t
		a.Bound = max(a.Bound, high-line, line-low)
	}
	a.Bound += time.Duration(math.Ceil(float64(step)*ClockDrift)) + 2 // and what rounding loses
	return a, nil
}

// best returns the probes with the shortest ways, a few thousand at most from
// all over the run: any selection bounds the truth, and every two are compared.
func best(probes []Probe) []Probe {
	const most = 2000
	if len(probes) <= most {
		return probes
	}
	kept := make([]Probe, most)
	for i := range kept {
		kept[i] = slices.MinFunc(probes[i*len(probes)/most:(i+1)*len(probes)/most], func(a, b Probe) int {
			return cmp.Compare(a.Received-a.Sent, b.Received-b.Sent)
		})
	}
	return kept
}

// offset returns between which values the offset lies at a moment of the
// agent's clock.
func offset(probes []Probe, t time.Duration) (low, high time.Duration) {
	low, high = math.MinInt64, math.MaxInt64
	for _, p := range probes {
		age := max(t-p.Sent, p.Received-t) // of an answer that was given as far from t as can be
		drift := time.Duration(math.Ceil(float64(age) * ClockDrift))
		low = max(low, p.Theirs-p.Received-drift)
		high = min(high, p.Theirs-p.Sent+drift)
	}
	return low, high
}
