package analyze

import (
	"cmp"
	"math"
	"slices"
	"time"

	"duckload/limiter"
)

// nearly is what rounding may do to a level.
const nearly = 1e-6

// highest tells the most that can have been left after each of some admitted
// requests. The requests that certainly were decided before, and met the same
// key, have certainly taken theirs.
//
// For a token bucket: let T be the time of a token. Decided at moments d, the
// requests since u leave a bucket that is whole again at u + T·n at the
// earliest, n being how many of them were decided at or after u. Only those
// sent at or after u are certain to be among them. For a sliding log: those
// sent within the trailing window of the latest possible decision. For the
// other readings nothing is certain but the request itself.
//
// Among are the places of the admitted requests that certainly share a key.
func highest(rows []Row, among []uint32, l limiter.Limit, tell func(r Row, most float64)) {
	byAnswer := inOrder(among, func(i uint32) time.Duration { return rows[i].Answered })
	token := float64(l.Window) / float64(l.Limit) / (1 + clockDrift) / (1 + l.Tolerance)
	window := time.Duration(float64(l.Window)*(1-clockDrift)) - stale(l.Clock())
	most := float64(mostAtOnce(l)) * (1 + l.Tolerance)
	whole, since := math.Inf(-1), math.Inf(-1) // when the bucket is whole again, by the requests sent since
	done, old := 0, 0
	for _, i := range among {
		r := rows[i]
		for ; rows[byAnswer[done]].Answered < r.Sent; done++ { // r itself ends it
			sent := float64(rows[byAnswer[done]].Sent - stale(l.Clock()))
			switch {
			case sent > whole:
				whole, since = sent+token, sent
			case sent >= since:
				whole += token
			}
		}
		before := 0.0
		switch l.Reading {
		case limiter.TokenBucket:
			before = max(0, whole-float64(r.Answered)) / token
		case limiter.SlidingLog:
			old = searchFrom(old, len(among), func(k int) bool { return rows[among[k]].Sent > r.Answered-window })
			before = float64(max(0, done-old))
		}
		tell(r, most-before-1)
	}
}

// lowest tells the least that can have been left after each of some admitted
// requests, if nobody else uses the key: what every request that may have met
// it, and may have been decided before, can have taken.
//
// For a token bucket: those surely decided before it was sent leave a bucket
// that is whole again, at the latest, where they would if each were decided as
// late as it can have been; each that may have been decided before it, but not
// surely before it was sent, has taken one token more. For windows: whatever
// can have been decided in the trailing window, or two, has taken one.
//
// Among are the places of all requests that possibly share a key and may have
// spent; decided is the latest moment of each one's decision; whole says that
// the allowance was whole at moment 0.
func lowest(rows []Row, among []uint32, decided func(Row) time.Duration, l limiter.Limit, whole bool, tell func(r Row, least float64)) {
	if l.Reading == limiter.SteppedBucket {
		return // what is left depends on when the steps are
	}
	byEnd := inOrder(among, func(i uint32) time.Duration { return decided(rows[i]) })
	token := float64(l.Window) / float64(l.Limit) / (1 - clockDrift) / (1 - min(l.Tolerance, 0.99))
	least := float64(leastAtOnce(l)) * (1 - l.Tolerance)
	again := math.Inf(-1) // when the bucket is whole again at the latest
	if !whole {
		again = least * token
	}
	done := 0 // how many were surely decided before the next was sent
	sent, over := 0, 0
	for _, i := range among {
		r := rows[i]
		for ; done < len(byEnd) && decided(rows[byEnd[done]]) < r.Sent; done++ {
			again = max(again, float64(decided(rows[byEnd[done]]))) + token
		}
		if r.Outcome != limiter.Admitted {
			continue
		}
		sent = searchFrom(sent, len(among), func(k int) bool { return rows[among[k]].Sent > r.Answered })
		moment := r.Sent - stale(l.Clock())
		if l.Reading == limiter.TokenBucket {
			low := least - float64(sent-done)
			if still := again - float64(moment); still > 0 {
				low -= still/token + nearly
			}
			tell(r, low)
			continue
		}
		trailing := l.Window
		if l.Reading != limiter.FixedWindow && l.Reading != limiter.SlidingLog {
			trailing *= 2
		}
		from := moment - slow(trailing)
		if from < 0 && !whole {
			continue
		}
		over = searchFrom(over, len(byEnd), func(k int) bool { return decided(rows[byEnd[k]]) >= from })
		tell(r, least-float64(sent-over))
	}
}

// mostAtOnce and leastAtOnce bound what a quiet key may send at once.
func mostAtOnce(l limiter.Limit) int64 {
	if l.Reading == limiter.Open {
		return max(l.Limit, l.Burst)
	}
	return l.Capacity()
}

func leastAtOnce(l limiter.Limit) int64 {
	if l.Reading == limiter.Open && l.Burst > 0 {
		return min(l.Limit, l.Burst)
	}
	return l.Capacity()
}

// inOrder returns places of rows, which rise, in rising order of some moment.
func inOrder(places []uint32, moment func(uint32) time.Duration) []uint32 {
	ordered := slices.Clone(places)
	sortNearly(ordered, func(a, b uint32) int { return cmp.Or(cmp.Compare(moment(a), moment(b)), cmp.Compare(a, b)) })
	return ordered
}
