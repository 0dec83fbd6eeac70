package analyze

import (
	"time"

	"duckload/limiter"
)

// A Level follows how much of one documented limit a key can have had left, if
// the limit were kept: the sawtooth of its bucket. Requests are decided
// somewhere between being sent and being answered, so it is a band. Where even
// the most is below nothing, more was admitted than the limit has.
type Level struct {
	Limit      limiter.Limit
	Lanes      []string     // whose requests it follows: "beak from 127.0.0.2"
	Points     []LevelPoint // in order of time; at most mostLevelPoints
	Impossible *LevelPoint  // right after the first admission that the limit did not have; nil: there is none
	Told       []ToldLevel  // what some answers said is left, in order of time; at most one for each moment of the grid
}

// A LevelPoint is the band at a moment. Most below 0 is how many requests too
// many were admitted, at the least. Least is never below 0, unless Most is.
type LevelPoint struct {
	At          time.Duration
	Least, Most float64
}

// A ToldLevel is what an answer said is left of the allowance.
type ToldLevel struct {
	At   time.Duration
	Left int
}

// How finely levels are kept: a grid of so many moments, and of each stretch
// between two the deepest points of both bounds.
const (
	levelBins       = 200
	mostLevelPoints = 3*levelBins + 5
	mostLevels      = 3
)

// levels follows the documented limits on the key that is drawn. A window
// without a known phase, and an open reading, have no level.
func (c *Case) levels(key drawnKey) []Level {
	var all []Level
	for i, l := range c.Promise.Limits {
		followed := l.Reading == limiter.TokenBucket || l.Reading == limiter.SlidingLog
		if !key.found || l.Unverified || !followed || len(all) == mostLevels {
			continue
		}
		if level, ok := c.level(i, key.lane); ok {
			all = append(all, level)
		}
	}
	return all
}

// level follows one limit on the key of a lane.
func (c *Case) level(limit, lane int) (Level, bool) {
	l := c.Promise.Limits[limit]
	ring := keys(c.Header, []limiter.Limit{l})
	certain := strandOf(c.Rows, l, func(r *Row) bool { return ring.certain[r.Lane] == ring.certain[lane] })
	possible := strandOf(c.Rows, l, func(r *Row) bool { return ring.possible[r.Lane] == ring.possible[lane] })
	if certain.len() == 0 {
		return Level{}, false
	}
	f := follower{
		level: Level{Limit: l, Lanes: c.sharers(ring.certain, ring.certain[lane])},
		least: c.room(l).meter(possible), most: newTop(certain, l),
		left: func(r Row) int64 { return c.told.leftUnder(r, limit) },
	}
	f.follow(certain, possible)
	return f.level, true
}

// sharers names the lanes of the case's counter that have a key.
func (c *Case) sharers(ring []int, key int) []string {
	var all []string
	for i, l := range c.Header.Lanes {
		if ring[i] == key && c.Header.Groups[l.Group].Counter == c.Header.Groups[c.Group].Counter {
			all = append(all, laneName(l))
		}
	}
	return all
}
