package analyze

import (
	"slices"
	"sort"
)

// What is recorded is nearly in order: requests are answered soon after they
// are sent, and few overtake each other. Ten million of them are sorted and
// searched in a fraction of the time by whoever expects that.

// mostShifts is how often, for each value, sortNearly moves one before it
// takes them to be in no order.
const mostShifts = 8

// sortNearly sorts values that are nearly in order, and any others little
// slower than package slices does. No two may be equal.
func sortNearly[T any](all []T, compare func(a, b T) int) {
	left := mostShifts * len(all)
	for i := 1; i < len(all); i++ {
		v, k := all[i], i
		for ; k > 0 && compare(v, all[k-1]) < 0; k-- {
			all[k] = all[k-1]
		}
		all[k] = v
		if left -= i - k; left < 0 {
			slices.SortFunc(all, compare)
			return
		}
	}
}

// searchFrom is [sort.Search] for an answer that is likely near a place from 0
// to n: it takes as many steps as the distance has digits.
func searchFrom(near, n int, is func(int) bool) int {
	low, high := near, near // below low it is not, from high on it is
	for step := 1; low > 0 && is(low-1); step *= 2 {
		high = low - 1
		low = max(0, low-step)
	}
	for step := 1; high < n && !is(high); step *= 2 {
		low = high + 1
		high = min(n, high+step)
	}
	return low + sort.Search(high-low, func(i int) bool { return is(low + i) })
}
