package analyze

import (
	"cmp"
	"slices"
	"sort"
	"testing"

	"pgregory.net/rapid"
)

// Few values that are out of place, and many, are sorted alike.
func TestWhatIsNearlyInOrderIsSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([][2]int, rapid.IntRange(0, 200).Draw(t, "n"))
		spread := rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "spread")
		for i := range all {
			all[i] = [2]int{i + rapid.IntRange(0, spread).Draw(t, "late"), i}
		}
		compare := func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
		want := slices.Clone(all)
		slices.SortFunc(want, compare)
		sortNearly(all, compare)
		if !slices.Equal(all, want) {
			t.Fatalf("got %v, want %v", all, want)
		}
	})
}

// Wherever a search begins, it finds what it finds from afar.
func TestASearchFromAnywhereFindsTheSame(t *testing.T) {
	for n := range 20 {
		for first := range n + 1 {
			for near := range n + 1 {
				is := func(i int) bool {
					if i < 0 || i >= n {
						t.Fatalf("asked for %d of %d", i, n)
					}
					return i >= first
				}
				if got := searchFrom(near, n, is); got != sort.Search(n, is) {
					t.Errorf("from %d of %d: got %d, want %d", near, n, got, first)
				}
			}
		}
	}
}
