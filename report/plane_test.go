package report

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"duckload/analyze"
	"duckload/limiter"
)

func measuredPlane(rate, burst float64, cuts ...analyze.PlaneSlice) analyze.Group {
	return analyze.Group{
		Promise:  limiter.Promise{Limits: []limiter.Limit{{Limit: 60, Window: time.Minute, Burst: 3, Reading: limiter.TokenBucket}}},
		Measured: &analyze.Measured{Plane: &analyze.Plane{Rate: rate, Burst: burst, Slices: cuts}},
	}
}

func TestTheRegionIsWhatBothBoundsLeave(t *testing.T) {
	v, ok := planeOf(measuredPlane(1, 3,
		analyze.PlaneSlice{Rate: 0.9, Least: 3.2, Most: 3.1},
		analyze.PlaneSlice{Rate: 1.0, Least: 2.9, Most: 3.1},
		analyze.PlaneSlice{Rate: 1.1, Least: 2.8, Most: 3.05},
		analyze.PlaneSlice{Rate: 1.2, Least: 2.7, Most: 2.7},
	))
	if !ok || len(v.Region) != 4 || len(v.Rows) != 4 {
		t.Fatalf("got %+v, want two slices of a region", v)
	}
	if v.Left != 54 || v.Right != 72 || v.Documented != (point{60, 3}) {
		t.Errorf("got %v to %v around %v, want 54 to 72 a minute around 60 and 3", v.Left, v.Right, v.Documented)
	}
	if len(v.Whole) != 1 || v.Whole[0][0] != (point{60, 3}) || v.Whole[0][1] != (point{66, 3}) {
		t.Errorf("got %v, want a burst of 3 from 60 to 66 a minute", v.Whole)
	}
}

func TestWhatNothingExplainsHasNoRegion(t *testing.T) {
	v, ok := planeOf(measuredPlane(1, 3, analyze.PlaneSlice{Rate: 0.9, Least: 5, Most: 4}, analyze.PlaneSlice{Rate: 1.1, Least: 5, Most: 4}))
	if !ok || len(v.Region) != 0 || len(v.Whole) != 0 {
		t.Errorf("got %+v, want no region", v)
	}
	if _, ok := planeOf(analyze.Group{}); ok {
		t.Error("got a picture of what was not measured")
	}
}

// Whatever was measured, nothing is drawn outside of the picture.
func TestNothingLeavesThePlane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(0, 1e6)
		var cuts []analyze.PlaneSlice
		rate := rapid.Float64Range(0, 100).Draw(t, "rate")
		for range rapid.IntRange(2, 30).Draw(t, "slices") {
			rate += rapid.Float64Range(1e-6, 10).Draw(t, "step")
			most := number.Draw(t, "most")
			if rapid.Bool().Draw(t, "unbounded") {
				most = math.Inf(1)
			}
			cuts = append(cuts, analyze.PlaneSlice{Rate: rate, Least: number.Draw(t, "least"), Most: most})
		}
		v, _ := planeOf(measuredPlane(cuts[0].Rate, number.Draw(t, "burst"), cuts...))
		all := append([]point{v.Documented}, v.Region...)
		for _, stretch := range v.Whole {
			all = append(all, stretch...)
		}
		near := 1e-9 * (1 + math.Abs(v.Top))
		for _, p := range all {
			if !(v.Left-near <= p.X && p.X <= v.Right+near && v.Bottom-near <= p.Y && p.Y <= v.Top+near) {
				t.Fatalf("%v lies outside of %v to %v, %v to %v", p, v.Left, v.Right, v.Bottom, v.Top)
			}
		}
		if _, err := drawPlane(v, 340, 280); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRoundTicksLieInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(0, 1e6).Draw(t, "low")
		high := low + rapid.Float64Range(1e-3, 1e6).Draw(t, "width")
		ticks := roundTicks(low, high, 4)
		if len(ticks) < 1 || len(ticks) > 6 {
			t.Fatalf("got %v", ticks)
		}
		for _, k := range ticks {
			if k.Value < low || k.Value > high {
				t.Fatalf("got %v outside of %v to %v", k, low, high)
			}
		}
	})
}
