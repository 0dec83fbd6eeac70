package analyze

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestRangesKnowTheirLargestNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Float64Range(-9, 9), 0, 500).Draw(t, "numbers")
		r := newRangeMax(numbers)
		from := rapid.IntRange(0, len(numbers)).Draw(t, "from")
		below := rapid.IntRange(0, len(numbers)).Draw(t, "below")
		want := math.Inf(-1)
		for i := from; i < below; i++ {
			want = max(want, numbers[i])
		}
		if got := r.max(from, below); got != want {
			t.Errorf("[%d, %d): got %v, want %v", from, below, got, want)
		}
	})
}
