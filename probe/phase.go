package probe

import "math"

// A gridJudge reports whether some batches of a track may be explained by a
// grid, whatever there was before.
type gridJudge func(t *track, g grid, b *box, some []batch) bool

// onGrid judges a track by the grid of a box, whose place is the parameter
// after its window. Where windows are known too roughly for it to be seen in
// which of them a late request lies, every stretch of a few windows is judged
// by itself, too: some place of the grid must explain it.
func onGrid(from reference, window int, judge gridJudge) func(*track, *box) bool {
	return func(t *track, b *box) bool {
		g, ok := gridOf(from(t), b[window], b[window+1])
		if !ok || !judge(t, g, b, t.batches) {
			return false
		}
		end := t.batches[len(t.batches)-1].lastTo
		if !g.blurredAt(end) || b[window].hi > 1.25*b[window].lo {
			return true
		}
		return stretches(t, b[window], func(some []batch) bool {
			return !g.blurredAt(some[0].firstFrom) || someplace(t, b, b[window], some, judge)
		})
	}
}

// blurredAt reports whether it is uncertain by more than a part of a window
// where a boundary lies near a moment.
func (g grid) blurredAt(at float64) bool {
	k := math.Abs(at-g.reference) / g.window.lo
	return g.boundary.hi-g.boundary.lo+k*(g.window.hi-g.window.lo) > g.window.lo/places
}

// A stretch is so many windows long, and begins so many after the one before.
const (
	stretch = 4
	stride  = 2
)

// stretches reports whether something holds for all stretches of a track.
func stretches(t *track, window span, holds func([]batch) bool) bool {
	for i := 0; i < len(t.batches); {
		start, end, next := t.batches[i].firstFrom, i+1, i+1
		for end < len(t.batches) && t.batches[end].lastTo <= start+stretch*window.hi {
			end++
		}
		for next < len(t.batches) && t.batches[next].firstFrom < start+stride*window.hi {
			next++
		}
		if !holds(t.batches[i:end]) {
			return false
		}
		if end == len(t.batches) {
			break
		}
		i = min(next, end)
	}
	return true
}

// places is into how many parts a window is divided to look for the place of a
// grid.
const places = 8

// someplace reports whether some place of the grid explains a stretch.
func someplace(t *track, b *box, window span, some []batch, judge gridJudge) bool {
	start := some[0].firstFrom
	for i := range places {
		part := span{window.hi * float64(i) / places, window.hi * float64(i+1) / places}
		if g, ok := gridOf(span{start, start}, window, part); ok && judge(t, g, b, some) {
			return true
		}
	}
	return false
}
